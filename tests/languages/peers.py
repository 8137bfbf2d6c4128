"""The libraries of the matrix: those that script/bench measures too, and more."""

import sys

import servers
from servers import Calc, Cpp, Go, Node, Python, Tonic, said


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


CALC = Ours()
ALL = [PythonSync(), PythonAio(), Grpclib(), Go(), Cpp(), Node(), Tonic()]
