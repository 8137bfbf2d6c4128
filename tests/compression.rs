//! Compression of replies and requests, with independent clients and servers.

use grpcio_kit::{CallOptions, Channel, Code, Compression, Server};
use protobuf::Message;

use crate::common::process::{ServerProcess, python, stdout_of};
use crate::common::raw::RawClient;
use crate::common::{PATIENCE, start, target};
use crate::kinds::{Echo, corners, radius};
use crate::protos::kinds_grpc::{KindsClient, kinds_service};
use crate::protos::shapes::Shape;
use crate::protos::shapes::shape::Corner;

fn echo(compression: Compression) -> Server {
    start(Server::builder().service(kinds_service(Echo)).compression(compression))
}

#[test]
fn replies_are_compressed_with_an_algorithm_that_the_client_accepts() {
    for (compression, algorithm) in [(Compression::Gzip, "gzip"), (Compression::Deflate, "deflate")] {
        let server = echo(compression);
        stdout_of(python("tests/python/compression.py").args([algorithm, &target(&server)]));
    }
}

/// 78 9c begins a zlib stream, and a message whose field 15 has a varint of two bytes.
#[test]
fn a_message_that_begins_like_a_zlib_stream_is_not_decompressed() {
    let server = echo(Compression::Off);
    let reply = RawClient::connect(&target(&server)).call("/test.Kinds/Unary", &[0x78, 0x9c, 0x01, 0x22, 1, b'x']);
    assert_eq!(reply, Ok(vec![0x22, 1, b'x']));
}

/// The algorithms and their names in `grpc-encoding`.
const ALGORITHMS: [(Compression, &str); 2] = [(Compression::Gzip, "gzip"), (Compression::Deflate, "deflate")];

fn client(target: &str, compression: Compression) -> KindsClient {
    KindsClient::new(Channel::builder(target).compression(compression).connect().unwrap())
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

/// A shape of this many bytes, up to 16,386: three, and a string of more than 127.
fn shape(bytes: usize) -> Shape {
    let mut shape = Shape::default();
    shape.set_hand("x".repeat(bytes - 3));
    assert_eq!(shape.compute_size(), bytes as u64);
    shape
}

/// The server is Python's HTTP/2 and zlib. It compresses its reply as the request was.
#[test]
fn our_client_compresses_requests_of_at_least_1_024_bytes_and_reads_compressed_replies() {
    for (compression, algorithm) in ALGORITHMS.into_iter().chain([(Compression::Off, "none")]) {
        let server = ServerProcess::start(python("tests/python/compressing.py").arg("frames"));
        let client = client(server.target(), compression);
        for (bytes, compressed) in [(2003, true), (1024, true), (1023, false), (200, false)] {
            let request = shape(bytes);
            assert_eq!(client.unary(&request, options()), Ok(request));
            let how = if compressed && compression != Compression::Off { "compressed" } else { "uncompressed" };
            assert_eq!(server.next_line(), format!("{algorithm}: {bytes} bytes, {how}"));
        }
    }
}

#[test]
fn our_server_reads_compressed_requests_of_every_kind_of_method() {
    for (compression, _) in ALGORITHMS {
        let server = echo(compression);
        let client = client(&target(&server), compression);
        for bytes in [200, 2000, 16_000] {
            assert_eq!(client.unary(&shape(bytes), options()), Ok(shape(bytes)));
        }
        let request = Shape { corners: corners(1000), ..Default::default() };
        let replies = client.server_streaming(&request, options());
        assert_eq!(replies.collect::<Result<Vec<_>, _>>(), Ok(corners(1000)));
        // Unknown fields make them long enough; the server ignores those.
        let long = |mut corner: Corner| {
            corner.mut_unknown_fields().add_length_delimited(15, vec![0; 2000]);
            corner
        };
        let sent: Vec<_> = corners(3).into_iter().map(long).collect();
        assert_eq!(client.client_streaming(sent, options()).unwrap().corners, corners(3));
        let mut radius = radius(2.5);
        radius.mut_unknown_fields().add_length_delimited(15, vec![0; 2000]);
        let replies: Vec<_> =
            client.bidi_streaming(vec![radius; 3], options()).map(|reply| reply.unwrap().text).collect();
        assert_eq!(replies, ["2.5"; 3]);
    }
}

#[test]
fn a_server_that_does_not_support_the_algorithm_fails_every_rpc() {
    let server = ServerProcess::start(python("tests/python/compressing.py").arg("identity"));
    assert_eq!(client(server.target(), Compression::Off).unary(&shape(2000), options()), Ok(shape(2000)));
    for (compression, _) in ALGORITHMS {
        let client = client(server.target(), compression);
        for bytes in [200, 2000] {
            let refused = client.unary(&shape(bytes), options()).unwrap_err();
            assert_eq!(refused.code(), Code::Unimplemented, "{refused}");
        }
    }
}

/// 4 MiB of gzip hold 4 GiB of zeros.
#[test]
fn the_decompressed_size_of_a_reply_is_limited() {
    let server = ServerProcess::start(python("tests/python/compressing.py").arg("bombs"));
    let client = client(server.target(), Compression::Off);
    // gzip and deflate; then both again, without the flag that says that they are compressed.
    for _ in 0..4 {
        let refused = client.unary(&shape(200), options()).unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        // The C core's own message, after decompressing it, would be another.
        assert_eq!(refused.message(), "the message is larger than 4194304 bytes when it is decompressed");
    }
}
