"""Makes RPCs that the access log records, and checks its lines.

    python tests/python/access_log.py call TARGET
    python tests/python/access_log.py check LINE...
"""

import json
import re
import sys

import calc_pb2
import calc_pb2_grpc
import grpc

from checks import PATIENCE

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def call(target):
    with grpc.insecure_channel(target) as channel:
        stub = calc_pb2_grpc.CalculatorStub(channel)
        sent = [
            # An id over 128 characters and a trace id of zeros are ignored.
            [("x-request-id", "x" * 129), ("traceparent", "00-" + "0" * 32 + "-b7ad6b7169203331-01")],
            [("x-request-id", "request-1"), ("traceparent", TRACE)],
        ]
        for metadata in sent:
            stub.Add(calc_pb2.AddRequest(n1=20, n2=10), metadata=metadata, timeout=PATIENCE)
        try:
            stub.Divide(calc_pb2.DivideRequest(n1=1, n2=0), timeout=PATIENCE)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        else:
            raise AssertionError("a division by zero succeeded")


def no_duplicates(pairs):
    assert len({name for name, _ in pairs}) == len(pairs), pairs
    return dict(pairs)


def check(lines):
    for line in lines:
        event = json.loads(line, object_pairs_hook=no_duplicates)
        assert TIMESTAMP.fullmatch(event["timestamp"]), event
        assert (event["level"], event["target"], event["message"]) == ("INFO", "access", "call"), event
        assert re.fullmatch(r"ipv4:127\.0\.0\.1:\d+", event["peer"]), event
        assert 0 <= event["duration_us"] < PATIENCE * 1_000_000, event
        request_id = event["request_id"]
        if re.fullmatch("[0-9a-f]{16}", request_id):
            request_id = "random"
        fields = [event.get(name) for name in ("method", "code", "error", "received", "sent")]
        print(*fields, request_id, event.get("trace_id"), event.get("parent_id"))


if __name__ == "__main__":
    if sys.argv[1] == "call":
        call(sys.argv[2])
    else:
        check(sys.argv[2:])
