//! Messages to bytes and back.
//!
//! To grpcio, requests and replies of a server are bytes: decoding and encoding happen in
//! the adapter, which can then say what was wrong with them.

use grpcio::{GrpcSlice, Marshaller, MessageReader, MethodType};
use protobuf::MessageFull;

use crate::compression::{Decompressed, decompress};
use crate::method::Method;
use crate::status::Status;
use crate::status::code::Code;
use crate::wire;

/// The bytes of a reply, which may have up to `max_bytes`.
pub(crate) fn encode<M: MessageFull>(reply: &M, max_bytes: usize) -> Result<GrpcSlice, Status> {
    let mut slice = GrpcSlice::default();
    encode_into(reply, &mut slice)?;
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

/// The message that `bytes` hold, which may be compressed; `max_bytes` is the most that it may
/// become when it is not any more.
pub(crate) fn decode<M: MessageFull>(mut bytes: MessageReader, max_bytes: usize) -> Result<M, Status> {
    let length = bytes.len();
    if length > max_bytes {
        // In the C core's words, whose own check takes more time: it is a filter that every call goes through.
        let message = format!("received message larger than max ({length} vs. {max_bytes})");
        return Err(Status::new(Code::ResourceExhausted, message));
    }
    let decoded = match decompress(&mut bytes, max_bytes)? {
        Decompressed::Unchanged => wire::decode(&mut bytes, length),
        Decompressed::Bytes(bytes) => wire::decode(&mut bytes.as_slice(), bytes.len()),
    };
    decoded.map_err(|error| Status::new(Code::Internal, format!("cannot decode {}: {error}", name::<M>())))
}

/// The most that a reply may become when it is decompressed: what the C core takes of one that is not compressed.
const MAX_REPLY_BYTES: usize = 4 * 1024 * 1024;

fn name<M: MessageFull>() -> String {
    M::descriptor().full_name().to_owned()
}

/// `method` as a server of grpcio sees it: bytes in, bytes out.
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

/// How a status goes through grpcio; [`Status::from`] finds it again.
fn codec_error(status: Status) -> grpcio::Error {
    grpcio::Error::Codec(Box::new(status))
}

/// Servers do not send requests, and clients do not receive them.
fn wrong_side() -> grpcio::Error {
    codec_error(Status::new(Code::Internal, "a message in the wrong direction"))
}

/// `method` as a client of grpcio sees it.
pub(crate) fn client_method<Req: MessageFull, Rep: MessageFull>(
    method: Method<Req, Rep>,
    ty: MethodType,
) -> grpcio::Method<Req, Rep> {
    grpcio::Method {
        ty,
        name: method.path(),
        req_mar: Marshaller {
            ser: |request, slice| encode_into(request, slice).map_err(codec_error),
            de: |_| Err(wrong_side()),
        },
        resp_mar: Marshaller {
            ser: |_, _| Err(wrong_side()),
            de: |bytes| decode(bytes, MAX_REPLY_BYTES).map_err(codec_error),
        },
    }
}
