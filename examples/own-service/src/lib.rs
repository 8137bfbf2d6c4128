//! The gRPC services of a shop: what its server and its client share.

pub mod service;

/// Generated from `protos/`: messages in `stock`, services and clients in `stock_grpc`.
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/stock/mod.rs"));
}
