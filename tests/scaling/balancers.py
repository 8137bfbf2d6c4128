"""The balancers: those of deploy/, and none but the client's own."""

import pathlib
import shutil
import socket
import subprocess
import tempfile

from servers import wait_until

DEPLOY = pathlib.Path(__file__).parent.parent.parent / "deploy"
# Of the configurations.
TLS, MUTUAL_TLS = "127.0.0.1:50443", "127.0.0.1:50444"


class Balancer:
    """A program with a configuration of deploy/ in `files`, where its certificates are."""

    # The command, with {} for the folder.
    command = ()
    name = ""

    def __init__(self, files):
        self.files = files
        shutil.copytree(DEPLOY / self.name, files, dirs_exist_ok=True)

    def __enter__(self):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [part.format(self.files) for part in self.command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )
        assert wait_until(self.accepts), f"{self.name} does not start: {self.logged()}"
        return self

    def accepts(self):
        host, port = MUTUAL_TLS.split(":")
        with socket.socket() as probe:
            return self.process.poll() is None and probe.connect_ex((host, int(port))) == 0

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

    def logged(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-3000:]

    # The arguments of calc's client with TLS, and with mutual TLS.
    @property
    def client(self):
        return ["--target", TLS, "--tls-ca", self.files / "tls/ca.crt"]

    @property
    def mutual_client(self):
        pair = ["--tls-cert", self.files / "tls/client.crt", "--tls-key", self.files / "tls/client.key"]
        return ["--target", MUTUAL_TLS, "--tls-ca", self.files / "tls/ca.crt", *pair]

    # Of a client without a certificate, where mutual TLS needs one.
    @property
    def stranger(self):
        return ["--target", MUTUAL_TLS, "--tls-ca", self.files / "tls/ca.crt"]

    # Whether the load's client must retry UNAVAILABLE.
    retries = ()
    # Where an attacker of the balancer's HTTP/2 connects.
    attacked = TLS


class HaProxy(Balancer):
    name, command = "haproxy", ("haproxy", "-db", "-C", "{}", "-f", "haproxy.cfg")


class Nginx(Balancer):
    # It does not send a gRPC request twice.
    retries = ("--retry",)
    name, command = "nginx", ("nginx", "-p", "{}", "-c", "nginx.conf", "-g", "daemon off;")


class RoundRobin(Balancer):
    """calc's client, which connects to every replica."""

    def __init__(self, files):
        self.files = files

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def logged(self):
        return ""

    @property
    def client(self):
        pair = ["--tls-cert", self.files / "tls/client.crt", "--tls-key", self.files / "tls/client.key"]
        return [*self.stranger, *pair]

    @property
    def stranger(self):
        target = "ipv4:127.0.0.1:50051,127.0.0.1:50052,127.0.0.1:50053"
        tls = ["--tls-ca", self.files / "tls/ca.crt", "--tls-server-name", "localhost"]
        return ["--target", target, "--load-balancing", "round_robin", *tls]

    mutual_client = client
    retries = ("--retry",)
    attacked = None


BALANCERS = {"HAProxy": HaProxy, "nginx": Nginx, "round_robin": RoundRobin}
