//! Compressed replies and requests, by clients that are not ours.

use calc::rpc::{Compression, Server};

use crate::common::process::{python, stdout_of};
use crate::common::raw::RawClient;
use crate::common::{start, target};
use crate::kinds::Echo;
use crate::protos::kinds_grpc::kinds_service;

fn echo(compression: Compression) -> Server {
    start(Server::builder().service(kinds_service(Echo)).compression(compression))
}

#[test]
fn replies_are_compressed_with_what_the_caller_accepts() {
    for (compression, algorithm) in [(Compression::Gzip, "gzip"), (Compression::Deflate, "deflate")] {
        let server = echo(compression);
        stdout_of(python("tests/python/compression.py").args([algorithm, &target(&server)]));
    }
}

/// 78 9c begins a zlib stream, and a message whose field 15 has a varint of two bytes.
#[test]
fn a_message_that_begins_as_if_it_were_compressed_is_read_as_it_is() {
    let server = echo(Compression::Off);
    let reply = RawClient::connect(&target(&server)).call("/test.Kinds/Unary", &[0x78, 0x9c, 0x01, 0x22, 1, b'x']);
    assert_eq!(reply, Ok(vec![0x22, 1, b'x']));
}
