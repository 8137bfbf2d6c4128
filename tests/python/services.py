"""Calls every service of `calc serve` with the clients on PyPI and the messages that come with them.

    python tests/python/services.py TARGET [--ca FILE [--cert FILE --key FILE]] [--token TOKEN]

The server is new, and has default settings otherwise. With a token it is also called without one, which every
service must reject.
"""

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.rpc import error_details_pb2
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

import channelz
import health
from checks import PATIENCE, code_of, equal
from connect import arguments, connect
from reflection import NOT_FOUND, Stream, extension

ADD, DIVIDE = "/calc.Calculator/Add", "/calc.Calculator/Divide"
SERVICES = [
    "calc.BatchCalculator",
    "calc.Calculator",
    "grpc.channelz.v1.Channelz",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
]


def results(channel):
    equal("20 + 10", channel.unary_unary(ADD)(b"\x08\x14\x10\x0a", timeout=PATIENCE), b"\x08\x1e")
    equal("10 / 4", channel.unary_unary(DIVIDE)(b"\x08\x0a\x10\x04", timeout=PATIENCE), b"\x0d\0\0\x20\x40")


def error(channel, path, request):
    """Returns the code and the message of a call that fails, and the details of its google.rpc.Status."""
    try:
        channel.unary_unary(path)(request, timeout=PATIENCE)
    except grpc.RpcError as failed:
        status = rpc_status.from_call(failed)
        equal("the code in the status", status.code, failed.code().value[0])
        equal("the message in the status", status.message, failed.details())
        return failed.code().name, status.message, status.details
    raise AssertionError(f"{path} succeeded")


def unpacked(kind, details):
    """Returns the only detail of this type."""
    found = [detail for detail in details if detail.Is(kind.DESCRIPTOR)]
    equal(kind.DESCRIPTOR.full_name, len(found), 1)
    message = kind()
    found[0].Unpack(message)
    return message


def richer_errors(channel):
    code, message, details = error(channel, DIVIDE, b"\x08\x01")
    equal("a division by zero", (code, message, len(details)), ("INVALID_ARGUMENT", "division by zero", 2))
    info = unpacked(error_details_pb2.ErrorInfo, details)
    equal("its info", (info.reason, info.domain), ("DIVISION_BY_ZERO", "calc"))
    [violation] = unpacked(error_details_pb2.BadRequest, details).field_violations
    equal("its field", violation.field, "n2")

    code, message, details = error(channel, ADD, b"\x08\xff\xff\xff\xff\x07\x10\x01")
    expected = "2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)"
    equal("an overflow", (code, message, len(details)), ("OUT_OF_RANGE", expected, 1))
    info = unpacked(error_details_pb2.ErrorInfo, details)
    equal("its info", (info.reason, info.domain), ("INT32_OVERFLOW", "calc"))
    metadata = {"operation": "Add", "n1": "2147483647", "n2": "1", "result": "2147483648"}
    equal("its metadata", dict(info.metadata), metadata)


def descriptors(channel):
    for version in ("v1", "v1alpha"):
        stream = Stream(channel, version)
        services = stream.request(list_services="").list_services_response.service
        equal("services", [service.name for service in services], SERVICES)
        for name in ("calc.proto", "calc_batch.proto"):
            equal(name, stream.files(file_by_filename=name), [name])
        for service in SERVICES:
            [file, *_] = stream.request(file_containing_symbol=service).file_descriptor_response.file_descriptor_proto
            file = descriptor_pb2.FileDescriptorProto.FromString(file)
            named = [f"{file.package}.{described.name}" for described in file.service]
            equal("the services of its file", service in named, True)
        numbers = stream.request(all_extension_numbers_of_type="calc.AddRequest").all_extension_numbers_response
        equal("extensions", (numbers.base_type_name, list(numbers.extension_number)), ("calc.AddRequest", []))
        none = stream.error(file_containing_extension=extension("calc.AddRequest", 100))
        equal("an extension", none, NOT_FOUND)
        stream.end()
    # An independent implementation resolves the files.
    pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    for service in SERVICES:
        equal(service, len(pool.FindServiceByName(service).methods) > 0, True)


def refused(channel):
    """Every method rejects an RPC without a token."""
    stubs = channelz_pb2_grpc.ChannelzStub(channel), health_pb2_grpc.HealthStub(channel)
    (zstub, hstub), zpb, hpb = stubs, channelz_pb2, health_pb2
    unary = [
        (channel.unary_unary(ADD), b""),
        (channel.unary_unary(DIVIDE), b""),
        (zstub.GetTopChannels, zpb.GetTopChannelsRequest()),
        (zstub.GetServers, zpb.GetServersRequest()),
        (zstub.GetServer, zpb.GetServerRequest()),
        (zstub.GetServerSockets, zpb.GetServerSocketsRequest()),
        (zstub.GetChannel, zpb.GetChannelRequest()),
        (zstub.GetSubchannel, zpb.GetSubchannelRequest()),
        (zstub.GetSocket, zpb.GetSocketRequest()),
        (hstub.Check, hpb.HealthCheckRequest()),
        (hstub.List, hpb.HealthListRequest()),
    ]
    for method, request in unary:
        equal(type(request), code_of(lambda: method(request, timeout=PATIENCE)), "UNAUTHENTICATED")
    watch = hstub.Watch(hpb.HealthCheckRequest(), timeout=PATIENCE)
    equal("Watch", code_of(lambda: next(watch)), "UNAUTHENTICATED")
    for version in ("v1", "v1alpha"):
        equal(version, code_of(lambda: Stream(channel, version).request(list_services="")), "UNAUTHENTICATED")
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    replies = stub.ServerReflectionInfo(iter([request]), timeout=PATIENCE)
    equal("the stub", code_of(lambda: next(replies)), "UNAUTHENTICATED")


def main():
    parser = arguments()
    parser.add_argument("--token")
    args = parser.parse_args()
    with connect(args, args.token) as channel:
        # First: it counts calls.
        channelz.check(channel)
        results(channel)
        richer_errors(channel)
        health.every_method(channel)
        descriptors(channel)
    if args.token:
        with connect(args) as channel:
            refused(channel)
    print("all replies are correct")


if __name__ == "__main__":
    main()
