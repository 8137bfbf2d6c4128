//! Requests of arbitrary bytes to a server in this process: the adapter, the limits, decompression, all methods.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use calc::arithmetic;
use futures::executor::block_on;
use futures::{SinkExt, StreamExt};
use grpcio::{CallOption, ChannelBuilder, Client, EnvBuilder, Marshaller, Method, MethodType, WriteFlags};
use grpcio_kit::proto::grpc_reflection_v1::reflection::{ServerReflectionRequest, ServerReflectionResponse};
use grpcio_kit::{Code, Limits, Server, Status};
use protobuf::Message;

use crate::messages::plain::calc::{AddReply, AddRequest};
use crate::reference;

/// How long an RPC may take: a hang would be an error.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The maximum size of a request: small, so that what a fuzzer compresses can be larger.
const MAX_REQUEST_BYTES: u32 = 2048;

const METHODS: [(&str, MethodType); 9] = [
    ("/calc.Calculator/Add", MethodType::Unary),
    ("/calc.Calculator/Divide", MethodType::Unary),
    ("/grpc.health.v1.Health/Check", MethodType::Unary),
    ("/grpc.channelz.v1.Channelz/GetServers", MethodType::Unary),
    ("/grpc.channelz.v1.Channelz/GetSocket", MethodType::Unary),
    ("/grpc.channelz.v1.Channelz/GetServerSockets", MethodType::Unary),
    ("/calc.BatchCalculator/Calculate", MethodType::Duplex),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", MethodType::Duplex),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", MethodType::Duplex),
];

struct Peers {
    client: Client,
    _server: Server,
    _folder: tempfile::TempDir,
}

thread_local!(static PEERS: Peers = connect());

fn connect() -> Peers {
    grpcio_kit::log::silence_core();
    let folder = crate::folder();
    let target = format!("unix:{}", folder.path().join("socket").display());
    let limits = Limits { max_request_bytes: MAX_REQUEST_BYTES, ..Limits::default() };
    let server = calc::server::builder().limits(limits);
    let server = server.listen(target.parse().expect("an address")).start().expect("a server");
    let environment = Arc::new(EnvBuilder::new().cq_count(1).build());
    let client = Client::new(ChannelBuilder::new(environment).connect(&target));
    Peers { client, _server: server, _folder: folder }
}

/// The first byte chooses the method; the others are the request.
pub fn rpcs(bytes: &[u8]) {
    let [number, request @ ..] = bytes else { return };
    let (path, kind) = METHODS[usize::from(*number) % METHODS.len()];
    let replies = PEERS.with(|Peers { client, .. }| match kind {
        MethodType::Unary => unary(client, path, request).map(|reply| vec![reply]),
        _ => stream(client, path, request),
    });
    match &replies {
        Err(status) => {
            let code = status.code();
            let expected =
                [Code::Internal, Code::ResourceExhausted, Code::InvalidArgument, Code::OutOfRange, Code::NotFound];
            // Other messages may quote a request with such words.
            let panicked = status.message().ends_with("panicked; see the server's log");
            assert!(expected.contains(&code) && !panicked, "{path}: {status}");
        }
        Ok(replies) => assert_eq!(replies.len(), 1, "{path}"),
    }
    // Compressed requests begin so.
    if !matches!(request, [0x1f | 0x78, ..]) && request.len() <= MAX_REQUEST_BYTES as usize {
        match path.rsplit('/').next() {
            Some("Add") => added(request, replies),
            Some("ServerReflectionInfo") => reflected(request, replies),
            _ => {}
        }
    }
}

fn added(request: &[u8], replies: Result<Vec<Vec<u8>>, Status>) {
    let request = reference::decode::<AddRequest>(request, ".calc.AddRequest");
    if reference::met_overlong_length() {
        return;
    }
    let Some(request) = request else {
        assert_eq!(replies.map_err(|status| status.code()), Err(Code::Internal));
        return;
    };
    match arithmetic::add(request.n1, request.n2) {
        Ok(sum) => {
            let expected = AddReply { n1: sum, ..Default::default() }.write_to_bytes().expect("it can be encoded");
            assert_eq!(replies, Ok(vec![expected]));
        }
        Err(_) => assert_eq!(replies.map_err(|status| status.code()), Err(Code::OutOfRange)),
    }
}

/// Every request has a response, which contains it.
fn reflected(request: &[u8], replies: Result<Vec<Vec<u8>>, Status>) {
    match grpcio_kit::wire::decode::<ServerReflectionRequest>(&mut &*request, request.len()) {
        Err(_) => assert_eq!(replies.map_err(|status| status.code()), Err(Code::Internal)),
        Ok(request) => {
            let replies = replies.expect("a request that can be decoded is responded to");
            let response = ServerReflectionResponse::parse_from_bytes(&replies[0]).expect("a response");
            assert_eq!(response.original_request.into_option(), Some(request));
            assert!(response.message_response.is_some());
        }
    }
}

fn unary(client: &Client, path: &'static str, request: &[u8]) -> Result<Vec<u8>, Status> {
    let options = CallOption::default().timeout(TIMEOUT);
    Ok(client.unary_call(&method(path, MethodType::Unary), &request.to_vec(), options)?)
}

fn stream(client: &Client, path: &'static str, request: &[u8]) -> Result<Vec<Vec<u8>>, Status> {
    let options = CallOption::default().timeout(TIMEOUT);
    let (mut requests, mut replies) = client.duplex_streaming(&method(path, MethodType::Duplex), options)?;
    block_on(async {
        // If the server has ended the RPC before, its status says why.
        if requests.send((request.to_vec(), WriteFlags::default())).await.is_ok() {
            let _ = requests.close().await;
        }
        let mut all = Vec::new();
        while let Some(reply) = replies.next().await {
            all.push(reply?);
        }
        Ok(all)
    })
}

fn method(name: &'static str, ty: MethodType) -> Method<Vec<u8>, Vec<u8>> {
    let marshaller = || Marshaller {
        ser: |bytes: &Vec<u8>, buffer| {
            *buffer = bytes.as_slice().into();
            Ok(())
        },
        de: |mut reader| {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map_err(|error| grpcio::Error::Codec(error.into()))?;
            Ok(bytes)
        },
    };
    Method { ty, name, req_mar: marshaller(), resp_mar: marshaller() }
}
