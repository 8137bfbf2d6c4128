"""A copy of a Debian, booted under systemd in a container with a network of its own."""

import pathlib
import subprocess
import time

# The bound on everything that is waited for, in seconds.
PATIENCE = 120


class Container:
    def __init__(self, root, folder):
        self.root, self.folder = folder / "root", folder
        subprocess.run(["cp", "--archive", "--reflink=auto", root, self.root], check=True)

    def __enter__(self):
        self.log = open(self.folder / "console", "w+")
        command = ["systemd-nspawn", "--quiet", "--boot", "--private-network", "--register=no", "--keep-unit"]
        self.process = subprocess.Popen(
            [*command, f"--directory={self.root}"],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self.init = self.wait_for(self.first_process, "a first process")
            # Some of Debian's units cannot run in a container.
            self.wait_for(lambda: self.state() in ("running", "degraded"), "systemd to have started")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None and hasattr(self, "init"):
            subprocess.run([*self.enter, "systemctl", "poweroff"], capture_output=True)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not (value := condition()):
            assert self.process.poll() is None and time.monotonic() < end, f"waited for {what}: {self.console()}"
            time.sleep(0.05)
        return value

    def console(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def first_process(self):
        """The container's process 1, by its number here."""
        for child in pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            if pathlib.Path(f"/proc/{child}/comm").read_text().strip() in ("systemd", "init"):
                return child
        return None

    def state(self):
        ran = subprocess.run([*self.enter, "systemctl", "is-system-running"], capture_output=True, text=True)
        return ran.stdout.strip()

    @property
    def enter(self):
        return ["nsenter", f"--target={self.init}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd=/", "env"]

    def run(self, *command):
        """Runs a command in the container, which must succeed, and returns its output."""
        ran = self.start(*command)
        assert ran.returncode == 0, f"{' '.join(command)}: {ran.returncode}\n{ran.stdout}{ran.stderr}{self.journal()}"
        return ran.stdout

    def fails(self, *command):
        return self.start(*command).returncode != 0

    def start(self, *command):
        environment = ["--ignore-environment", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]
        return subprocess.run([*self.enter, *environment, *command], capture_output=True, text=True, timeout=PATIENCE)

    def journal(self):
        command = [*self.enter, "journalctl", "--no-pager", "--lines=30", "--unit=calc*"]
        return subprocess.run(command, capture_output=True, text=True).stdout

    def network(self, *command):
        """A command line with the programs and files outside, and the network inside."""
        return ["nsenter", f"--target={self.init}", "--net", *map(str, command)]

    def in_network(self, *command):
        ran = subprocess.run(self.network(*command), capture_output=True, text=True, timeout=PATIENCE)
        assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
        return ran.stdout
