"""What a balancer must do: each function is a case, whose title is its docstring, and returns what was measured."""

import json
import signal
import subprocess
import threading
import time

from attack import Attack
from servers import wait_until

# Calls per second of the load.
RATE = 5_000
AT_RATE = (f"--rate={RATE}", "--duration=600")
CALCULATIONS = 2_000_000


class Load:
    """`calc bench` with RATE calls a second, each of them verified."""

    def __init__(self, program, balancer, *arguments):
        command = [program, "bench", *balancer.client, *balancer.retries, "--quiet", "--format=json"]
        command += ["--connections=4", "--timeout=15"]
        self.process = subprocess.Popen([*map(str, command), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def end(self):
        """Ends it, and returns its report, without failures."""
        self.process.terminate()
        return self.report()

    def report(self):
        output, errors = self.process.communicate(timeout=30)
        assert output, errors
        report = json.loads(output)
        lost = {name: report[name] for name in ("failed", "not_sent") if report[name]}
        assert not lost, f"{lost}: {report['errors']} {report['wrong_answers']}"
        return report


def summary(report):
    rate, p99 = report["succeeded_per_s"], report["latency_us"]["p99"] / 1000
    return f"{report['succeeded']:,} calls, {rate:,.0f} a second, none failed; p99 {p99:,.0f} ms"


def received(server):
    """The calls that have reached a replica."""
    return server.metric("grpc_server_started_total")


def arrived(server):
    """RPCs so far, with those that ended before they reached their method."""
    return server.metric("grpc_server_core_started_total")


def wait_for_calls(replica):
    """Waits until a replica that was started again has its share of the load."""
    before = received(replica)
    assert wait_until(lambda: received(replica) > before + RATE / 10), "the replica receives no calls again"


def calculates(program, replicas, balancer, seconds):
    """a call over TLS, and over mutual TLS"""
    add = lambda client: subprocess.run([program, "add", "20", "10", *client], capture_output=True, text=True, timeout=60)
    for client in (balancer.client, balancer.mutual_client):
        output = add(client)
        assert output.stdout == "30\n", output
    output = add(balancer.stranger)
    assert output.returncode != 0 and not output.stdout, output
    return "30; refused without a certificate"


def spreads(program, replicas, balancer, seconds):
    """how calls are spread"""
    before = [received(server) for server in replicas]
    with Load(program, balancer, f"--duration={seconds}") as load:
        load.report()
    counts = [received(server) - start for server, start in zip(replicas, before)]
    mean = sum(counts) / len(counts)
    assert all(abs(count - mean) <= mean / 10 for count in counts), counts
    return " / ".join(f"{count / sum(counts):.1%}" for count in counts)


def survives_kill(program, replicas, balancer, seconds):
    """`kill -9` of a replica"""
    with Load(program, balancer, *AT_RATE) as load:
        time.sleep(seconds / 3)
        replicas[0].signal(signal.SIGKILL)
        replicas[0].process.wait()
        time.sleep(seconds / 3)
        replicas[0].restart()
        wait_for_calls(replicas[0])
        return summary(load.end())


def survives_rolling_restart(program, replicas, balancer, seconds):
    """SIGTERM to each replica in turn, and started again"""
    with Load(program, balancer, *AT_RATE) as load:
        time.sleep(seconds / 3)
        for replica in replicas:
            assert replica.terminate() == 0, replica.logged()
            replica.restart()
            wait_for_calls(replica)
        return summary(load.end())


def survives_rapid_reset(program, replicas, balancer, seconds):
    """rapid reset, beside the load"""
    if not balancer.attacked:
        return "–"
    before = sum(map(arrived, replicas))
    with Load(program, balancer, *AT_RATE) as load:
        with Attack(balancer.attacked, balancer.files / "tls/ca.crt") as attack:
            time.sleep(seconds)
        report = load.end()
    # With the health checks of the balancer, which are a few.
    reached = max(0, sum(map(arrived, replicas)) - before - report["succeeded"])
    streams = f"{attack.streams:,} streams reset on {attack.connections:,} connections"
    return f"{streams}, of which {reached:,.0f} reached a replica; {summary(report)}"


def keeps_a_stream(program, replicas, balancer, seconds):
    """a stream of 2 million calculations, while every replica drains"""
    lines = "".join(f"{number},1\n" for number in range(CALCULATIONS))
    command = [program, "batch", "add", *balancer.client, "--timeout=60"]
    batch = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    output = []
    reader = threading.Thread(target=lambda: output.append(batch.stdout.read()))
    reader.start()
    batch.stdin.write(lines[: len(lines) // 2])
    batch.stdin.flush()
    for replica in replicas:
        replica.signal(signal.SIGTERM)
    # After the drain delay: the clients of the replicas have GOAWAY.
    for replica in replicas:
        assert wait_until(lambda: "draining; in-flight RPCs" in replica.logged()), replica.logged()
    batch.stdin.write(lines[len(lines) // 2 :])
    batch.stdin.close()
    reader.join(120)
    assert batch.wait(60) == 0
    assert output[0].splitlines() == [f"{number + 1}," for number in range(CALCULATIONS)]
    for replica in replicas:
        assert replica.process.wait(60) == 0, replica.logged()
        replica.restart()
    return f"{CALCULATIONS:,} results, all right; each replica exited with 0"


CASES = [calculates, spreads, survives_kill, survives_rolling_restart, survives_rapid_reset, keeps_a_stream]
