"""Sends a server every kind of reflection request, in both versions.

    python tests/python/reflection.py TARGET

The server has the services test.Kinds and test.Undescribed, and the file reflected/proto2.proto.
"""

import queue
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2 as pb
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

NOT_FOUND, INVALID_ARGUMENT = 5, 3
KINDS = ["kinds.proto", "google/protobuf/empty.proto", "shapes.proto"]
PROTO2 = [
    "reflected/proto2.proto",
    "reflected/proto3.proto",
    "google/protobuf/descriptor.proto",
    "google/protobuf/timestamp.proto",
]


class Stream:
    """One RPC for several requests."""

    def __init__(self, channel, version):
        self.requests = queue.Queue()
        # The messages of v1 have another name, and the same form.
        call = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=pb.ServerReflectionRequest.SerializeToString,
            response_deserializer=pb.ServerReflectionResponse.FromString,
        )
        self.responses = call(iter(self.requests.get, None), timeout=30)

    def request(self, **request):
        request = pb.ServerReflectionRequest(host="a host", **request)
        self.requests.put(request)
        response = next(self.responses)
        assert response.valid_host == "a host", response
        assert response.original_request == request, response
        return response

    def files(self, **request):
        files = self.request(**request).file_descriptor_response.file_descriptor_proto
        return [descriptor_pb2.FileDescriptorProto.FromString(file).name for file in files]

    def error(self, **request):
        return self.request(**request).error_response.error_code

    def end(self):
        self.requests.put(None)
        assert list(self.responses) == []
        assert self.responses.code() == grpc.StatusCode.OK


def extension(message, number):
    return pb.ExtensionRequest(containing_type=message, extension_number=number)


def equal(got, expected):
    assert got == expected, f"expected {expected}, got {got}"


def files(channel, version):
    stream = Stream(channel, version)
    equal(stream.files(file_by_filename="kinds.proto"), KINDS)
    for symbol in [
        "test.Kinds",
        "test.Kinds.GetHTTPInfo2",
        "test.Every",
        "test.Every.Nested",
        "test.Every.Nested.value",
        "test.Every.Level",
        "test.Every.HIGH",
        "test.Every.choice",
        "test.Every._optional_bool",
        "test.Every.chosen_every",
        "test.Every.LevelsByNumberEntry.key",
    ]:
        # Its imports have been sent; the requested file is always sent.
        equal(stream.files(file_containing_symbol=symbol), ["kinds.proto"])
    equal(stream.files(file_containing_symbol="test.Shape"), ["shapes.proto"])
    equal(stream.files(file_by_filename="google/protobuf/empty.proto"), ["google/protobuf/empty.proto"])
    equal(stream.files(file_containing_symbol="test.proto2.Scope.in_scope"), PROTO2)
    equal(stream.files(file_containing_symbol="test.proto2.number"), PROTO2[:1])
    equal(stream.files(file_containing_extension=extension("test.proto2.Extended", 100)), PROTO2[:1])
    equal(
        stream.files(file_containing_extension=extension("google.protobuf.FileOptions", 50001)), PROTO2[:1]
    )
    stream.end()
    # What was sent on another stream does not count.
    stream = Stream(channel, version)
    equal(stream.files(file_containing_symbol="test.Every"), KINDS)
    stream.end()


def lists(channel, version):
    stream = Stream(channel, version)
    services = stream.request(list_services="anything").list_services_response.service
    equal(
        [service.name for service in services],
        [
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "test.Kinds",
            "test.Undescribed",
        ],
    )
    for message, numbers in [
        ("test.proto2.Extended", [100, 101, 102, 103, 104]),
        ("google.protobuf.FileOptions", [50001]),
        ("test.Every", []),
    ]:
        answer = stream.request(all_extension_numbers_of_type=message).all_extension_numbers_response
        equal((answer.base_type_name, list(answer.extension_number)), (message, numbers))
    stream.end()


def misses(channel, version):
    stream = Stream(channel, version)
    equal(stream.error(), INVALID_ARGUMENT)
    equal(stream.error(file_by_filename="test/kinds.proto"), NOT_FOUND)
    for symbol in ["", "test", "test.Undescribed", "test.Every.Level.HIGH", "test.every", ".test.Every", "test.Every."]:
        equal(stream.error(file_containing_symbol=symbol), NOT_FOUND)
    for message, number in [("test.proto2.Extended", 4), ("test.Every", 1), ("", 0), (".test.proto2.Extended", 100)]:
        equal(stream.error(file_containing_extension=extension(message, number)), NOT_FOUND)
    for message in ["test.Every.Level", "test.Kinds", "test.Nothing", ""]:
        equal(stream.error(all_extension_numbers_of_type=message), NOT_FOUND)
    # After all of that.
    equal(stream.files(file_by_filename="kinds.proto"), KINDS)
    stream.end()


def pool(channel):
    """Loads the files into protobuf's own descriptor pool, which validates them."""
    database = ProtoReflectionDescriptorDatabase(channel)
    assert "test.Kinds" in database.get_services()
    pool = descriptor_pool.DescriptorPool(database)
    every = pool.FindMessageTypeByName("test.Every")
    equal(every.fields_by_name["optional_nested"].message_type.full_name, "test.Every.Nested")
    assert every.fields_by_name["optional_int32"].has_presence
    equal([field.name for field in every.oneofs_by_name["choice"].fields][0], "chosen_int32")
    equal(pool.FindMethodByName("test.Kinds.BidiStreaming").output_type.full_name, "test.Every.Nested")
    extended = pool.FindMessageTypeByName("test.proto2.Extended")
    equal(sorted(field.number for field in pool.FindAllExtensions(extended)), [100, 101, 102, 103, 104])
    for file in KINDS + PROTO2 + [f"grpc/reflection/{version}/reflection.proto" for version in ("v1", "v1alpha")]:
        equal(pool.FindFileByName(file).name, file)


def main():
    with grpc.insecure_channel(sys.argv[1]) as channel:
        for version in ("v1", "v1alpha"):
            files(channel, version)
            lists(channel, version)
            misses(channel, version)
        pool(channel)
    print("all responses are correct")


if __name__ == "__main__":
    main()
