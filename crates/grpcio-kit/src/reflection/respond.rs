//! Responds to the requests of one stream.
//!
//! If nothing is found, the response is an `ErrorResponse`, and the stream goes on. A file is sent with all of its
//! imports, each once per stream, except that the requested file is always sent, as grpc-go does: its clients rely on
//! that. Names have no leading dot, as the protocol defines; grpc-go and C++ find no others.

use std::collections::HashSet;

use protobuf::MessageField;

use super::index::Index;
use crate::reflection::proto::v1::reflection::server_reflection_request::Message_request;
use crate::reflection::proto::v1::reflection::server_reflection_response::Message_response;
use crate::reflection::proto::v1::reflection::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse, ServerReflectionRequest,
    ServerReflectionResponse, ServiceResponse,
};
use crate::status::code::Code;

/// Returns the response to a request. `sent` has the names of the files that have been sent on the stream.
pub(super) fn respond(
    index: &Index,
    sent: &mut HashSet<String>,
    request: ServerReflectionRequest,
) -> ServerReflectionResponse {
    let response = match &request.message_request {
        None => Err((Code::InvalidArgument, "the request is empty".to_owned())),
        Some(message) => find(index, sent, message).ok_or_else(|| (Code::NotFound, not_found(message))),
    };
    let response = response.unwrap_or_else(|(code, message)| {
        let error = ErrorResponse { error_code: code.into(), error_message: message, ..Default::default() };
        Message_response::ErrorResponse(error)
    });
    ServerReflectionResponse {
        valid_host: request.host.clone(),
        original_request: MessageField::some(request),
        message_response: Some(response),
        ..Default::default()
    }
}

fn find(index: &Index, sent: &mut HashSet<String>, request: &Message_request) -> Option<Message_response> {
    let file = match request {
        Message_request::FileByFilename(name) => index.file(name)?,
        Message_request::FileContainingSymbol(name) => index.file_of_symbol(name)?,
        Message_request::FileContainingExtension(extension) => {
            index.file_of_extension(&extension.containing_type, extension.extension_number)?
        }
        Message_request::AllExtensionNumbersOfType(message) => {
            return Some(Message_response::AllExtensionNumbersResponse(ExtensionNumberResponse {
                base_type_name: message.clone(),
                extension_number: index.extension_numbers(message)?,
                ..Default::default()
            }));
        }
        // The protocol ignores its text.
        Message_request::ListServices(_) => {
            let service = |name: &String| ServiceResponse { name: name.clone(), ..Default::default() };
            let service = index.services.iter().map(service).collect();
            let list = ListServiceResponse { service, ..Default::default() };
            return Some(Message_response::ListServicesResponse(list));
        }
    };
    let file_descriptor_proto = index.with_imports(file, sent);
    let files = FileDescriptorResponse { file_descriptor_proto, ..Default::default() };
    Some(Message_response::FileDescriptorResponse(files))
}

fn not_found(request: &Message_request) -> String {
    match request {
        Message_request::FileByFilename(name) => format!("there is no file `{name}`"),
        Message_request::FileContainingSymbol(name) => format!("there is no symbol `{name}`"),
        Message_request::FileContainingExtension(extension) => {
            format!("`{}` has no extension {}", extension.containing_type, extension.extension_number)
        }
        Message_request::AllExtensionNumbersOfType(message) => format!("there is no message `{message}`"),
        Message_request::ListServices(_) => "there are no services".to_owned(),
    }
}
