"""A cell of the matrix: a server, a client and a transport."""

import subprocess

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from process import Failed, Process, server_environment

TRANSPORTS = ["clear text", "TLS", "mutual TLS"]

# The lines that a client prints, in this order; an error ends it with its reason on standard error.
CHECKS = [
    # The four methods: 20 and 10, and 10 / 2.
    "calls",
    # An overflow and a division by zero: code, message and google.rpc details.
    "errors",
    # 10,000 calls that are in flight together, as far as the library and its threads allow, each with its own result.
    "concurrency",
    # A call without its request, which ends at its deadline; the connection goes on.
    "deadline",
    # Another, which the client cancels when the server has its headers; the connection goes on.
    "cancellation",
]
CALLS = 10_000
# Of the flag --refused: the server or the client does not accept the other's certificate.
REFUSED = ["refused"]

# The timeout of a client program: its checks take a few seconds.
PATIENCE_SECONDS = 90


def certificates(folder):
    """Writes certificates and keys. Returns the paths by name: the CA, the server's and client's, and another CA."""
    ca, files = trustme.CA(), {}

    def put(name, content):
        files[name] = str(folder / name)
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)

    put("ca", ca.cert_pem.bytes())
    put("other-ca", trustme.CA().cert_pem.bytes())
    for name in ("server", "client"):
        issued = ca.issue_cert("localhost", "127.0.0.1", common_name=name)
        put(f"{name}.crt", b"".join(part.bytes() for part in issued.cert_chain_pems))
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        # The form that every library reads.
        put(f"{name}.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def server_flags(server, transport, files):
    """The flags of a server for a transport."""
    flags = []
    if transport != "clear text":
        flags += [server.tls_flags["cert"], files["server.crt"], server.tls_flags["key"], files["server.key"]]
    if transport == "mutual TLS":
        flags += [server.tls_flags["client_ca"], files["ca"]]
    return flags


def client_runs(transport, files):
    """The flags of a client for a transport and the lines that it must print, for each of its runs."""
    trust = ["--ca", files["ca"]]
    if transport == "clear text":
        return [([], CHECKS)]
    if transport == "TLS":
        return [(trust, CHECKS), (["--ca", files["other-ca"], "--refused"], REFUSED)]
    pair = ["--cert", files["client.crt"], "--key", files["client.key"]]
    return [([*trust, *pair], CHECKS), ([*trust, "--refused"], REFUSED)]


def run(server, client, transport, files):
    """Runs a cell. Raises Failed with the output of its programs."""
    command = [*server.command(), *server_flags(server, transport, files)]
    try:
        with Process(command, server.environment) as process:
            target = process.wait_for_target()
            for flags, lines in client_runs(transport, files):
                check(client, target, flags, lines, process)
    except OSError as error:
        raise Failed(str(error)) from error


def check(client, target, flags, lines, process):
    """Runs a client program, and checks what it prints."""
    command = [*client.check_command(), target, *flags]
    try:
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=server_environment() | (client.environment or {}),
            timeout=PATIENCE_SECONDS,
        )
        ended, printed, errors = f"exit code {ran.returncode}", ran.stdout, ran.stderr
    except subprocess.TimeoutExpired as hung:
        ended, printed, errors = str(hung), (hung.stdout or b"").decode(), (hung.stderr or b"").decode()
    if ended != "exit code 0" or printed.split() != lines or not process.is_running():
        output = "\n".join(errors.strip().splitlines()[-15:])
        raise Failed(
            f"{' '.join(flags)}: {ended}; it passed {printed.split()} of {lines}\n{output}\n"
            f"server ({'running' if process.is_running() else 'ended'}): {process.output()}"
        )
