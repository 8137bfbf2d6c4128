"""Calls Add with 20 and 10, or the method in --path, and prints the reply in hexadecimal or the status.

    python tests/python/tls.py TARGET [--ca FILE [--cert FILE --key FILE]] [--metadata KEY VALUE] [--path PATH]

With --again it repeats that, over a new connection each time, until standard input ends. It prints `running` after
the first reply and the number of replies at the end; a status other than OK ends it with exit code 1.
"""

import sys
import threading

import grpc

from checks import PATIENCE
from connect import arguments, connect

REQUEST = bytes([0x08, 20, 0x10, 10])


def parse():
    parser = arguments()
    parser.add_argument("--metadata", nargs=2, action="append", default=[])
    parser.add_argument("--path", default="/calc.Calculator/Add")
    parser.add_argument("--again", action="store_true")
    return parser.parse_args()


def call(args):
    with connect(args) as channel:
        metadata = [tuple(entry) for entry in args.metadata]
        return channel.unary_unary(args.path)(REQUEST, timeout=PATIENCE, metadata=metadata).hex()


def main():
    args = parse()
    ended = threading.Event()
    if args.again:
        threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    count = 0
    try:
        while True:
            reply = call(args)
            count += 1
            if not args.again or ended.is_set():
                break
            if count == 1:
                print("running", flush=True)
    except grpc.RpcError as error:
        print(f"{error.code().name}: {error.details()}")
        sys.exit(1 if args.again else 0)
    print(f"{count} calls" if args.again else reply)


if __name__ == "__main__":
    main()
