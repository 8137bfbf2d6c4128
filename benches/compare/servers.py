"""The servers that are compared: how to build and start each, and its versions."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from process import Failed, Process

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROTO = ROOT / "protos/calc.proto"
# Of the details of a status.
KIT_PROTOS = ROOT / "crates/grpcio-kit/protos"
GOOGLE_RPC = ["google/rpc/status.proto", "google/rpc/error_details.proto"]
PEERS = ROOT / "benches/peers"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()

# The timeout of a build, which may include a C core.
BUILD_SECONDS = 1800


class LeftOut(Exception):
    """A server cannot be installed or built here, and why."""


class Server:
    """A server to measure. By default it is built from the files of benches/peers/NAME/, in `folder`."""

    name = title = library = ""
    # Compiled to machine code, so that callgrind can count its instructions.
    is_native = True
    environment = None

    @property
    def folder(self):
        return TARGET / "bench" / self.name

    @property
    def source(self):
        return PEERS / self.name

    def build(self):
        """Builds the server unless it is built already. Raises LeftOut if that is impossible."""

    def command(self):
        """The command that starts the server on a free port."""
        raise NotImplementedError

    def versions(self):
        """The versions of its library and its compiler."""
        raise NotImplementedError

    # How its client is called, if it has one.
    client_title = ""

    def client_command(self):
        """The command of its client, which `clients` measures; None if it has none."""

    # The flags of the server with which script/interop sets TLS and mutual TLS.
    tls_flags = {"cert": "--cert", "key": "--key", "client_ca": "--client-ca"}

    def check_command(self):
        """The command of its client that checks a server, which script/interop runs; None if it has none."""

    def start(self):
        return Process(self.command(), self.environment)


class Calc(Server):
    """`calc serve` as script/bench built it, configured as in production."""

    name, title, library = "calc", "calc serve", "ours, on grpcio"

    def command(self):
        # Everything else is on by default.
        return [str(TARGET / "release/calc"), "serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]

    def versions(self):
        lock, (core,) = ROOT / "Cargo.lock", re.findall(r"\+([\d.]+)", locked(ROOT / "Cargo.lock", "grpcio-sys"))
        commit = said(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], or_else="not in git")
        return f"{locked(lock, 'calc')} ({commit}), grpcio {locked(lock, 'grpcio')}, C core {core}, {rustc()}"


class Grpcio(Server):
    """grpcio on its C core as the crate compiles it, without patches."""

    name, title, library = "grpcio", "grpcio, plain", "grpcio"

    def build(self):
        toolchain = str(self.source / "toolchain.cmake")
        cargo_build(self.source, self.folder, {"CMAKE_TOOLCHAIN_FILE": toolchain})

    def command(self):
        return [str(self.folder / "release/bench-grpcio"), "127.0.0.1:0"]

    def versions(self):
        lock = self.source / "Cargo.lock"
        (core,) = re.findall(r"\+([\d.]+)", locked(lock, "grpcio-sys"))
        return f"grpcio {locked(lock, 'grpcio')}, C core {core}, {rustc()}"


class Tonic(Server):
    name, title, library = "tonic", "tonic", "tonic"
    client_title = "tonic"

    def build(self):
        cargo_build(self.source, self.folder)

    def command(self):
        return [str(self.folder / "release/bench-tonic"), "127.0.0.1:0"]

    def client_command(self):
        return [str(self.folder / "release/bench-tonic-client")]

    def check_command(self):
        return [str(self.folder / "release/bench-tonic-check")]

    def versions(self):
        lock = self.source / "Cargo.lock"
        names = ("tonic", "hyper", "h2", "tokio")
        return ", ".join([f"{name} {locked(lock, name)}" for name in names] + [rustc()])


class Cpp(Server):
    """Debian's C++ gRPC."""

    name, title, library = "cpp", "C++, asynchronous", "grpc++"
    client_title = "C++, synchronous stub"

    @property
    def programs(self):
        """The programs, each with its source."""
        names = {"bench-cpp": "server.cc", "bench-cpp-client": "client.cc", "bench-cpp-check": "check.cc"}
        return {self.folder / name: source for name, source in names.items()}

    def is_built(self):
        """Whether the programs are newer than what they are made of."""
        sources = [PROTO, *self.source.iterdir()]
        newest = max(source.stat().st_mtime for source in sources)
        return all(program.is_file() and program.stat().st_mtime > newest for program in self.programs)

    def build(self):
        if self.is_built():
            return
        plugin = tool("grpc_cpp_plugin")
        flags = required(["pkg-config", "--cflags", "--libs", "grpc++", "protobuf"]).split()
        self.folder.mkdir(parents=True, exist_ok=True)
        protoc(f"--cpp_out={self.folder}", f"--grpc_out={self.folder}", f"--plugin=protoc-gen-grpc={plugin}")
        protoc(f"--cpp_out={self.folder}", protos=GOOGLE_RPC)
        generated = ["calc.pb.cc", "calc.grpc.pb.cc", *(name.replace(".proto", ".pb.cc") for name in GOOGLE_RPC)]
        # The messages and the stub once.
        compile_all = [tool("c++"), "-std=c++17", "-O2", f"-I{self.folder}", "-c"]
        for name in generated:
            required([*compile_all, str(self.folder / name), "-o", str(self.folder / name.replace("/", "-")) + ".o"])
        objects = [self.folder / (name.replace("/", "-") + ".o") for name in generated]
        for program, source in self.programs.items():
            sources = [self.source / source, *objects]
            output = ["-o", str(program)]
            required([tool("c++"), "-std=c++17", "-O2", f"-I{self.folder}", *map(str, sources), *flags, *output])

    def command(self):
        return [str(self.folder / "bench-cpp"), "127.0.0.1:0"]

    def client_command(self):
        return [str(self.folder / "bench-cpp-client")]

    def check_command(self):
        return [str(self.folder / "bench-cpp-check")]

    def versions(self):
        return f"grpc++ {said(['pkg-config', '--modversion', 'grpc++'])}, {said(['c++', '--version'])}"


