//! Asking a server what it serves.

use std::time::Duration;

use futures::executor::block_on;
use futures::{StreamExt, future, stream};
use futures_timer::Delay;
use protobuf::Message;
use protobuf::descriptor::FileDescriptorProto;

use crate::channel::Channel;
use crate::channel::options::CallOptions;
use crate::reflection::proto::v1::reflection::ServerReflectionRequest;
use crate::reflection::proto::v1::reflection::server_reflection_request::Message_request as Request;
use crate::reflection::proto::v1::reflection::server_reflection_response::Message_response as Answer;
use crate::reflection::symbol::{self, Symbol};
use crate::reflection::{Response, V1, V1_ALPHA};
use crate::status::Status;
use crate::status::code::Code;

/// The most files that are looked at in one answer.
const MAX_FILES: usize = 10_000;

/// How long a server has to end a call after its last response.
const END_BOUND: Duration = Duration::from_secs(1);

/// Why reflection did not answer a question.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReflectionError {
    /// The call failed.
    #[error("{0}")]
    Status(#[from] Status),
    /// The server knows neither `grpc.reflection.v1` nor `grpc.reflection.v1alpha`.
    #[error("the server does not offer reflection, neither v1 nor v1alpha")]
    NotOffered,
    /// The server does not know what was asked for.
    #[error("the server does not know `{name}`: {message}")]
    NotFound {
        /// The name that was asked for.
        name: String,
        /// The reason, as the server gave it.
        message: String,
    },
    /// The server refused the question for another reason.
    #[error("the server refused to answer: {code}: {message}")]
    Refused {
        /// The code of its `ErrorResponse`.
        code: Code,
        /// The reason, as the server gave it.
        message: String,
    },
    /// The name is that of something else, such as a message.
    #[error("`{0}` is not a service")]
    NotAService(String),
    /// The server answered with something that was not asked for, or that is not well-formed.
    #[error("the server's answer makes no sense: {0}")]
    Malformed(String),
}

/// Asks a server about its services, by `grpc.reflection.v1`, or by `v1alpha` where that is
/// all it has.
///
/// Each question is a call of its own and waits for its answer; where `v1` is not served, it is
/// two, and twice that for a name that the server does not know. An answer may be as large as the channel allows; of its files, 10,000 are looked at.
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
    /// A client of the server at the other end of `channel`. Each call has these options.
    pub fn new(channel: Channel, options: CallOptions) -> ReflectionClient {
        ReflectionClient { channel, options }
    }

    /// The full names of the services, as the server orders them.
    pub fn services(&self) -> Result<Vec<String>, ReflectionError> {
        match self.ask("", Request::ListServices(String::new()))? {
            Answer::ListServicesResponse(list) => Ok(list.service.into_iter().map(|service| service.name).collect()),
            _ => Err(unexpected("a list of services")),
        }
    }

    /// The names of the methods of a service, in the order of its file.
    pub fn methods(&self, service: &str) -> Result<Vec<String>, ReflectionError> {
        let file = self.file_of_symbol(service)?;
        match symbol::find(&file, service) {
            Some(Symbol::Service(service)) => {
                Ok(service.method.iter().map(|method| method.name().to_owned()).collect())
            }
            Some(_) => Err(ReflectionError::NotAService(service.to_owned())),
            None => Err(unexpected("the file that defines what was asked for")),
        }
    }

    /// The file of this name.
    pub fn file(&self, name: &str) -> Result<FileDescriptorProto, ReflectionError> {
        let answer = self.ask(name, Request::FileByFilename(name.to_owned()))?;
        find(answer, |file| file.name() == name)
    }

    /// The file that defines a message, enum, service, method, field, oneof, enum value or
    /// extension of this full name.
    pub fn file_of_symbol(&self, name: &str) -> Result<FileDescriptorProto, ReflectionError> {
        let ask = |asked: &str| self.ask(name, Request::FileContainingSymbol(asked.to_owned()));
        let defines_it = |file: &FileDescriptorProto| symbol::find(file, name).is_some();
        match (ask(name), name.rsplit_once('.')) {
            // Python's servers find services and messages, and not what is in them.
            (Err(unknown @ ReflectionError::NotFound { .. }), Some((scope, _))) => match ask(scope) {
                Ok(answer) => find(answer, defines_it).map_err(|_| unknown),
                Err(ReflectionError::NotFound { .. }) => Err(unknown),
                Err(error) => Err(error),
            },
            (answer, _) => find(answer?, defines_it),
        }
    }

    fn ask(&self, name: &str, request: Request) -> Result<Answer, ReflectionError> {
        let request = ServerReflectionRequest { message_request: Some(request), ..Default::default() };
        for method in [V1, V1_ALPHA] {
            let requests = stream::iter([request.clone()]);
            let mut responses = self.channel.bidi_streaming_async(method, requests, self.options.clone());
            match block_on(responses.next()) {
                Some(Ok(response)) => {
                    // Whoever drops the call now cancels it, and the server's log would say so.
                    block_on(future::select(responses.next(), Delay::new(END_BOUND)));
                    return answer_of(name, response);
                }
                Some(Err(status)) if status.code() == Code::Unimplemented => {}
                Some(Err(status)) => return Err(status.into()),
                None => return Err(unexpected("a response")),
            }
        }
        Err(ReflectionError::NotOffered)
    }
}

fn answer_of(name: &str, response: Response) -> Result<Answer, ReflectionError> {
    match response.message_response {
        Some(Answer::ErrorResponse(error)) => {
            let (code, message) = (Code::from(error.error_code), printable(&error.error_message));
            Err(match code {
                Code::NotFound => ReflectionError::NotFound { name: name.to_owned(), message },
                code => ReflectionError::Refused { code, message },
            })
        }
        Some(answer) => Ok(answer),
        None => Err(unexpected("an answer")),
    }
}

/// The one among the files of an answer.
fn find(answer: Answer, wanted: impl Fn(&FileDescriptorProto) -> bool) -> Result<FileDescriptorProto, ReflectionError> {
    let Answer::FileDescriptorResponse(files) = answer else {
        return Err(unexpected("files"));
    };
    for bytes in files.file_descriptor_proto.iter().take(MAX_FILES) {
        let file = FileDescriptorProto::parse_from_bytes(bytes)
            .map_err(|error| ReflectionError::Malformed(format!("a file in it cannot be decoded: {error}")))?;
        if wanted(&file) {
            return Ok(file);
        }
    }
    Err(unexpected("the file that defines what was asked for"))
}

fn unexpected(missing: &str) -> ReflectionError {
    ReflectionError::Malformed(format!("{missing} is missing"))
}

/// `text` without what could upset a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
