//! The client's half of each case, by the names, sizes and texts of gRPC's
//! [descriptions](https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md).

use std::time::Duration;

use futures::SinkExt;
use futures::channel::mpsc;
use futures::executor::{block_on, block_on_stream};
use futures::stream::{self, StreamExt};
use grpcio_kit::{CallOptions, Channel, Code, Method, Status};
use protobuf::MessageField;

use crate::common::PATIENCE;
use crate::protos::grpc_testing::empty::Empty;
use crate::protos::grpc_testing::messages::{
    EchoStatus, Payload, ResponseParameters, SimpleRequest, StreamingInputCallRequest, StreamingOutputCallRequest,
    StreamingOutputCallResponse,
};
use crate::protos::grpc_testing::test_grpc::TestServiceClient;

/// The sizes of the requests and replies of the streaming cases, in bytes.
const REQUESTS: [usize; 4] = [27_182, 8, 1_828, 45_904];
const REPLIES: [i32; 4] = [31_415, 9, 2_653, 58_979];

/// Runs a case against the server of a channel.
pub fn run(case: &str, channel: &Channel) {
    let client = TestServiceClient::new(channel.clone());
    match case {
        "empty_unary" => empty_unary(&client),
        "large_unary" => large_unary(&client),
        "client_streaming" => client_streaming(&client),
        "server_streaming" => server_streaming(&client),
        "ping_pong" => ping_pong(&client),
        "empty_stream" => empty_stream(&client),
        "timeout_on_sleeping_server" => timeout_on_sleeping_server(&client),
        "cancel_after_begin" => cancel_after_begin(&client),
        "cancel_after_first_response" => cancel_after_first_response(&client),
        "status_code_and_message" => status_code_and_message(&client),
        "special_status_message" => special_status_message(&client),
        "unimplemented_method" => unimplemented(channel, "/grpc.testing.TestService/UnimplementedCall"),
        "unimplemented_service" => unimplemented(channel, "/grpc.testing.UnimplementedService/UnimplementedCall"),
        _ => panic!("there is no case {case}"),
    }
}

fn empty_unary(client: &TestServiceClient) {
    assert_eq!(client.empty_call(&Empty::new(), options()), Ok(Empty::new()));
}

fn large_unary(client: &TestServiceClient) {
    let request = SimpleRequest { response_size: 314_159, payload: zeros(271_828), ..Default::default() };
    let reply = client.unary_call(&request, options()).unwrap();
    assert_eq!(reply.payload, zeros(314_159));
}

fn client_streaming(client: &TestServiceClient) {
    let requests = REQUESTS.map(|size| StreamingInputCallRequest { payload: zeros(size), ..Default::default() });
    let reply = client.streaming_input_call(requests, options()).unwrap();
    assert_eq!(reply.aggregated_payload_size, 74_922);
}

fn server_streaming(client: &TestServiceClient) {
    let request = StreamingOutputCallRequest { response_parameters: sizes(&REPLIES), ..Default::default() };
    let replies: Result<Vec<_>, _> = client.streaming_output_call(&request, options()).collect();
    assert_eq!(replies.unwrap(), REPLIES.map(response));
}

/// Each request is sent when the reply to the one before has come.
fn ping_pong(client: &TestServiceClient) {
    let (mut requests, sent) = mpsc::channel(1);
    let mut replies = block_on_stream(client.full_duplex_call_async(sent, options()));
    for (request_size, reply_size) in REQUESTS.into_iter().zip(REPLIES) {
        block_on(requests.send(ping(request_size, reply_size))).unwrap();
        assert_eq!(replies.next(), Some(Ok(response(reply_size))));
    }
    drop(requests);
    assert_eq!(replies.next(), None);
}

fn empty_stream(client: &TestServiceClient) {
    assert_eq!(client.full_duplex_call([], options()).next(), None);
}

/// The server waits for the end of the requests.
fn timeout_on_sleeping_server(client: &TestServiceClient) {
    let request = StreamingOutputCallRequest { payload: zeros(27_182), ..Default::default() };
    let requests = stream::iter([request]).chain(stream::pending());
    let options = CallOptions::default().timeout(Duration::from_millis(1));
    let end = block_on_stream(client.full_duplex_call_async(requests, options)).next().unwrap();
    assert_eq!(end.unwrap_err().code(), Code::DeadlineExceeded);
}

/// Dropping an RPC cancels it, and leaves nobody who could receive its status: `ours` asks the server.
fn cancel_after_begin(client: &TestServiceClient) {
    drop(client.streaming_input_call_async(stream::pending(), options()));
    empty_unary(client);
}

/// See [`cancel_after_begin`].
fn cancel_after_first_response(client: &TestServiceClient) {
    let requests = stream::iter([ping(27_182, 31_415)]).chain(stream::pending());
    let mut replies = block_on_stream(client.full_duplex_call_async(requests, options()));
    assert_eq!(replies.next(), Some(Ok(response(31_415))));
    drop(replies);
    empty_unary(client);
}

fn status_code_and_message(client: &TestServiceClient) {
    assert_eq!(echoed(client, "test status method"), Status::new(Code::Unknown, "test status method"));
    let request = StreamingOutputCallRequest { response_status: status("test status method"), ..Default::default() };
    let replies: Vec<_> = client.full_duplex_call([request], options()).collect();
    assert_eq!(replies, [Err(Status::new(Code::Unknown, "test status method"))]);
}

fn special_status_message(client: &TestServiceClient) {
    let message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    assert_eq!(echoed(client, message), Status::new(Code::Unknown, message));
}

fn unimplemented(channel: &Channel, path: &'static str) {
    let method: Method<Empty, Empty> = Method::new(path);
    assert_eq!(channel.unary(method, &Empty::new(), options()).unwrap_err().code(), Code::Unimplemented);
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

fn zeros(size: usize) -> MessageField<Payload> {
    MessageField::some(Payload { body: vec![0; size], ..Default::default() })
}

fn sizes(sizes: &[i32]) -> Vec<ResponseParameters> {
    sizes.iter().map(|&size| ResponseParameters { size, ..Default::default() }).collect()
}

/// A request that asks for one reply.
fn ping(size: usize, reply_size: i32) -> StreamingOutputCallRequest {
    StreamingOutputCallRequest { payload: zeros(size), response_parameters: sizes(&[reply_size]), ..Default::default() }
}

fn response(size: i32) -> StreamingOutputCallResponse {
    StreamingOutputCallResponse { payload: zeros(size.try_into().unwrap()), ..Default::default() }
}

fn status(message: &str) -> MessageField<EchoStatus> {
    MessageField::some(EchoStatus { code: Code::Unknown.into(), message: message.to_owned(), ..Default::default() })
}

/// Returns the status of a unary RPC that asks for UNKNOWN with this message.
fn echoed(client: &TestServiceClient, message: &str) -> Status {
    let request = SimpleRequest { response_status: status(message), ..Default::default() };
    client.unary_call(&request, options()).unwrap_err()
}
