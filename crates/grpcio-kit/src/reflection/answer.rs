//! From a request to its response.
//!
//! What is not found is an `ErrorResponse`, and the stream goes on. A file is sent with all
//! that it imports, each once in a stream; the file that was asked for is sent at any rate, as
//! grpc-go does: its clients rely on it being there. Names are written as the protocol has
//! them, without a dot in front; grpc-go and C++ find no other.

use std::collections::HashSet;
use std::sync::Arc;

use protobuf::MessageField;

use super::Response;
use super::index::{FileId, Index};
use crate::reflection::proto::v1::reflection::server_reflection_request::Message_request as Request;
use crate::reflection::proto::v1::reflection::server_reflection_response::Message_response as Answer;
use crate::reflection::proto::v1::reflection::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse, ServerReflectionRequest,
    ServiceResponse,
};
use crate::status::code::Code;

/// The answers to the requests of one stream.
pub(super) struct Answers {
    index: Arc<Index>,
    /// The files that are on their way already.
    sent: HashSet<FileId>,
}

impl Answers {
    pub fn new(index: Arc<Index>) -> Answers {
        Answers { index, sent: HashSet::new() }
    }

    /// The response to a request.
    pub fn answer(&mut self, request: ServerReflectionRequest) -> Response {
        let answer = match &request.message_request {
            None => Err((Code::InvalidArgument, "the request asks for nothing".to_owned())),
            Some(asked) => self.find(asked).ok_or_else(|| (Code::NotFound, not_found(asked))),
        };
        let answer = answer.unwrap_or_else(|(code, message)| {
            let error = ErrorResponse { error_code: code.into(), error_message: message, ..Default::default() };
            Answer::ErrorResponse(error)
        });
        Response {
            valid_host: request.host.clone(),
            original_request: MessageField::some(request),
            message_response: Some(answer),
            ..Default::default()
        }
    }

    fn find(&mut self, asked: &Request) -> Option<Answer> {
        let file = match asked {
            Request::FileByFilename(name) => self.index.file(name)?,
            Request::FileContainingSymbol(name) => self.index.file_of_symbol(name)?,
            Request::FileContainingExtension(extension) => {
                self.index.file_of_extension(&extension.containing_type, extension.extension_number)?
            }
            Request::AllExtensionNumbersOfType(message) => {
                return Some(Answer::AllExtensionNumbersResponse(ExtensionNumberResponse {
                    base_type_name: message.clone(),
                    extension_number: self.index.extension_numbers(message)?,
                    ..Default::default()
                }));
            }
            // Its text is not checked, as the protocol has it.
            Request::ListServices(_) => {
                let service = |name: &String| ServiceResponse { name: name.clone(), ..Default::default() };
                let service = self.index.services().iter().map(service).collect();
                return Some(Answer::ListServicesResponse(ListServiceResponse { service, ..Default::default() }));
            }
        };
        let file_descriptor_proto = self.index.with_imports(file, &mut self.sent);
        Some(Answer::FileDescriptorResponse(FileDescriptorResponse { file_descriptor_proto, ..Default::default() }))
    }
}

fn not_found(asked: &Request) -> String {
    match asked {
        Request::FileByFilename(name) => format!("there is no file `{name}`"),
        Request::FileContainingSymbol(name) => format!("nothing is called `{name}`"),
        Request::FileContainingExtension(extension) => {
            format!("`{}` has no extension {}", extension.containing_type, extension.extension_number)
        }
        Request::AllExtensionNumbersOfType(message) => format!("there is no message `{message}`"),
        Request::ListServices(_) => "there are no services".to_owned(),
    }
}
