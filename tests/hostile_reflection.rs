//! The reflection client against hostile servers: it returns an error, and neither hangs nor panics.

use futures::{StreamExt, stream};
use grpcio_kit::proto::grpc_reflection_v1::reflection::server_reflection_response::Message_response as Response;
use grpcio_kit::proto::grpc_reflection_v1::reflection::{
    ErrorResponse, FileDescriptorResponse, ListServiceResponse, ServerReflectionResponse, ServiceResponse,
};
use grpcio_kit::proto::grpc_reflection_v1::reflection_grpc::server_reflection::{NAME, SERVER_REFLECTION_INFO};
use grpcio_kit::reflection_client::{ReflectionClient, ReflectionError};
use grpcio_kit::{Call, CallOptions, Server, ServiceBuilder};
use protobuf::Message;
use protobuf::descriptor::{DescriptorProto, FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto};

use crate::common::process::{calc, stdout_of};
use crate::common::{PATIENCE, channel, start, target};

/// A server that sends this response to every request, over and over, until the client ends the RPC.
fn responding(response: Option<Response>) -> Server {
    let handler = move |_: &Call<'_>, _| {
        let response = ServerReflectionResponse { message_response: response.clone(), ..Default::default() };
        Ok(stream::repeat(response).map(Ok).boxed())
    };
    start(Server::builder().service(ServiceBuilder::new(NAME).bidi_streaming(SERVER_REFLECTION_INFO, handler).build()))
}

fn client(server: &Server) -> ReflectionClient {
    ReflectionClient::new(channel(server), CallOptions::default().timeout(PATIENCE))
}

/// What the client makes of this response to the request for the methods of `A`.
fn methods(response: Option<Response>) -> Result<Vec<String>, ReflectionError> {
    client(&responding(response)).methods("A")
}

fn files(files: &[FileDescriptorProto]) -> Option<Response> {
    encoded(files.iter().map(|file| file.write_to_bytes().unwrap()).collect())
}

fn encoded(files: Vec<Vec<u8>>) -> Option<Response> {
    let files = FileDescriptorResponse { file_descriptor_proto: files, ..Default::default() };
    Some(Response::FileDescriptorResponse(files))
}

fn message(name: &str) -> DescriptorProto {
    DescriptorProto { name: Some(name.into()), ..Default::default() }
}

fn file(message: DescriptorProto) -> FileDescriptorProto {
    FileDescriptorProto { message_type: vec![message], ..Default::default() }
}

/// A file with a service of this name, which has a method `M`.
fn service(name: &str) -> FileDescriptorProto {
    let method = vec![MethodDescriptorProto { name: Some("M".into()), ..Default::default() }];
    let service = ServiceDescriptorProto { name: Some(name.into()), method, ..Default::default() };
    FileDescriptorProto { service: vec![service], ..Default::default() }
}

#[test]
fn a_response_to_another_request_is_an_error() {
    let list = Some(Response::ListServicesResponse(ListServiceResponse::default()));
    let other = files(&[file(message("B"))]);
    let other_service = files(&[service("B")]);
    let other_package = files(&[FileDescriptorProto { package: Some("a".into()), ..service("A") }]);
    let unreadable = encoded(vec![vec![0x0a, 0xff]]);
    // rust-protobuf takes 100 messages inside each other.
    let deep = (0..1000).fold(message("A"), |inner, _| DescriptorProto { nested_type: vec![inner], ..message("A") });
    let deep = files(&[file(deep)]);
    for response in [None, list, files(&[]), other, other_service, other_package, unreadable, deep] {
        let error = methods(response.clone()).unwrap_err();
        assert!(matches!(error, ReflectionError::Malformed(_)), "{response:?}: {error}");
    }
    let error = client(&responding(files(&[]))).services().unwrap_err();
    assert!(matches!(error, ReflectionError::Malformed(_)), "{error}");
}

/// A response that never ends, too.
#[test]
fn the_file_is_found_wherever_it_is_in_the_response() {
    assert_eq!(methods(files(&[file(message("B")), service("B"), service("A")])), Ok(vec!["M".to_owned()]));
}

#[test]
fn a_file_that_imports_itself_is_read_like_any_other() {
    let mut own = service("A");
    own.set_name("a.proto".into());
    own.dependency.push("a.proto".into());
    assert_eq!(methods(files(&[own])), Ok(vec!["M".to_owned()]));
}

#[test]
fn a_message_is_not_a_service() {
    assert_eq!(methods(files(&[file(message("A"))])), Err(ReflectionError::NotAService("A".into())));
}

#[test]
fn nothing_that_a_server_sends_reaches_the_terminal_unescaped() {
    let service = vec![ServiceResponse { name: "a\u{1b}[31m\nb".into(), ..Default::default() }];
    let list = ListServiceResponse { service, ..Default::default() };
    let server = responding(Some(Response::ListServicesResponse(list)));
    assert_eq!(stdout_of(calc(&["list", "--target"]).arg(target(&server))), "a\\u{1b}[31m\\nb\n");

    let error = ErrorResponse { error_code: 5, error_message: "\u{1b}[31m".into(), ..Default::default() };
    let error = methods(Some(Response::ErrorResponse(error))).unwrap_err();
    assert_eq!(error.to_string(), "the server does not know `A`: \u{fffd}[31m");
    let error = ErrorResponse { error_code: 13, error_message: "no".into(), ..Default::default() };
    let error = methods(Some(Response::ErrorResponse(error))).unwrap_err();
    assert_eq!(error.to_string(), "the server refused to answer: INTERNAL: no");
}
