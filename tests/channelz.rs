//! Channelz, by the stubs generated here and by Python's.

use grpcio_kit::proto::grpc_channelz::channelz::address::Address;
use grpcio_kit::proto::grpc_channelz::channelz::channel_connectivity_state::State;
use grpcio_kit::proto::grpc_channelz::channelz::{
    Channel as ChannelProto, GetChannelRequest, GetServerSocketsRequest, GetServersRequest, GetSocketRequest,
    GetSubchannelRequest, GetTopChannelsRequest, Server as ServerProto, Socket, SocketRef,
};
use grpcio_kit::proto::grpc_channelz::channelz_grpc::ChannelzClient;
use grpcio_kit::{CallOptions, Channel, Server};

use crate::common::process::{ServerProcess, calc, python, stdout_of};
use crate::common::{PATIENCE, calculator, channel, start, target};

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

/// All servers of the process, in pages of `max_results`. Other tests have servers too.
fn servers(client: &ChannelzClient, max_results: i64) -> Vec<ServerProto> {
    let mut servers: Vec<ServerProto> = Vec::new();
    loop {
        let start_server_id = servers.last().map_or(0, |server| server.ref_.server_id + 1);
        let request = GetServersRequest { start_server_id, max_results, ..Default::default() };
        let page = client.get_servers(&request, options()).unwrap();
        assert!(page.server.len() <= usize::try_from(max_results).unwrap());
        assert!(page.end || !page.server.is_empty());
        assert!(page.server.is_sorted_by_key(|server| server.ref_.server_id));
        servers.extend(page.server);
        if page.end {
            return servers;
        }
    }
}

/// A socket, unless it has been closed in the meantime.
fn socket(client: &ChannelzClient, reference: &SocketRef) -> Option<Socket> {
    let request = GetSocketRequest { socket_id: reference.socket_id, ..Default::default() };
    client.get_socket(&request, options()).ok()?.socket.into_option()
}

fn port(server: &Server) -> i32 {
    target(server).rsplit_once(':').unwrap().1.parse().unwrap()
}

fn port_of(address: &Option<Address>) -> i32 {
    match address {
        Some(Address::TcpipAddress(address)) => {
            assert_eq!(address.ip_address, [127, 0, 0, 1]);
            address.port
        }
        other => panic!("{other:?}"),
    }
}

/// The sockets of a server, which may have been shut down in the meantime.
fn sockets(client: &ChannelzClient, server: &ServerProto) -> Vec<SocketRef> {
    let request = GetServerSocketsRequest { server_id: server.ref_.server_id, ..Default::default() };
    client.get_server_sockets(&request, options()).map(|page| page.socket_ref).unwrap_or_default()
}

/// The server that has a connection to `port`.
fn find(client: &ChannelzClient, servers: &[ServerProto], port: i32) -> ServerProto {
    let is_at_port = |reference: &SocketRef| match socket(client, reference).map(|socket| socket.local.unwrap().address)
    {
        Some(address @ Some(Address::TcpipAddress(_))) => port_of(&address) == port,
        _ => false,
    };
    let found = servers.iter().find(|server| sockets(client, server).iter().any(is_at_port));
    found.expect("our server is not among them").clone()
}

#[test]
fn python_finds_its_own_calls() {
    let server = ServerProcess::start(&mut calc(&["serve", "--listen", "127.0.0.1:0"]));
    let output = stdout_of(python("tests/python/channelz.py").arg(server.target()));
    assert_eq!(output, "channelz agrees\n");
}

/// The C core marks local time as UTC.
#[test]
fn timestamps_are_utc_in_any_time_zone() {
    for zone in ["NPT-5:45", "NST3:30"] {
        let server = ServerProcess::start(calc(&["serve", "--listen", "127.0.0.1:0"]).env("TZ", zone));
        let output = stdout_of(python("tests/python/channelz.py").arg(server.target()));
        assert_eq!(output, "channelz agrees\n");
    }
}