class Go(Server):
    """Debian's grpc-go, whose packages are built without Go modules."""

    name, title, library = "go", "grpc-go", "grpc-go"
    client_title = "grpc-go"
    is_native = False
    packages = pathlib.Path("/usr/share/gocode")

    def build(self):
        if not (self.packages / "src/google.golang.org/grpc").is_dir():
            raise LeftOut("golang-google-grpc-dev is not installed")
        go = tool("go")
        # A package of the messages, and one for each program.
        messages = self.folder / "src/calc"
        names = {"bench-go": "server.go", "bench-go-client": "client.go", "bench-go-check": "check.go"}
        programs = {self.folder / "src" / name: source for name, source in names.items()}
        for folder in (messages, *programs):
            folder.mkdir(parents=True, exist_ok=True)
        names = ("google.golang.org/protobuf/cmd/protoc-gen-go", "github.com/golang/protobuf/protoc-gen-go")
        plugins = [name for name in names if (self.packages / "src" / name).is_dir()]
        if not plugins:
            raise LeftOut("protoc-gen-go's source is not installed")
        environment = {"GO111MODULE": "off", "GOFLAGS": "", "GOPATH": f"{self.folder}:{self.packages}"}
        environment["GOCACHE"] = str(self.folder / "cache")
        plugin = str(self.folder / "protoc-gen-go")
        required([go, "build", "-o", plugin, plugins[0]], environment)
        protoc(f"--plugin=protoc-gen-go={plugin}", f"--go_out=paths=source_relative,Mcalc.proto=calc:{messages}")
        for program, source in programs.items():
            shutil.copy(self.source / source, program)
            required([go, "build", "-o", str(self.folder / program.name), program.name], environment)

    def command(self):
        return [str(self.folder / "bench-go"), "127.0.0.1:0"]

    def client_command(self):
        return [str(self.folder / "bench-go-client")]

    def check_command(self):
        return [str(self.folder / "bench-go-check")]

    def versions(self):
        source = (self.packages / "src/google.golang.org/grpc/version.go").read_text()
        version = first(r'Version = "([^"]+)"', source)
        return f"grpc-go {version}, {' '.join(said(['go', 'version']).split()[2:3])}"


