//! Encodes and decodes messages, within the size limits.
//!
//! grpcio's marshallers are plain functions, which know no limit, and their errors reach no interceptor. So grpcio
//! passes received messages on as bytes: servers decode and encode in the adapter, channels decode where they await the
//! reply.

use std::io::BufRead;

use grpcio::{GrpcSlice, Marshaller, MessageReader, MethodType};
use protobuf::MessageFull;

use crate::compression::decompress;
use crate::method::Method;
use crate::status::Status;
use crate::status::code::Code;
use crate::wire;

/// Encodes a request.
pub(crate) fn encode_request<M: MessageFull>(request: &M) -> Result<GrpcSlice, Status> {
    let mut slice = GrpcSlice::default();
    encode_into(request, &mut slice)?;
    Ok(slice)
}

/// Encodes a reply of a server; RESOURCE_EXHAUSTED if it is larger than `max_bytes`.
pub(crate) fn encode<M: MessageFull>(reply: &M, max_bytes: usize) -> Result<GrpcSlice, Status> {
    let slice = encode_request(reply)?;
    if slice.len() > max_bytes {
        let message = format!("the reply has {} bytes, and this server sends {max_bytes} at most", slice.len());
        return Err(Status::new(Code::ResourceExhausted, message));
    }
    Ok(slice)
}

fn encode_into<M: MessageFull>(message: &M, slice: &mut GrpcSlice) -> Result<(), Status> {
    grpcio::pb_ser(message, slice)
        .map_err(|error| Status::new(Code::Internal, format!("cannot encode {}: {error}", name::<M>())))
}

/// Decodes a message that grpcio received.
pub(crate) fn decode<M: MessageFull>(bytes: MessageReader, max_bytes: usize) -> Result<M, Status> {
    let length = bytes.len();
    decode_bytes(bytes, length, max_bytes)
}

/// Decodes a message of `length` bytes, which may be compressed; RESOURCE_EXHAUSTED if it is larger than `max_bytes`,
/// before or after it is decompressed.
pub(crate) fn decode_bytes<M: MessageFull>(
    mut bytes: impl BufRead,
    length: usize,
    max_bytes: usize,
) -> Result<M, Status> {
    if length > max_bytes {
        // The C core's wording. Its own check is off: it is a filter that costs time in every call.
        let message = format!("received message larger than max ({length} vs. {max_bytes})");
        return Err(Status::new(Code::ResourceExhausted, message));
    }
    let decoded = match decompress(&mut bytes, max_bytes)? {
        None => wire::decode(&mut bytes, length),
        Some(bytes) => wire::decode(&mut bytes.as_slice(), bytes.len()),
    };
    decoded.map_err(|error| Status::new(Code::Internal, format!("cannot decode {}: {error}", name::<M>())))
}

fn name<M: MessageFull>() -> String {
    M::descriptor().full_name().to_owned()
}

/// Returns `method` for a server of grpcio: bytes in, bytes out.
pub(crate) fn server_method<Req, Rep>(
    method: Method<Req, Rep>,
    ty: MethodType,
) -> grpcio::Method<MessageReader, GrpcSlice> {
    grpcio::Method {
        ty,
        name: method.path(),
        req_mar: Marshaller { ser: |_, _| Err(wrong_side()), de: Ok },
        resp_mar: Marshaller {
            ser: |slice, buffer| {
                *buffer = slice.clone();
                Ok(())
            },
            de: |_| Err(wrong_side()),
        },
    }
}

/// Passes a status through grpcio; [`Status::from`] extracts it again.
fn codec_error(status: Status) -> grpcio::Error {
    grpcio::Error::Codec(Box::new(status))
}

/// Servers do not send requests, and clients do not receive them.
fn wrong_side() -> grpcio::Error {
    codec_error(Status::new(Code::Internal, "a message was sent in the wrong direction"))
}

/// Returns `method` for a client of grpcio: messages out, bytes in.
pub(crate) fn client_method<Req: MessageFull, Rep>(
    method: Method<Req, Rep>,
    ty: MethodType,
) -> grpcio::Method<Req, MessageReader> {
    grpcio::Method {
        ty,
        name: method.path(),
        req_mar: Marshaller {
            ser: |request, slice| encode_into(request, slice).map_err(codec_error),
            de: |_| Err(wrong_side()),
        },
        resp_mar: Marshaller { ser: |_, _| Err(wrong_side()), de: Ok },
    }
}
