//! The [server reflection](https://grpc.io/docs/guides/reflection/) service.
//!
//! The [protocol](https://github.com/grpc/grpc/blob/master/doc/server-reflection.md) has two names,
//! `grpc.reflection.v1` and its predecessor `grpc.reflection.v1alpha`. They are identical on the wire, so one
//! implementation, on the messages of `v1`, serves both.
//!
//! Enable it with [`ServerBuilder::reflection`](crate::ServerBuilder::reflection).

mod index;
/// Generated code, by the versions of the protocol.
pub(crate) mod proto;
mod respond;
mod symbol;

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt;
use protobuf::reflect::FileDescriptor;

use crate::call::Call;
use crate::call::stream::RequestStream;
use crate::method::Method;
use crate::reflection::proto::v1::reflection::{self as messages, ServerReflectionRequest, ServerReflectionResponse};
use crate::reflection::proto::v1::reflection_grpc::server_reflection as v1;
use crate::reflection::proto::v1alpha::reflection as messages_alpha;
use crate::reflection::proto::v1alpha::reflection_grpc::server_reflection as v1alpha;
use crate::service::{Service, ServiceBuilder};
use index::Index;
use respond::respond;

pub use index::Conflict;

/// The method of `v1`.
pub(crate) const V1: Method<ServerReflectionRequest, ServerReflectionResponse> = v1::SERVER_REFLECTION_INFO;

/// The method of `v1alpha`, with the messages of `v1`.
pub(crate) const V1_ALPHA: Method<ServerReflectionRequest, ServerReflectionResponse> =
    Method::new(v1alpha::SERVER_REFLECTION_INFO.path());

/// Returns the two services that reflect `services`, the files that define them, `files`, and themselves.
pub(crate) fn services(services: &[Service], mut files: Vec<FileDescriptor>) -> Result<[Service; 2], Conflict> {
    files.extend(services.iter().filter_map(|service| service.file.clone()));
    files.push(messages::file_descriptor().clone());
    files.push(messages_alpha::file_descriptor().clone());
    let names = services.iter().map(Service::name).chain([v1::NAME, v1alpha::NAME]).map(str::to_owned).collect();
    let index = Arc::new(Index::new(names, &files)?);
    let service = |name, file, method| {
        let index = Arc::clone(&index);
        let respond = move |_: &Call<'_>, requests: RequestStream<ServerReflectionRequest>| {
            let (index, mut sent) = (Arc::clone(&index), HashSet::new());
            Ok(requests.map(move |request| Ok(respond(&index, &mut sent, request?))).boxed())
        };
        ServiceBuilder::new(name).described_by(file).bidi_streaming(method, respond).build()
    };
    Ok([
        service(v1::NAME, messages::file_descriptor(), V1),
        service(v1alpha::NAME, messages_alpha::file_descriptor(), V1_ALPHA),
    ])
}
