"""Installs, upgrades, removes and purges calc's Debian package in a clean Debian under systemd.

    python tests/package PACKAGE ROOT CALC

PACKAGE is the .deb file; ROOT a folder with Debian and systemd, of which a copy is booted in a container without a network;
CALC the program, whose clients run outside of it. Needs root and systemd-nspawn. script/package --test prepares all that.
"""

import contextlib
import gzip
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from container import Container
from load import Load

TARGET = "127.0.0.1:50050"
TLS = {"CALC_LISTEN": TARGET, "CALC_TLS_CERT": "/etc/calc/tls/server.crt", "CALC_TLS_KEY": "/etc/calc/tls/server.key"}


def main():
    package, root, calc = map(pathlib.Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder, Container(root, pathlib.Path(folder)) as debian:
        for step in [install, check_units, serve_over_tls, upgrade, stop_after_a_long_drain, restart_when_stuck, remove, purge]:
            step(debian, package, calc)
            print(f"{step.__name__.replace('_', ' ')}: passed", flush=True)


def copy(debian, package, name="calc.deb"):
    (debian.root / name).write_bytes(package.read_bytes())
    return f"/{name}"


def install(debian, package, calc):
    debian.run("apt-get", "install", "--yes", "--quiet", copy(debian, package))
    # Active means that the server has said so.
    assert debian.run("systemctl", "is-active", "calc").strip() == "active"
    status = debian.run("systemctl", "show", "--property=StatusText,User,Type", "calc")
    assert f"StatusText=listening on {TARGET}" in status and "User=calc\n" in status and "Type=notify\n" in status, status
    assert debian.in_network(calc, "add", "20", "10", "--target", TARGET) == "30\n"
    listed = debian.run("calc", "--help").partition("SUBCOMMANDS:\n")[2].partition("\n\n")[0]
    commands = set(re.findall(r"^    (\w+) ", listed, re.MULTILINE)) - {"help"}
    assert "serve" in commands, listed
    pages = {"calc.1.gz", *(f"calc-{command}.1.gz" for command in commands)}
    assert pages <= {page.name for page in (debian.root / "usr/share/man/man1").iterdir()}, pages
    licences = gzip.decompress((debian.root / "usr/share/doc/calc/licences.gz").read_bytes()).decode()
    named = set(re.findall("^==== ([^/]+)/(.*/)?[^/]+ ====$", licences, re.MULTILINE))
    assert {"abseil-cpp", "upb"} <= {pathlib.Path(folder).name for _, folder in named}, named
    assert any(crate.startswith("protobuf-3.") for crate, _ in named), named
    debian.run("bash", "-n", "/usr/share/bash-completion/completions/calc")


def check_units(debian, package, calc):
    for unit in ("calc.service", "calc@.service"):
        verified = debian.start("systemd-analyze", "verify", "--man=no", f"/usr/lib/systemd/system/{unit}")
        assert verified.returncode == 0 and not verified.stderr, verified
        # In tenths, as the option has it: an exposure of 2.0 at most.
        debian.run("systemd-analyze", "security", "--no-pager", "--threshold=20", unit.replace("@", "@1"))


def configure(debian, settings, name="environment"):
    (debian.root / "etc/calc" / name).write_text("".join(f"{key}={value}\n" for key, value in settings.items()))


def serve_over_tls(debian, package, calc):
    tls = debian.root / "etc/calc/tls"
    tls.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", tls / "server.key", "-out", tls / "server.crt"],
        check=True,
        capture_output=True,
    )
    debian.run("chown", "-R", "root:calc", "/etc/calc/tls")
    debian.run("chmod", "0640", "/etc/calc/tls/server.key")
    configure(debian, TLS | {"CALC_METRICS": "127.0.0.1:9090"})
    debian.run("systemctl", "restart", "calc")
    with Load(debian, [TARGET], ca=tls / "server.crt") as load:
        load.wait_for_calls(100)
    # The sandbox hides nothing of /proc that a metric needs.
    metrics = debian.in_network("curl", "--silent", "--show-error", "--fail", "http://127.0.0.1:9090/metrics")
    started = re.search(r"^process_start_time_seconds (\S+)$", metrics, re.MULTILINE)
    assert started and time.time() - float(started[1]) < 600, started
    configure(debian, TLS)
    debian.run("systemctl", "restart", "calc")


