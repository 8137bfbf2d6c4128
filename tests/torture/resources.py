"""What a server takes from its system runs out: file descriptors, memory, and room for its log."""

import contextlib
import os
import resource
import socket
import time

import grpc

from faults import MIB, fault
from hostile_frames import varint
from servers import wait_until

FILES = 100
CONNECTIONS = 400


def few_files():
    return {"preparation": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))}


# Callers that come while there are none wait in the kernel's queue; that is what their timeout is for.
@fault("file descriptors run out", process=few_files, new=0.5, p99=15, quick=True)
def descriptors(scene):
    host, port = scene.target.rsplit(":", 1)
    with contextlib.ExitStack() as connections:
        for _ in range(CONNECTIONS):
            connections.enter_context(socket.create_connection((host, int(port)), 20))
        assert wait_until(lambda: scene.server.descriptors() >= FILES - 8), "the descriptors do not run out"
        most = scene.server.descriptors()
        time.sleep(scene.seconds)
    return f"RLIMIT_NOFILE {FILES}, and {CONNECTIONS} idle connections", f"used {most}, and let new connections wait"


# Memory is refused to whoever asks for it.
@fault("memory near the quota", arguments=["--memory-quota", str(16 * MIB)], kept=0.0, new=0.0, p99=15, quick=True)
def quota(scene):
    request = b"\x7a" + varint(3_000_000) + bytes(3_000_000)
    options, codes, pending = [("grpc.use_local_subchannel_pool", 1)], {}, []
    channels = [grpc.insecure_channel(scene.target, options) for _ in range(40)]
    for _ in scene.until_end():
        pending = [channel.unary_unary("/calc.Calculator/Add").future(request, timeout=5) for channel in channels]
        for call in pending:
            codes[call.code().name] = codes.get(call.code().name, 0) + 1
    for channel in channels:
        channel.close()
    answers = ", ".join(f"{name} {count}" for name, count in sorted(codes.items()))
    return "a quota of 16 MiB, and 40 clients with requests of 3 MB each at the same time", f"answered {answers}"


def drop_lines(scene):
    """Waits until lines of the access log are lost."""
    lost = lambda: scene.server.metric("calc_log_lines_dropped_total") > 0
    assert wait_until(lost), "no line is lost"
    for _ in scene.until_end():
        time.sleep(0.05)
    return f"counted {scene.server.metric('calc_log_lines_dropped_total'):.0f} lost lines"


LOGGED = ["--access-log", "1"]


@fault("full disk under the log", LOGGED, process=lambda: {"stderr": open("/dev/full", "wb")}, quick=True)
def full_disk(scene):
    return "standard error is /dev/full (ENOSPC); each call is logged", drop_lines(scene)


def small_files():
    # A JSON notice would not matter: what counts is a write beyond the limit, which raises SIGXFSZ.
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return {"preparation": limit}


@fault("file size limit under the log", LOGGED, process=small_files, quick=True)
def file_size(scene):
    return "RLIMIT_FSIZE 4096 (EFBIG, SIGXFSZ); each call is logged", drop_lines(scene)


def closed():
    return {"preparation": lambda: os.close(2)}


@fault("standard error closed", LOGGED, process=closed, quick=True)
def closed_stderr(scene):
    for _ in scene.until_end():
        time.sleep(0.05)
    return "started without standard error; each call is logged", "served"


def without_reader():
    reader, writer = os.pipe()
    os.close(reader)
    return {"stderr": os.fdopen(writer, "wb")}


@fault("reader of the log gone", LOGGED, process=without_reader, quick=True)
def gone_reader(scene):
    return "standard error is a pipe without a reader (EPIPE); each call is logged", drop_lines(scene)


def with_stuck_reader():
    reader, writer = os.pipe()
    # It stays open for as long as the process lives, and nobody reads it.
    os.set_inheritable(reader, False)
    with contextlib.suppress(BlockingIOError):
        os.set_blocking(writer, False)
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    return {"stderr": os.fdopen(writer, "wb")}


@fault("reader of the log stuck", LOGGED, process=with_stuck_reader, quick=True)
def stuck_reader(scene):
    for _ in scene.until_end():
        time.sleep(0.05)
    return "standard error is a full pipe that nobody reads; each call is logged", "served"
