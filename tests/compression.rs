//! Compressed replies and requests, by clients that are not ours.

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

/// Both algorithms, and their names on the wire.
const ALGORITHMS: [(Compression, &str); 2] = [(Compression::Gzip, "gzip"), (Compression::Deflate, "deflate")];

fn client(target: &str, compression: Compression) -> KindsClient {
    KindsClient::new(Channel::builder(target).compression(compression).connect().unwrap())
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

/// A shape of this many bytes, up to 16,386: all but three are one string of more than 127.
fn shape(bytes: usize) -> Shape {
    let mut shape = Shape::default();
    shape.set_hand("x".repeat(bytes - 3));
    assert_eq!(shape.compute_size(), bytes as u64);
    shape
}

/// The server's end is Python's HTTP/2 and zlib. It compresses its reply as the request was.
#[test]
fn our_client_compresses_what_is_long_enough_with_what_it_is_told_and_reads_such_replies() {
    for (compression, algorithm) in ALGORITHMS.into_iter().chain([(Compression::Off, "none")]) {
        let server = ServerProcess::start(python("tests/python/compressing.py").arg("frames"));
        let client = client(server.target(), compression);
        for (bytes, compressed) in [(2003, true), (1024, true), (1023, false), (200, false)] {
            let request = shape(bytes);
            assert_eq!(client.unary(&request, options()), Ok(request));
            let how = if compressed && compression != Compression::Off { "compressed" } else { "as it is" };
            assert_eq!(server.next_line(), format!("{algorithm}: {bytes} bytes, {how}"));
        }
    }
}

#[test]
fn our_server_takes_what_our_client_compresses_in_calls_of_every_kind() {
    for (compression, _) in ALGORITHMS {
        let server = echo(compression);
        let client = client(&target(&server), compression);
        for bytes in [200, 2000, 16_000] {
            assert_eq!(client.unary(&shape(bytes), options()), Ok(shape(bytes)));
        }
        let request = Shape { corners: corners(1000), ..Default::default() };
        let replies = client.server_streaming(&request, options());
        assert_eq!(replies.collect::<Result<Vec<_>, _>>(), Ok(corners(1000)));
        // Fields that nobody knows make them long enough; the server skips those.
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
fn a_server_that_does_not_know_the_algorithm_refuses_every_call() {
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
fn a_small_reply_cannot_become_a_huge_one() {
    let server = ServerProcess::start(python("tests/python/compressing.py").arg("bombs"));
    let client = client(server.target(), Compression::Off);
    // As gzip and as deflate; then both again, as if they were not compressed.
    for _ in 0..4 {
        let refused = client.unary(&shape(200), options()).unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        // The C core says so in other words, when it has decompressed it.
        assert_eq!(refused.message(), "the message is larger than 4194304 bytes when it is decompressed");
    }
}
