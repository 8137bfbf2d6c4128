"""protoc, as grpcio-tools brings it, with the files of protobuf itself.

    python tests/python/protoc.py ARGUMENT...
"""

import pathlib
import sys

import grpc_tools
from grpc_tools import protoc


def main():
    own = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    # Last: what the arguments include comes first.
    sys.exit(protoc.main([*sys.argv, f"-I{own}"]))


if __name__ == "__main__":
    main()
