"""Three replicas with mutual TLS, on the ports of the configurations in deploy/."""

import contextlib
import tempfile

import trustme
from servers import Server

COUNT = 3


def certificates(folder):
    """Writes the files of deploy/ to `folder`/tls, and returns `folder`."""
    tls, ca = folder / "tls", trustme.CA()
    tls.mkdir()

    def put(name, *blobs):
        (tls / name).write_bytes(b"".join(blob.bytes() for blob in blobs))
        (tls / name).chmod(0o600)

    put("ca.crt", ca.cert_pem)
    for name in ("server", "client", "replica"):
        issued = ca.issue_cert("localhost", "127.0.0.1", common_name=name)
        put(f"{name}.crt", *issued.cert_chain_pems)
        put(f"{name}.key", issued.private_key_pem)
        put(f"{name}.pem", *issued.cert_chain_pems, issued.private_key_pem)
    return folder


class Replica(Server):
    def __init__(self, program, number, files):
        self.target, metrics = f"127.0.0.1:{50050 + number}", f"127.0.0.1:{9090 + number}"
        self.metrics_url = f"http://{metrics}/metrics"
        tls = ["--tls-cert", files / "tls/replica.crt", "--tls-key", files / "tls/replica.key"]
        tls += ["--tls-client-ca", files / "tls/ca.crt"]
        self.command = [program, "serve", "--listen", self.target, "--metrics", metrics, "--drain-delay", "3", *tls]
        self.preparation, self.stderr, self.log = None, None, tempfile.TemporaryFile()
        self.start()

    def restart(self):
        """After its process has ended."""
        self.process.stdout.close()
        self.start()


@contextlib.contextmanager
def replicas(program, files):
    with contextlib.ExitStack() as stack:
        three = []
        for number in range(1, COUNT + 1):
            three.append(Replica(program, number, files))
            stack.callback(three[-1].kill)
        yield three
