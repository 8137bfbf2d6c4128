"""An ordinary gRPC client. It calls at a fixed rate, whether or not earlier calls have ended, and verifies the replies.

python caller.py RATE TIMEOUT retry|once CA|- TARGET...

Prints a line for each call: its number, when it was due, when it ended, `kept` or `new` for its connection, and its
status. Times are seconds of the monotonic clock, which all processes share. A latency counts from when the call was due
(no coordinated omission). Ends with standard input.
"""

import concurrent.futures
import itertools
import sys
import threading
import time

import grpc

from drain import ADD, REPLY, REQUEST, RETRY

# Every tenth call opens a connection of its own, as clients that come and go do.
NEW_EVERY = 10
OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    # How long an attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    ("grpc.max_reconnect_backoff_ms", 500),
]


def status_of(call):
    """WRONG_REPLY if the reply is not that of 20 + 10."""
    if call.code() == grpc.StatusCode.OK and call.result() != REPLY:
        return "WRONG_REPLY"
    return call.code().name


def main():
    rate, timeout, policy, authority, *targets = sys.argv[1:]
    options = OPTIONS + ([("grpc.service_config", RETRY)] if policy == "retry" else [])
    target = "ipv4:" + ",".join(targets)
    if authority == "-":
        connect = lambda: grpc.insecure_channel(target, options)
    else:
        with open(authority, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        connect = lambda: grpc.secure_channel(target, credentials, options)
    ended, lock = threading.Event(), threading.Lock()

    def report(number, due, connection, call):
        status = status_of(call)
        with lock:
            print(number, due, time.monotonic(), connection, status, flush=True)

    def call_on_new_connection(number, due):
        with connect() as channel:
            call = channel.unary_unary(ADD).future(REQUEST, timeout=float(timeout))
            call.exception()
            report(number, due, "new", call)

    kept = connect()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        begin = time.monotonic()
        for number in itertools.count():
            due = begin + number / float(rate)
            if ended.wait(max(0, due - time.monotonic())):
                break
            if number % NEW_EVERY == NEW_EVERY - 1:
                pool.submit(call_on_new_connection, number, due)
            else:
                call = kept.unary_unary(ADD).future(REQUEST, timeout=float(timeout))
                call.add_done_callback(lambda call, number=number, due=due: report(number, due, "kept", call))
        # Calls in flight are of no interest any more.
        kept.close()


if __name__ == "__main__":
    main()
