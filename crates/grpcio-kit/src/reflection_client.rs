//! A client of server reflection.

use std::time::Duration;

use futures::{StreamExt, future, stream};
use futures_lite::future::block_on;
use futures_timer::Delay;
use protobuf::Message;
use protobuf::descriptor::FileDescriptorProto;

use crate::channel::Channel;
use crate::channel::options::CallOptions;
use crate::reflection::proto::v1::reflection::server_reflection_request::Message_request;
use crate::reflection::proto::v1::reflection::server_reflection_response::Message_response;
use crate::reflection::proto::v1::reflection::{ServerReflectionRequest, ServerReflectionResponse};
use crate::reflection::{V1, V1_ALPHA};
use crate::status::Status;
use crate::status::code::Code;

/// The maximum time that a server may take to end an RPC after its last response.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Why reflection gave no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReflectionError {
    /// The RPC failed.
    #[error("{0}")]
    Status(#[from] Status),
    /// The server implements neither `grpc.reflection.v1` nor `grpc.reflection.v1alpha`.
    #[error("the server does not offer reflection, neither v1 nor v1alpha")]
    NotOffered,
    /// The server does not know the name.
    #[error("the server does not know `{name}`: {message}")]
    NotFound {
        /// The name in the request.
        name: String,
        /// The server's message.
        message: String,
    },
    /// The server responded with another error.
    #[error("the server refused to answer: {code}: {message}")]
    Refused {
        /// The code of its `ErrorResponse`.
        code: Code,
        /// The server's message.
        message: String,
    },
    /// The name belongs to something else, such as a message.
    #[error("`{0}` is not a service")]
    NotAService(String),
    /// The response is malformed, or does not belong to the request.
    #[error("the server's reflection response is invalid: {0}")]
    Malformed(String),
}

/// Lists the services of a server and their methods, by `grpc.reflection.v1`, or by `v1alpha` if the server has only
/// that.
///
/// Each method is a blocking RPC, or two if the server does not implement `v1`.
///
/// # Errors
///
/// Every method returns a [`ReflectionError`].
#[derive(Clone)]
pub struct ReflectionClient {
    channel: Channel,
    options: CallOptions,
}

impl ReflectionClient {
    /// Returns a client on `channel`, whose RPCs have these options.
    pub fn new(channel: Channel, options: CallOptions) -> ReflectionClient {
        ReflectionClient { channel, options }
    }

    /// Returns the full names of the services, in the server's order.
    pub fn services(&self) -> Result<Vec<String>, ReflectionError> {
        match self.request("", Message_request::ListServices(String::new()))? {
            Message_response::ListServicesResponse(list) => {
                Ok(list.service.into_iter().map(|service| service.name).collect())
            }
            _ => Err(missing("a list of services")),
        }
    }

    /// Returns the names of the methods of a service, in the order of its file.
    pub fn methods(&self, service: &str) -> Result<Vec<String>, ReflectionError> {
        let request = Message_request::FileContainingSymbol(service.to_owned());
        let Message_response::FileDescriptorResponse(files) = self.request(service, request)? else {
            return Err(missing("a file"));
        };
        let mut is_defined = false;
        for bytes in &files.file_descriptor_proto {
            let file = FileDescriptorProto::parse_from_bytes(bytes)
                .map_err(|error| ReflectionError::Malformed(format!("a file cannot be decoded: {error}")))?;
            let Some(name) = local_name(&file, service) else { continue };
            if let Some(found) = file.service.iter().find(|service| service.name() == name) {
                return Ok(found.method.iter().map(|method| method.name().to_owned()).collect());
            }
            is_defined |= defines(&file, name);
        }
        Err(if is_defined {
            ReflectionError::NotAService(service.to_owned())
        } else {
            missing("the file that defines the name")
        })
    }

    fn request(&self, name: &str, request: Message_request) -> Result<Message_response, ReflectionError> {
        let request = ServerReflectionRequest { message_request: Some(request), ..Default::default() };
        for method in [V1, V1_ALPHA] {
            let requests = stream::iter([request.clone()]);
            let mut responses = self.channel.bidi_streaming_async(method, requests, self.options.clone());
            match block_on(responses.next()) {
                Some(Ok(response)) => {
                    // Dropping the RPC now would cancel it, and the server's log would tell of an error.
                    block_on(future::select(responses.next(), Delay::new(END_TIMEOUT)));
                    return result(name, response);
                }
                Some(Err(status)) if status.code() == Code::Unimplemented => {}
                Some(Err(status)) => return Err(status.into()),
                None => return Err(missing("a response")),
            }
        }
        Err(ReflectionError::NotOffered)
    }
}

fn result(name: &str, response: ServerReflectionResponse) -> Result<Message_response, ReflectionError> {
    match response.message_response {
        Some(Message_response::ErrorResponse(error)) => {
            let (code, message) = (Code::from(error.error_code), printable(&error.error_message));
            Err(match code {
                Code::NotFound => ReflectionError::NotFound { name: name.to_owned(), message },
                code => ReflectionError::Refused { code, message },
            })
        }
        Some(response) => Ok(response),
        None => Err(missing("the result")),
    }
}

/// Returns a full name without the file's package, if it is in that package.
fn local_name<'a>(file: &FileDescriptorProto, name: &'a str) -> Option<&'a str> {
    match file.package() {
        "" => Some(name),
        package => name.strip_prefix(package)?.strip_prefix('.'),
    }
}

/// Whether `file` defines the symbol of this local name, or the message, enum or service that it would be in.
fn defines(file: &FileDescriptorProto, local_name: &str) -> bool {
    let outermost = local_name.split('.').next();
    let messages = file.message_type.iter().map(|message| message.name());
    let enums = file.enum_type.iter().map(|enumeration| enumeration.name());
    let values = file.enum_type.iter().flat_map(|enumeration| &enumeration.value).map(|value| value.name());
    let extensions = file.extension.iter().map(|extension| extension.name());
    let services = file.service.iter().map(|service| service.name());
    messages.chain(enums).chain(values).chain(extensions).chain(services).any(|name| Some(name) == outermost)
}

fn missing(what: &str) -> ReflectionError {
    ReflectionError::Malformed(format!("{what} is missing"))
}

/// Replaces control characters, which could upset a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
