//! Servers whose reflection makes no sense: the client says so, and neither hangs nor panics.

use futures::{StreamExt, stream};
use grpcio_kit::proto::grpc_reflection_v1::reflection::server_reflection_response::Message_response as Answer;
use grpcio_kit::proto::grpc_reflection_v1::reflection::{
    ErrorResponse, FileDescriptorResponse, ListServiceResponse, ServerReflectionResponse, ServiceResponse,
};
use grpcio_kit::proto::grpc_reflection_v1::reflection_grpc::server_reflection::{NAME, SERVER_REFLECTION_INFO};
use grpcio_kit::reflection_client::{ReflectionClient, ReflectionError};
use grpcio_kit::{Call, CallOptions, Server, ServiceBuilder};
use protobuf::Message;
use protobuf::descriptor::{DescriptorProto, FileDescriptorProto};

use crate::common::process::{calc, stdout_of};
use crate::common::{PATIENCE, channel, start, target};

/// A server that answers every question with this, over and over, until it is left.
fn answering(answer: Option<Answer>) -> Server {
    let handler = move |_: &Call<'_>, _| {
        let response = ServerReflectionResponse { message_response: answer.clone(), ..Default::default() };
        Ok(stream::repeat(response).map(Ok).boxed())
    };
    start(Server::builder().service(ServiceBuilder::new(NAME).bidi_streaming(SERVER_REFLECTION_INFO, handler).build()))
}

fn client(server: &Server) -> ReflectionClient {
    ReflectionClient::new(channel(server), CallOptions::default().timeout(PATIENCE))
}

/// What becomes of the question for `A`.
fn describe(answer: Option<Answer>) -> Result<FileDescriptorProto, ReflectionError> {
    client(&answering(answer)).file_of_symbol("A")
}

fn files(files: Vec<Vec<u8>>) -> Option<Answer> {
    Some(Answer::FileDescriptorResponse(FileDescriptorResponse { file_descriptor_proto: files, ..Default::default() }))
}

fn message(name: &str) -> DescriptorProto {
    DescriptorProto { name: Some(name.into()), ..Default::default() }
}

fn file(message: DescriptorProto) -> FileDescriptorProto {
    FileDescriptorProto { message_type: vec![message], ..Default::default() }
}

#[test]
fn an_answer_to_another_question_is_an_error() {
    let list = Some(Answer::ListServicesResponse(ListServiceResponse::default()));
    let other = file(message("B")).write_to_bytes().unwrap();
    let unreadable = vec![0x0a, 0xff];
    // rust-protobuf takes 100 messages inside each other.
    let deep = (0..1000).fold(message("A"), |inner, _| DescriptorProto { nested_type: vec![inner], ..message("A") });
    let deep = file(deep).write_to_bytes().unwrap();
    for answer in [None, list, files(vec![]), files(vec![other]), files(vec![unreadable]), files(vec![deep])] {
        let error = describe(answer.clone()).unwrap_err();
        assert!(matches!(error, ReflectionError::Malformed(_)), "{answer:?}: {error}");
    }
    let error = client(&answering(files(vec![]))).services().unwrap_err();
    assert!(matches!(error, ReflectionError::Malformed(_)), "{error}");
}

/// An answer that never ends, too.
#[test]
fn the_file_is_found_wherever_it_is_in_the_answer() {
    let [one, other] = ["A", "B"].map(|name| file(message(name)));
    let answer = files([&other, &one].map(|file| file.write_to_bytes().unwrap()).to_vec());
    assert_eq!(describe(answer), Ok(one));
}

#[test]
fn files_that_import_each_other_are_files() {
    let mut own = file(message("A"));
    own.set_name("a.proto".into());
    own.dependency.push("a.proto".into());
    assert_eq!(describe(files(vec![own.write_to_bytes().unwrap()])), Ok(own.clone()));
}

#[test]
fn nothing_that_a_server_says_reaches_the_terminal_as_it_is() {
    let service = vec![ServiceResponse { name: "a\u{1b}[31m\nb".into(), ..Default::default() }];
    let list = ListServiceResponse { service, ..Default::default() };
    let server = answering(Some(Answer::ListServicesResponse(list)));
    assert_eq!(stdout_of(calc(&["list", "--target"]).arg(target(&server))), "a\\u{1b}[31m\\nb\n");

    let error = ErrorResponse { error_code: 5, error_message: "\u{1b}[31m".into(), ..Default::default() };
    let error = describe(Some(Answer::ErrorResponse(error))).unwrap_err();
    assert_eq!(error.to_string(), "the server does not know `A`: \u{fffd}[31m");
    let error = ErrorResponse { error_code: 13, error_message: "no".into(), ..Default::default() };
    let error = describe(Some(Answer::ErrorResponse(error))).unwrap_err();
    assert_eq!(error.to_string(), "the server refused to answer: INTERNAL: no");
}
