"""Calls a server, and compares its channelz data with the calls made, and with this process's own channelz data
(PyPI's grpcio-channelz) for the other end of the connection.

    python tests/python/channelz.py TARGET
"""

import sys
import time

import grpc
from grpc_channelz.v1 import channelz_pb2 as pb
from grpc_channelz.v1 import channelz_pb2_grpc
from grpc_channelz.v1.channelz import ChannelzServicer

from checks import PATIENCE, code_of, equal

GOOD = 7
BAD = 3
NEVER = 2**62


def recent(what, timestamp):
    late = timestamp.ToNanoseconds() / 1e9 - time.time()
    if not -600 < late < 60:
        sys.exit(f"{what} is {late} s from now")


def code(method, request):
    return code_of(lambda: method(request, timeout=PATIENCE))


def call(channel):
    """Makes GOOD calls that succeed and BAD ones that fail."""
    divide = channel.unary_unary("/calc.Calculator/Divide")
    for _ in range(GOOD):
        divide(bytes([0x08, 10, 0x10, 2]), timeout=PATIENCE)
    for _ in range(BAD):
        equal("a division by zero", code(divide, bytes([0x08, 10])), "INVALID_ARGUMENT")


def check_server(stub):
    servers = stub.GetServers(pb.GetServersRequest(), timeout=PATIENCE)
    equal("end", servers.end, True)
    equal("servers", len(servers.server), 1)
    server = servers.server[0]
    equal("calls_started", server.data.calls_started, GOOD + BAD + 1)
    # A call is counted shortly after its reply has arrived.
    give_up = time.monotonic() + PATIENCE
    while server.data.calls_failed < BAD or server.data.calls_succeeded < GOOD:
        equal("in time", time.monotonic() < give_up, True)
        server = stub.GetServer(pb.GetServerRequest(server_id=server.ref.server_id), timeout=PATIENCE).server
    equal("calls_failed", server.data.calls_failed, BAD)
    recent("last_call_started_timestamp", server.data.last_call_started_timestamp)
    recent("creation_timestamp", server.data.trace.creation_timestamp)
    equal("events", [event.description for event in server.data.trace.events], ["Server created"])
    recent("the event", server.data.trace.events[0].timestamp)
    return server


def own_socket():
    """Returns this process's end of the connection."""
    context = None
    channels = ChannelzServicer.GetTopChannels(pb.GetTopChannelsRequest(), context).channel
    equal("own channels", len(channels), 1)
    subchannel_id = channels[0].subchannel_ref[0].subchannel_id
    subchannel = ChannelzServicer.GetSubchannel(pb.GetSubchannelRequest(subchannel_id=subchannel_id), context)
    socket_id = subchannel.subchannel.socket_ref[0].socket_id
    return ChannelzServicer.GetSocket(pb.GetSocketRequest(socket_id=socket_id), context).socket


def check_socket(stub, server):
    sockets = stub.GetServerSockets(pb.GetServerSocketsRequest(server_id=server.ref.server_id), timeout=PATIENCE)
    equal("end of the sockets", sockets.end, True)
    equal("sockets", len(sockets.socket_ref), 1)
    socket_id = sockets.socket_ref[0].socket_id
    socket = stub.GetSocket(pb.GetSocketRequest(socket_id=socket_id), timeout=PATIENCE).socket
    own = own_socket()
    equal("remote", socket.remote, own.local)
    equal("local", socket.local, own.remote)
    equal("the kind of address", socket.remote.WhichOneof("address"), "tcpip_address")
    equal("streams_started", socket.data.streams_started, own.data.streams_started)
    equal("messages_received", socket.data.messages_received, own.data.messages_sent)
    recent("last_remote_stream_created_timestamp", socket.data.last_remote_stream_created_timestamp)
    recent("last_message_sent_timestamp", socket.data.last_message_sent_timestamp)
    recent("last_message_received_timestamp", socket.data.last_message_received_timestamp)

    # Its port is the configured one, 0.
    listener = stub.GetSocket(pb.GetSocketRequest(socket_id=server.listen_socket[0].socket_id), timeout=PATIENCE)
    address = listener.socket.local.tcpip_address
    equal("the listener", (address.ip_address, address.port), (bytes([127, 0, 0, 1]), 0))


def check_mistakes(stub):
    equal("top channels", stub.GetTopChannels(pb.GetTopChannelsRequest(), timeout=PATIENCE).end, True)
    for method, request, start, most in [
        (stub.GetTopChannels, pb.GetTopChannelsRequest, "start_channel_id", "max_results"),
        (stub.GetServers, pb.GetServersRequest, "start_server_id", "max_results"),
        (stub.GetServerSockets, pb.GetServerSocketsRequest, "start_socket_id", "max_results"),
    ]:
        for field in (start, most):
            for value in (-1, -(2**63)):
                equal(f"{field} {value}", code(method, request(**{field: value})), "INVALID_ARGUMENT")
    for method, request, field in [
        (stub.GetServer, pb.GetServerRequest, "server_id"),
        (stub.GetServerSockets, pb.GetServerSocketsRequest, "server_id"),
        (stub.GetChannel, pb.GetChannelRequest, "channel_id"),
        (stub.GetSubchannel, pb.GetSubchannelRequest, "subchannel_id"),
        (stub.GetSocket, pb.GetSocketRequest, "socket_id"),
    ]:
        for value, expected in [(0, "NOT_FOUND"), (NEVER, "NOT_FOUND"), (2**63 - 1, "NOT_FOUND"), (-1, "INVALID_ARGUMENT")]:
            equal(f"{field} {value}", code(method, request(**{field: value})), expected)
    for value in (1, 2**63 - 1):
        equal(f"{value} results", stub.GetServers(pb.GetServersRequest(max_results=value), timeout=PATIENCE).end, True)
    beyond = stub.GetServers(pb.GetServersRequest(start_server_id=NEVER), timeout=PATIENCE)
    equal("servers beyond the last", (list(beyond.server), beyond.end), ([], True))


def check(channel):
    """Needs a new server, and a process without another channel."""
    stub = channelz_pb2_grpc.ChannelzStub(channel)
    call(channel)
    server = check_server(stub)
    check_socket(stub, server)
    check_mistakes(stub)


def main():
    with grpc.insecure_channel(sys.argv[1]) as channel:
        check(channel)
    print("channelz agrees")


if __name__ == "__main__":
    main()
