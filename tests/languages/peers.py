"""The libraries of the matrix: those that script/bench measures too, and more."""

import pathlib
import shutil
import sys

import servers
from servers import Calc, Cpp, Go, Node, Python, Server, Tonic, protoc, required, said, tool


class Ours(Calc):
    """`calc serve`, and benches/client/check.rs on calc's blocking and asynchronous clients."""

    title = "calc"
    tls_flags = {"cert": "--tls-cert", "key": "--tls-key", "client_ca": "--tls-client-ca"}

    def check_command(self):
        return [str(servers.TARGET / "release/check-client")]

    def versions(self):
        return super().versions().partition(" (")[0] + ", " + super().versions().partition("), ")[2]


class PythonLibrary(Python):
    """A server and a client in benches/peers/python."""

    def command(self):
        return [sys.executable, str(servers.PEERS / f"python/{self.name}_server.py"), "127.0.0.1:0"]

    def check_command(self):
        return [sys.executable, str(servers.PEERS / f"python/{self.name}_check.py")]


class PythonAio(PythonLibrary):
    name, title = "aio", "Python, grpcio, asyncio"


class Grpclib(PythonLibrary):
    name, title = "grpclib", "Python, grpclib"

    def versions(self):
        versions = "import grpclib, h2; print(f'grpclib {grpclib.__version__}, h2 {h2.__version__}')"
        return f"{said([sys.executable, '-c', versions])}, Python {sys.version.split()[0]}"


class PythonSync(Python):
    title = "Python, grpcio, synchronous"


class Ruby(Server):
    name, title = "ruby", "Ruby"

    @property
    def environment(self):
        return {"RUBYLIB": str(self.folder)}

    def build(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        protoc(f"--ruby_out={self.folder}", protos=[servers.PROTO.name, *servers.GOOGLE_RPC])
        required([tool("ruby"), str(self.source / "contract.rb")], self.environment)

    def command(self):
        return ["ruby", str(self.source / "server.rb"), "127.0.0.1:0"]

    def check_command(self):
        return ["ruby", str(self.source / "check.rb")]

    def versions(self):
        version = said(["ruby", "-rgrpc", "-e", "puts GRPC::VERSION"])
        return f"grpc {version}, {' '.join(said(['ruby', '--version']).split()[:2])}"


class Java(Server):
    """Debian's grpc-java. Its generator of stubs needs annotations that its JDK no longer has, and its Netty has ALPN with
    OpenSSL only."""

    name, title = "java", "Java"
    jars = ["grpc-api", "grpc-context", "grpc-core", "grpc-netty", "grpc-protobuf", "grpc-protobuf-lite", "grpc-stub"]
    jars += ["guava", "jsr305", "opencensus-api", "perfmark-api", "protobuf"]
    netty = ["buffer", "codec", "codec-http", "codec-http2", "codec-socks", "common", "handler", "handler-proxy"]
    netty += ["resolver", "tcnative", "transport", "transport-native-epoll", "transport-native-unix-common"]
    jars += [f"netty-{name}" for name in netty]

    @property
    def classpath(self):
        return ":".join([str(self.folder), *(f"/usr/share/java/{name}.jar" for name in self.jars)])

    def build(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        protoc(f"--java_out={self.folder}", protos=[servers.PROTO.name, *servers.GOOGLE_RPC])
        sources = [*self.folder.rglob("*.java"), *self.source.iterdir()]
        # Netty wants another name than Debian gives the library, and follows links.
        library = next(pathlib.Path("/usr/lib").glob("*/jni/libnetty-tcnative.so"))
        shutil.copy(library, self.folder / "libnetty_tcnative.so")
        required([tool("javac"), "-nowarn", "-d", str(self.folder), "-cp", self.classpath, *map(str, sources)])

    @property
    def java(self):
        return ["java", f"-Djava.library.path={self.folder}", "-cp", self.classpath]

    def command(self):
        return [*self.java, "Server", "127.0.0.1:0"]

    def check_command(self):
        return [*self.java, "Check"]

    def versions(self):
        jar = pathlib.Path("/usr/share/java/grpc-core.jar").resolve().stem
        return f"grpc-java {jar.rpartition('-')[2]}, Java {said(['javac', '--version']).split()[-1]}"


CALC = Ours()
ALL = [PythonSync(), PythonAio(), Grpclib(), Go(), Cpp(), Node(), Tonic(), Ruby(), Java()]
