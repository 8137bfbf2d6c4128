//! Server reflection: what a server says of its own services, and how to ask it.
//!
//! The [protocol](https://github.com/grpc/grpc/blob/master/doc/server-reflection.md) has two
//! names, `grpc.reflection.v1` and its predecessor `grpc.reflection.v1alpha`. On the wire they
//! are the same, so one implementation, on the messages of `v1`, stands behind both.
//!
//! | module | what it is about |
//! |---|---|
//! | `index` | the files of a server, and which of them defines what |
//! | `symbol` | everything in a file that has a name |
//! | `answer` | from a request to its response |
//!
//! A server gets it by [`ServerBuilder::reflection`](crate::ServerBuilder::reflection).

mod answer;
mod index;
/// Generated code, by the versions of the protocol.
pub(crate) mod proto;
pub(crate) mod symbol;

use std::sync::Arc;

use futures::StreamExt;
use protobuf::reflect::FileDescriptor;

use crate::call::Call;
use crate::call::stream::RequestStream;
use crate::method::Method;
use crate::reflection::proto::v1::reflection::{self as messages, ServerReflectionRequest};
use crate::reflection::proto::v1::reflection_grpc::server_reflection as v1;
use crate::reflection::proto::v1alpha::reflection as messages_alpha;
use crate::reflection::proto::v1alpha::reflection_grpc::server_reflection as v1alpha;
use crate::reply::ReplyStream;
use crate::service::{Service, ServiceBuilder};
use crate::status::Status;
use answer::Answers;
use index::Index;

pub use index::Conflict;

pub(crate) type Response = messages::ServerReflectionResponse;

/// The method under its name of `v1`.
pub(crate) const V1: Method<ServerReflectionRequest, Response> = v1::SERVER_REFLECTION_INFO;

/// The same under its name of `v1alpha`.
pub(crate) const V1_ALPHA: Method<ServerReflectionRequest, Response> =
    Method::new(v1alpha::SERVER_REFLECTION_INFO.path());

/// The two services that reflect `services`, the files that define them, `files`, and
/// themselves.
pub(crate) fn services(services: &[Service], mut files: Vec<FileDescriptor>) -> Result<[Service; 2], Conflict> {
    files.extend(services.iter().filter_map(|service| service.file.clone()));
    files.push(messages::file_descriptor().clone());
    files.push(messages_alpha::file_descriptor().clone());
    let names = services.iter().map(Service::name).chain([v1::NAME, v1alpha::NAME]).map(str::to_owned).collect();
    let index = Arc::new(Index::new(names, &files)?);
    let service = |name, file, method| {
        let index = Arc::clone(&index);
        let answer = move |_: &Call<'_>, requests| Ok(answers(&index, requests));
        ServiceBuilder::new(name).described_by(file).bidi_streaming(method, answer).build()
    };
    Ok([
        service(v1::NAME, messages::file_descriptor(), V1),
        service(v1alpha::NAME, messages_alpha::file_descriptor(), V1_ALPHA),
    ])
}

/// The responses to the requests of a call, one for each.
fn answers(index: &Arc<Index>, requests: RequestStream<ServerReflectionRequest>) -> ReplyStream<Response> {
    let mut answers = Answers::new(Arc::clone(index));
    requests.map(move |request| Ok::<_, Status>(answers.answer(request?))).boxed()
}
