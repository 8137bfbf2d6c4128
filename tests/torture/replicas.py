"""Three replicas, one of which ends or stops. The callers retry UNAVAILABLE on another one."""

import signal
import time

from faults import MIB, fault
from servers import wait_until


def serves(server):
    """Whether calls reach the server."""
    before = server.metric("grpc_server_handled_total")
    return wait_until(lambda: server.metric("grpc_server_handled_total") > before + 10)


@fault("kill -9 of a replica", replicas=3, quick=True)
def kill(scene):
    scene.server.signal(signal.SIGKILL)
    scene.server.process.wait()
    time.sleep(scene.seconds)
    scene.server.process.stdout.close()
    scene.server.start()
    assert serves(scene.server), "the replica that was started again receives no calls"
    return f"SIGKILL to one of three, which was started again after {scene.seconds} s", "received calls again"


@fault("SIGTERM of each replica in turn", replicas=3, quick=True)
def terminate(scene):
    took = []
    for server in scene.servers:
        begin = time.monotonic()
        status = server.terminate()
        assert status == 0, f"after SIGTERM a replica exits with {status}: {server.logged()}"
        took.append(time.monotonic() - begin)
        server.process.stdout.close()
        server.start()
        assert serves(server), "the replica that was started again receives no calls"
    return "SIGTERM to one of three; started again; the next one", f"each exited with 0 within {max(took):.2f} s"


# A third of the calls waits for the replica; no connection ends, so nothing is retried.
@fault("SIGSTOP and SIGCONT of a replica", replicas=3, p99=6)
def stop(scene):
    scene.server.signal(signal.SIGSTOP)
    time.sleep(5)
    scene.server.signal(signal.SIGCONT)
    assert serves(scene.server), "the replica that was continued receives no calls"
    return "one of three stopped for 5 s, then continued", "its calls waited, and were answered when it continued"