class Node(Server):
    name, title, library = "node", "grpc-js", "@grpc/grpc-js"
    programs = ["server.js", "client.js", "check.js", "details.js"]
    client_title = "grpc-js"
    is_native = False

    def build(self):
        node, npm = tool("node"), tool("npm")
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", *self.programs):
            shutil.copy(self.source / name, self.folder)
        lock, installed = self.folder / "package-lock.json", self.folder / "node_modules/installed-lock.json"
        if not installed.is_file() or installed.read_bytes() != lock.read_bytes():
            required([npm, "ci", "--prefix", str(self.folder), "--ignore-scripts", "--no-audit", "--no-fund"])
            shutil.copy(lock, installed)
        for program in self.programs:
            required([node, "--check", str(self.folder / program)])

    def command(self):
        return ["node", str(self.folder / "server.js"), "127.0.0.1:0", str(PROTO), str(KIT_PROTOS)]

    def client_command(self):
        return ["node", str(self.folder / "client.js"), str(PROTO)]

    def check_command(self):
        return ["node", str(self.folder / "check.js"), str(PROTO), str(KIT_PROTOS)]

    def versions(self):
        package = (self.folder / "node_modules/@grpc/grpc-js/package.json").read_text()
        version = first(r'"version": "([^"]+)"', package)
        return f"grpc-js {version}, Node.js {said(['node', '--version'])}"


class Python(Server):
    """examples/python/server.py, with the Python that runs this program."""

    name, title, library = "python", "Python", "grpcio (PyPI)"
    client_title = "Python"
    is_native = False

    @property
    def environment(self):
        return {"PYTHONPATH": os.environ.get("CALC_PYTHON_STUBS", str(TARGET / "python/stubs"))}

    def command(self):
        return [sys.executable, str(ROOT / "examples/python/server.py"), "127.0.0.1:0"]

    def client_command(self):
        return [sys.executable, str(self.source / "client.py")]

    def check_command(self):
        return [sys.executable, str(self.source / "check.py")]

    def versions(self):
        library = said([sys.executable, "-c", "import grpc; print(grpc.__version__)"])
        return f"grpcio {library} (PyPI), Python {sys.version.split()[0]}"


# The first is the one that the others are compared with.
ALL = [Calc(), Grpcio(), Tonic(), Cpp(), Go(), Node(), Python()]


def cargo_build(source, target, environment=None):
    command = [tool("cargo"), "build", "--release", "--locked", "--manifest-path", str(source / "Cargo.toml")]
    # Runs in the project's root, where Cargo finds .cargo/config.toml.
    required([*command, "--target-dir", str(target)], environment)


def protoc(*arguments, protos=(PROTO.name,)):
    required([tool("protoc"), f"-I{PROTO.parent}", f"-I{KIT_PROTOS}", *arguments, *protos])


def tool(name):
    path = shutil.which(name)
    if not path:
        raise LeftOut(f"{name} is not installed")
    return path


def required(command, environment=None):
    """Runs a step of a build, and returns its output."""
    try:
        ran = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LeftOut(str(error)) from error
    if ran.returncode != 0:
        # The reason is mostly at the end.
        lines = (ran.stderr or ran.stdout).strip().splitlines()[-8:]
        raise LeftOut(f"{pathlib.Path(command[0]).name} failed: {' / '.join(lines)}")
    return ran.stdout


def said(command, or_else="?"):
    """The first line that a command prints."""
    try:
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return or_else
    return ran.stdout.splitlines()[0].strip() if ran.returncode == 0 and ran.stdout.strip() else or_else


def rustc():
    return " ".join(said(["rustc", "--version"]).split()[:2])


def locked(lock, package):
    """The version of a package in a Cargo.lock."""
    return first(rf'name = "{re.escape(package)}"\nversion = "([^"]+)"', lock.read_text())


def first(pattern, text):
    match = re.search(pattern, text)
    if not match:
        raise Failed(f"the pattern {pattern} does not match")
    return match[1]
