"""Runs calc's container image with a root that is read-only, as a user without capabilities, and calls it.

    python tests/image STUBS PODMAN...

STUBS is the folder of Python's stubs of protos/, PODMAN the command that has the image `calc`. script/image prepares that.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import trustme

# The bound on everything that is waited for, in seconds.
PATIENCE = 60

# Without a network, so that no port is taken; with limits that any machine lets Podman set.
UNPRIVILEGED = [
    *["--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=none"],
    *["--cgroups=disabled", "--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096"],
]


class Server:
    """A container of the image, which is gone at the end of the block."""

    def __init__(self, podman, options=()):
        self.podman, self.options = podman, options

    def __enter__(self):
        self.name = self.run("run", "--detach", *UNPRIVILEGED, *self.options, "calc").strip()
        try:
            self.wait_for(lambda: self.check() == 0, "the server to be healthy")
            self.pid = int(self.inspect("container", self.name)["State"]["Pid"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.start("rm", "--force", "--time=1", self.name)

    def start(self, *args):
        return subprocess.run([*self.podman, *args], capture_output=True, text=True, timeout=PATIENCE)

    def run(self, *args):
        ran = self.start(*args)
        assert ran.returncode == 0, f"podman {' '.join(args)}: {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def inspect(self, kind, name):
        return json.loads(self.run(kind, "inspect", name))[0]

    def check(self):
        """Runs the image's own check: 0 if the server is healthy."""
        return self.start("healthcheck", "run", self.name).returncode

    def log(self):
        logged = self.start("logs", self.name)
        return logged.stdout + logged.stderr

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"waited for {what}: {self.log()}"
            time.sleep(0.05)


def has_no_privileges(server, stubs):
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == fields["Gid"].split() == ["65532"] * 4, status
    assert int(fields["CapEff"], 16) == 0 and fields["NoNewPrivs"] == "1", status


def has_no_shell(server, stubs):
    for shell in ("sh", "/bin/sh", "/usr/bin/bash", "/busybox/sh"):
        assert server.start("exec", server.name, shell, "-c", "exit 0").returncode != 0, shell


def answers_python(server, stubs):
    # The network is the container's; the program and its files are not.
    client = ["nsenter", f"--target={server.pid}", "--net", sys.executable, "examples/python/client.py"]
    ran = subprocess.run(client, capture_output=True, text=True, timeout=PATIENCE, env=os.environ | {"PYTHONPATH": stubs})
    assert ran.stdout == "30\n10\n200\n5.0\n", ran


def is_unhealthy_while_it_does_not_answer(server, stubs):
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert server.check() == 1
    finally:
        os.kill(server.pid, signal.SIGCONT)
    server.wait_for(lambda: server.check() == 0, "the server to be healthy again")


def stops_when_it_is_told_to(server, stubs):
    server.run("stop", "--time=30", server.name)
    assert server.inspect("container", server.name)["State"]["ExitCode"] == 0, server.log()
    assert "shut down; all RPCs finished" in server.log(), server.log()


def is_healthy_with_tls(podman):
    """The variables of the client are those that docs/operations.md names."""
    authority = trustme.CA()
    certificate = authority.issue_cert("calc.example.com")
    with tempfile.TemporaryDirectory() as folder:
        authority.cert_pem.write_to_path(f"{folder}/ca.crt")
        certificate.cert_chain_pems[0].write_to_path(f"{folder}/tls.crt")
        certificate.private_key_pem.write_to_path(f"{folder}/tls.key")
        os.chmod(f"{folder}/tls.key", 0o600)
        for path in (folder, f"{folder}/tls.key"):
            os.chown(path, 65532, 65532)
        variables = {"LISTEN": "127.0.0.1:1443", "TLS_CERT": "/tls/tls.crt", "TLS_KEY": "/tls/tls.key"}
        variables |= {"TARGET": "127.0.0.1:1443", "CLIENT_TLS_CA": "/tls/ca.crt", "CLIENT_TLS_SERVER_NAME": "calc.example.com"}
        options = [f"--volume={folder}:/tls:ro", *(f"--env=CALC_{key}={value}" for key, value in variables.items())]
        with Server(podman, options) as server:
            stops_when_it_is_told_to(server, None)


def main():
    stubs, *podman = sys.argv[1:]
    with Server(podman) as server:
        for test in [
            has_no_privileges,
            has_no_shell,
            answers_python,
            is_unhealthy_while_it_does_not_answer,
            stops_when_it_is_told_to,
        ]:
            test(server, stubs)
            passed(test)
    is_healthy_with_tls(podman)
    passed(is_healthy_with_tls)


def passed(test):
    print(f"{test.__name__.replace('_', ' ')}: passed", flush=True)


if __name__ == "__main__":
    main()
