"""The footprint of a server: memory at rest and per connection, and the time to the first reply."""

import contextlib
import dataclasses
import resource
import time

from connection import Connection
from figures import Spread
from process import settled_bytes

CONNECTIONS = 1_000


@dataclasses.dataclass(frozen=True)
class Footprint:
    """Bytes, and milliseconds."""

    # After the start, before any connection.
    idle: int
    # Of each further connection: after its handshake, and after its first call.
    connection: float
    connection_after_call: float
    # From exec to the first reply.
    first_call: Spread


def measure(server, starts):
    allow_files(3 * CONNECTIONS)
    idle, connection, connection_after_call = memory(server)
    first_call = Spread.of([first_call_ms(server) for _ in range(starts)])
    return Footprint(idle, connection, connection_after_call, first_call)


def memory(server):
    with server.start() as process:
        target = process.wait_for_target()
        idle = settled_bytes(process.pid)
        # The first connection and the first call allocate what all later ones share.
        with contextlib.closing(Connection(target)) as first:
            first.add()
        before = settled_bytes(process.pid)
        with contextlib.ExitStack() as opened:
            connections = []
            for _ in range(CONNECTIONS):
                connections.append(opened.enter_context(contextlib.closing(Connection(target))))
                connections[-1].settle()
            after_handshake = settled_bytes(process.pid)
            for connection in connections:
                connection.add()
            after_call = settled_bytes(process.pid)
    return idle, (after_handshake - before) / CONNECTIONS, (after_call - before) / CONNECTIONS


def first_call_ms(server):
    with server.start() as process:
        with contextlib.closing(Connection(process.wait_for_target())) as connection:
            connection.add()
            return (time.monotonic() - process.began) * 1000


def allow_files(count):
    """Raises the limit of open files, for this process and the servers that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        enough = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
