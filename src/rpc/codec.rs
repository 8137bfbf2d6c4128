//! Messages to bytes and back.
//!
//! To grpcio, requests and replies of a server are bytes: decoding and encoding happen in
//! the adapter, which can then say what was wrong with them.

use grpcio::{GrpcSlice, Marshaller, MessageReader, MethodType};
use protobuf::MessageFull;

use super::{Code, Method, Status};

/// The bytes of `message`.
pub(super) fn encode<M: MessageFull>(message: &M) -> Result<GrpcSlice, Status> {
    let mut slice = GrpcSlice::default();
    match grpcio::pb_ser(message, &mut slice) {
        Ok(()) => Ok(slice),
        Err(error) => Err(Status::new(Code::Internal, format!("cannot encode {}: {}", name::<M>(), reason(error)))),
    }
}

/// The message that `bytes` hold.
pub(super) fn decode<M: MessageFull>(bytes: MessageReader) -> Result<M, Status> {
    grpcio::pb_de(bytes).map_err(|error| undecodable::<M>(error))
}

fn undecodable<M: MessageFull>(error: grpcio::Error) -> Status {
    Status::new(Code::Internal, format!("cannot decode {}: {}", name::<M>(), reason(error)))
}

fn name<M: MessageFull>() -> String {
    M::descriptor().full_name().to_owned()
}

fn reason(error: grpcio::Error) -> String {
    match error {
        grpcio::Error::Codec(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// `method` as a server of grpcio sees it: bytes in, bytes out.
pub(super) fn server_method<Req, Rep>(
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

fn wrong_side() -> grpcio::Error {
    grpcio::Error::Codec("a server neither sends requests nor receives replies".into())
}

/// `method` as a client of grpcio sees it.
pub(super) fn client_method<Req: MessageFull, Rep: MessageFull>(
    method: Method<Req, Rep>,
    ty: MethodType,
) -> grpcio::Method<Req, Rep> {
    grpcio::Method {
        ty,
        name: method.path(),
        req_mar: Marshaller { ser: grpcio::pb_ser, de: grpcio::pb_de },
        resp_mar: Marshaller {
            ser: grpcio::pb_ser,
            de: |bytes| grpcio::pb_de(bytes).map_err(|error| grpcio::Error::Codec(Box::new(undecodable::<Rep>(error)))),
        },
    }
}
