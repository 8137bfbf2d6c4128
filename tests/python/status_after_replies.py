"""Sends test.Kinds/BidiStreaming two valid radii, an invalid one, and another.

    python tests/python/status_after_replies.py TARGET
"""

import struct
import sys

import grpc


def main():
    radii = (b"\x0d" + struct.pack("<f", length) for length in (1.0, 2.0, -3.0, 4.0))
    with grpc.insecure_channel(sys.argv[1]) as channel:
        replies = channel.stream_stream("/test.Kinds/BidiStreaming")(radii, timeout=30)
        count = 0
        try:
            for _ in replies:
                count += 1
        except grpc.RpcError as error:
            print(f"{count} replies, then {error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