def newer(package, folder):
    """The package again with a higher version, as if it had been built a second time."""
    unpacked = folder / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", package, unpacked], check=True)
    control = unpacked / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", r"\g<0>+again", control.read_text(), flags=re.MULTILINE))
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", unpacked, folder / "newer.deb"], check=True, capture_output=True)
    return folder / "newer.deb"


def upgrade(debian, package, calc):
    """Under load, of the service and of two instances; no call may be lost."""
    ca = debian.root / "etc/calc/tls/server.crt"
    instances = ["127.0.0.1:50051", "127.0.0.1:50052"]
    for number, target in enumerate(instances, 1):
        configure(debian, {"CALC_LISTEN": target}, f"{number}.environment")
        debian.run("systemctl", "enable", "--now", f"calc@{number}")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        loads = [stack.enter_context(Load(debian, targets, ca)) for targets in ([TARGET], instances)]
        for load in loads:
            load.wait_for_calls(1000)
        before = show(debian, "MainPID")
        debian.run("apt-get", "install", "--yes", "--quiet", copy(debian, newer(package, pathlib.Path(folder)), "newer.deb"))
        assert show(debian, "MainPID") != before, "the upgrade has not restarted the service"
        for number in (1, 2):
            debian.run("systemctl", "restart", f"calc@{number}")
        for load in loads:
            load.wait_for_calls(1000)
    assert "+again" in debian.run("dpkg-query", "--show", "calc")
    assert str(TARGET) in debian.run("cat", "/etc/calc/environment"), "the upgrade has replaced the configuration"


def show(debian, name, unit="calc"):
    return debian.run("systemctl", "show", "--value", f"--property={name}", unit).strip()


def override(debian, **settings):
    """Overrides settings of the unit, and restarts it."""
    folder = debian.root / "etc/systemd/system/calc.service.d"
    folder.mkdir(exist_ok=True)
    (folder / "test.conf").write_text("[Service]\n" + "".join(f"{key}={value}\n" for key, value in settings.items()))
    debian.run("systemctl", "daemon-reload")
    debian.run("systemctl", "restart", "calc")


def stop_after_a_long_drain(debian, package, calc):
    """The server asks for the time that its drain delay needs, whether systemd stops it or another program does."""
    configure(debian, TLS | {"CALC_DRAIN_DELAY": 8})
    for stop in (["systemctl", "stop", "calc"], ["sh", "-c", 'kill "$(systemctl show --value --property=MainPID calc)"']):
        override(debian, TimeoutStopSec=4)
        debian.run(*stop)
        debian.wait_for(lambda: show(debian, "ActiveState") in ("inactive", "failed"), "the service to stop")
        assert show(debian, "Result") == "success", debian.journal()


def restart_when_stuck(debian, package, calc):
    configure(debian, TLS)
    override(debian, WatchdogSec=5, TimeoutStopSec=5)
    before = show(debian, "MainPID")
    debian.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "calc")
    debian.wait_for(lambda: show(debian, "NRestarts") != "0" and show(debian, "ActiveState") == "active", "a new server")
    assert show(debian, "MainPID") != before and "Watchdog timeout" in debian.journal(), debian.journal()
    shutil.rmtree(debian.root / "etc/systemd/system/calc.service.d")
    debian.run("systemctl", "daemon-reload")


def remove(debian, package, calc):
    debian.run("systemctl", "disable", "--now", "calc@1", "calc@2")
    debian.run("apt-get", "remove", "--yes", "--quiet", "calc")
    assert debian.fails("systemctl", "is-active", "calc"), "the service runs without its program"
    assert not (debian.root / "usr/bin/calc").exists()
    assert (debian.root / "etc/calc/environment").exists(), "removal has deleted the configuration"


def purge(debian, package, calc):
    debian.run("apt-get", "purge", "--yes", "--quiet", "calc")
    assert not (debian.root / "etc/calc/environment").exists()
    assert debian.fails("id", "calc"), "the user is left over"
    assert not list((debian.root / "etc/systemd/system").rglob("calc*")), "a unit is enabled still"


if __name__ == "__main__":
    main()