#[test]
fn a_page_has_as_many_servers_as_requested_and_the_next_one_continues() {
    let ours = [calculator(), calculator(), calculator()];
    let clients = ours.each_ref().map(|server| ChannelzClient::new(channel(server)));
    for max_results in [1, 2, 100] {
        let mut ids = clients.iter().zip(&ours).map(|(client, server)| {
            let servers = servers(client, max_results);
            find(client, &servers, port(server)).ref_.server_id
        });
        assert!(ids.next() < ids.next());
    }
    let request = GetServersRequest { max_results: 1, ..Default::default() };
    let page = clients[0].get_servers(&request, options()).unwrap();
    assert_eq!((page.server.len(), page.end), (1, false));
}

#[test]
fn the_sockets_of_a_server_come_in_pages_too() {
    let builder = calc::server::builder().listen("127.0.0.1:0".parse().unwrap());
    let server = start(builder.listen("127.0.0.1:0".parse().unwrap()));
    // Each address is a connection of its own.
    let channels = server.addresses().iter().map(|address| Channel::connect(&address.to_string()).unwrap());
    let clients: Vec<_> = channels.map(ChannelzClient::new).collect();
    let servers: Vec<_> = clients.iter().map(|client| servers(client, 100)).collect();
    let server_id = find(&clients[0], &servers[0], port(&server)).ref_.server_id;

    let mut request = GetServerSocketsRequest { server_id, max_results: 2, ..Default::default() };
    let first = clients[0].get_server_sockets(&request, options()).unwrap();
    assert_eq!((first.socket_ref.len(), first.end), (2, false));
    request.start_socket_id = first.socket_ref[1].socket_id + 1;
    let second = clients[0].get_server_sockets(&request, options()).unwrap();
    assert_eq!((second.socket_ref.len(), second.end), (1, true));
}

#[test]
fn a_channel_leads_to_its_socket() {
    let server = calculator();
    let client = ChannelzClient::new(channel(&server));
    let mut request = GetTopChannelsRequest { max_results: 1, ..Default::default() };
    let channel: ChannelProto = loop {
        let page = client.get_top_channels(&request, options()).unwrap();
        assert!(page.channel.len() <= 1);
        let channel = page.channel.into_iter().next().expect("our channel is not among them");
        request.start_channel_id = channel.ref_.channel_id + 1;
        if channel.data.target.ends_with(&target(&server)) {
            break channel;
        }
    };
    let request = GetChannelRequest { channel_id: channel.ref_.channel_id, ..Default::default() };
    let channel = client.get_channel(&request, options()).unwrap().channel.unwrap();
    assert_eq!(channel.data.state.state.enum_value(), Ok(State::READY));
    assert!(channel.data.calls_started > 0);
    // A trace is written without a lock: reading it may crash the process.
    assert!(channel.data.trace.is_none());

    let request = GetSubchannelRequest { subchannel_id: channel.subchannel_ref[0].subchannel_id, ..Default::default() };
    let subchannel = client.get_subchannel(&request, options()).unwrap().subchannel.unwrap();
    let ours = socket(&client, &subchannel.socket_ref[0]).unwrap();
    assert_eq!(port_of(&ours.remote.address), port(&server));

    // The server's end of it.
    let server = find(&client, &servers(&client, 100), port(&server));
    let theirs = socket(&client, &sockets(&client, &server)[0]).unwrap();
    assert_eq!(theirs.remote, ours.local);
    assert_eq!(theirs.local, ours.remote);
}

#[test]
fn a_unix_socket_has_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calc.sock").display().to_string();
    let address = format!("unix:{path}");
    let _server = start(calc::server::builder().listen(address.parse().unwrap()));
    let client = ChannelzClient::new(Channel::connect(&address).unwrap());
    let servers = servers(&client, 100);
    let mut listeners = servers.iter().flat_map(|server| &server.listen_socket);
    let listener = listeners.find(|listener| listener.name.contains(&path)).expect("our listener is not among them");
    match socket(&client, listener).unwrap().local.unwrap().address {
        Some(Address::UdsAddress(address)) => assert_eq!(address.filename, path),
        other => panic!("{other:?}"),
    }
}
