"""Calls the BatchCalculator of `calc serve` and checks its replies with Python's arithmetic.

    python tests/python/batch.py SCENARIO TARGET [PID]

PID is the server's process, for the scenario that measures its memory.
"""

import itertools
import pathlib
import random
import struct
import sys
import threading
import time

import calc_batch_pb2 as pb
import calc_batch_pb2_grpc
import grpc

from checks import PATIENCE, equal

ADD, SUBTRACT, MULTIPLY, DIVIDE = range(1, 5)
OUT_OF_RANGE, INVALID_ARGUMENT = 11, 3
MAX_ELEMENTS = 65536
EDGES = [-(2**31), -(2**31) + 1, -65536, -1, 0, 1, 46341, 65536, 2**31 - 2, 2**31 - 1]


def request(operation, n1, n2):
    return pb.BatchRequest(operation=operation, n1=n1, n2=n2)


def expected(operation, n1, n2):
    """Returns the bytes of the result, and the code."""
    if operation == DIVIDE:
        return (struct.pack("<f", n1 / n2), 0) if n2 else (bytes(4), INVALID_ARGUMENT)
    exact = {ADD: n1 + n2, SUBTRACT: n1 - n2, MULTIPLY: n1 * n2}[operation]
    return (struct.pack("<i", exact), 0) if -(2**31) <= exact < 2**31 else (bytes(4), OUT_OF_RANGE)


def check(message, reply):
    pairs = [expected(message.operation, *pair) for pair in zip(message.n1, message.n2)]
    results, other = (reply.f1, reply.n1) if message.operation == DIVIDE else (reply.n1, reply.f1)
    packed = struct.pack(f"<{len(results)}{'f' if message.operation == DIVIDE else 'i'}", *results)
    equal("results", packed, b"".join(result for result, _ in pairs))
    equal("results of the other kind", list(other), [])
    errors = [(index, code) for index, (_, code) in enumerate(pairs) if code]
    equal("errors", [(error.index, error.code) for error in reply.errors], errors)


def number():
    """Returns a random int32, often a small one."""
    return random.randint(-(2**31), 2**31 - 1) >> random.choice([0, 15, 28])


def right(stub):
    """Every operation on all pairs of edges, and on many at random; messages of every length."""
    random.seed(20)
    edges = list(itertools.product(EDGES, EDGES))
    messages = [request(operation, *zip(*edges)) for operation in (ADD, SUBTRACT, MULTIPLY, DIVIDE)]
    for _ in range(200):
        length = random.choice([0, 1, 2, 3, 100, 5000])
        columns = [[number() for _ in range(length)] for _ in range(2)]
        messages.append(request(random.randint(1, 4), *columns))
    replies = list(stub.Calculate(iter(messages), timeout=PATIENCE))
    equal("replies", len(replies), len(messages))
    for one, reply in zip(messages, replies):
        check(one, reply)
    equal("a call without requests", list(stub.Calculate(iter([]), timeout=PATIENCE)), [])
    replies = list(stub.Calculate(iter(messages[:4]), timeout=PATIENCE, compression=grpc.Compression.Gzip))
    for one, reply in zip(messages[:4], replies):
        check(one, reply)
    # The maximum number of elements, all of them failing.
    largest = request(DIVIDE, [1] * MAX_ELEMENTS, [0] * MAX_ELEMENTS)
    [reply] = stub.Calculate(iter([largest]), timeout=PATIENCE)
    check(largest, reply)


def invalid(stub):
    """An invalid request ends the RPC after the replies to those before it."""
    good = request(ADD, [1, 2], [3, 4])
    long = [0] * (MAX_ELEMENTS + 1)
    for bad, reason in [
        (request(ADD, [1, 2], [3]), "n1 has 2 elements and n2 has 1"),
        (request(ADD, [], [3]), "n1 has 0 elements and n2 has 1"),
        (request(ADD, long, long), "n1 has 65537 elements, the maximum is 65536"),
        (request(0, [1], [2]), "operation is not set"),
        (request(5, [1], [2]), "operation 5 is unknown"),
        (request(-1, [1], [2]), "operation -1 is unknown"),
    ]:
        # The invalid request is sent after the replies to the valid ones.
        replied = threading.Semaphore(0)

        def requests():
            for one in (good, good, bad, good):
                if one is bad:
                    replied.acquire()
                yield one

        call, replies = stub.Calculate(requests(), timeout=PATIENCE), []
        try:
            for reply in call:
                replies.append(list(reply.n1))
                if len(replies) == 2:
                    replied.release()
            sys.exit(f"not rejected: {reason}")
        except grpc.RpcError as error:
            equal("code", error.code().name, "INVALID_ARGUMENT")
            equal("message", error.details().startswith(f"request 3 of the stream: {reason}"), True)
        equal("replies", replies, [[4, 6], [4, 6]])


def cancelled(stub):
    """The client cancels an RPC."""
    leave = threading.Event()

    def requests():
        yield request(ADD, [1], [2])
        leave.wait()

    call = stub.Calculate(requests(), timeout=PATIENCE)
    equal("reply", list(next(call).n1), [3])
    call.cancel()
    leave.set()
    equal("code", call.code().name, "CANCELLED")


def memory(pid):
    """Returns the resident memory of a process, in MiB."""
    [line] = [line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) // 1024


def unread(stub, pid):
    """500 MiB of requests whose replies are not read at first: flow control stops most of them."""
    message, count, sent = request(ADD, [1] * MAX_ELEMENTS, [2] * MAX_ELEMENTS), 1000, []

    def requests():
        for _ in range(count):
            sent.append(time.monotonic())
            yield message

    before = memory(pid)
    call = stub.Calculate(requests())
    # Wait until none was taken for a second.
    while not sent or time.monotonic() - sent[-1] < 1:
        equal("requests that are not taken", len(sent) < count // 2, True)
        time.sleep(0.01)
    equal("memory in bounds", memory(pid) - before < 64, True)
    # Once read, all of them have their replies.
    equal("replies", sum(len(reply.n1) for reply in call), count * MAX_ELEMENTS)
    equal("requests", len(sent), count)
    equal("memory in bounds", memory(pid) - before < 64, True)


def main():
    scenario, target, *pid = sys.argv[1:]
    with grpc.insecure_channel(target) as channel:
        globals()[scenario](calc_batch_pb2_grpc.BatchCalculatorStub(channel), *pid)
    print("all replies are correct")


if __name__ == "__main__":
    main()
