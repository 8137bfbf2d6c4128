"""The machine: CPU, memory, system, load."""

import os
import pathlib
import platform
import re

from process import PROC


def lines():
    """The machine, as lines of a list."""
    model = re.search(r"^model name\s*: (.*)", read("cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", read("meminfo"), re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="?([^"\n]*)', release(), re.MULTILINE)
    load = " ".join(read("loadavg").split()[:3])
    return [
        f"CPU: {model[1] if model else platform.machine()}, {os.cpu_count()} cores",
        f"Memory: {int(memory[1]) / 2**20:.1f} GiB" if memory else "Memory: unknown",
        f"System: {system[1] if system else 'Linux'}, kernel {platform.release()}",
        f"Load average before the start: {load}",
    ]


def read(name):
    try:
        return PROC.joinpath(name).read_text()
    except OSError:
        return ""


def release():
    try:
        return pathlib.Path("/etc/os-release").read_text()
    except OSError:
        return ""
