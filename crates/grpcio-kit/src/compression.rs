//! Compressed messages: how servers compress replies and channels requests, and how both are decompressed
//! without letting a small one become a huge one.
//!
//! The C core would decompress a message before anybody can ask for its size: 4 MiB of gzip
//! hold 4 GiB of zeros. So servers and channels tell it to leave messages as they are
//! (`grpc.per_message_decompression` = 0), and they are decompressed here, up to the limit
//! that holds for a message. What the sender's `grpc-encoding` was, and whether it holds for
//! this message, the C core does not pass on; the bytes tell:
//!
//! - gzip begins with 1f 8b. No protobuf message does, for that would be wire type 7.
//! - zlib, which gRPC calls deflate, begins with 78 and a second byte that makes both a multiple of
//!   31, and ends with a checksum. A message may begin so, with field 15; it is taken for what
//!   it is if it does not decompress.

use std::io::{BufRead, Read};

use flate2::bufread::{GzDecoder, ZlibDecoder};
use grpcio::{ChannelBuilder, CompressionAlgorithms, CompressionLevel};

use crate::status::Status;
use crate::status::code::Code;

/// Messages of fewer bytes are not compressed: it would make them longer, or save nothing.
const MIN_COMPRESSED_BYTES: i32 = 1024;

/// zlib's default level, for both algorithms. grpcio's C core would take level 0, which compresses nothing.
const ZLIB_LEVEL: i32 = 6;

/// How a server compresses its replies, or a channel its requests.
///
/// Only messages of 1,024 bytes and more are compressed, and only if that makes them smaller.
/// A server uses only what the caller says that it accepts (`grpc-accept-encoding`); a channel cannot know
/// what the server accepts, and uses what it is told. Compressed messages that come in are accepted
/// in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all, which is the default: it costs CPU time, and the other side may not care.
    #[default]
    Off,
    /// gzip; of a server, deflate for a caller that accepts nothing else.
    Gzip,
    /// deflate; of a server, gzip for a caller that accepts nothing else.
    Deflate,
}

impl Compression {
    /// Tells the C core of a server. An algorithm would be used whether the caller accepts it or not; a level is
    /// looked up among those that it accepts, of which gzip is the first and deflate the last.
    pub(crate) fn configure_server(self, builder: ChannelBuilder) -> ChannelBuilder {
        let builder = tune(builder);
        match self {
            // Its filter is left out then.
            Compression::Off => builder.raw_cfg_int(c"grpc.per_message_compression".into(), 0),
            Compression::Gzip => builder.default_compression_level(CompressionLevel::GRPC_COMPRESS_LEVEL_LOW),
            Compression::Deflate => builder.default_compression_level(CompressionLevel::GRPC_COMPRESS_LEVEL_HIGH),
        }
    }

    /// Tells the C core of a channel. It has no levels for those: nothing is known of the server yet.
    pub(crate) fn configure_channel(self, builder: ChannelBuilder) -> ChannelBuilder {
        let builder = tune(builder);
        match self {
            Compression::Off => builder,
            Compression::Gzip => builder.default_compression_algorithm(CompressionAlgorithms::GRPC_COMPRESS_GZIP),
            Compression::Deflate => builder.default_compression_algorithm(CompressionAlgorithms::GRPC_COMPRESS_DEFLATE),
        }
    }
}

/// What holds for servers and channels.
fn tune(builder: ChannelBuilder) -> ChannelBuilder {
    builder
        .raw_cfg_int(c"grpc.per_message_decompression".into(), 0)
        // Sic.
        .raw_cfg_int(c"grpc.gprc_min_message_size_to_compress".into(), MIN_COMPRESSED_BYTES)
        .raw_cfg_int(c"grpc.gzip_compression_level".into(), ZLIB_LEVEL)
}

/// What has become of a message.
pub(crate) enum Decompressed {
    /// It was not compressed, and has not been touched.
    Unchanged,
    /// What it decompressed to.
    Bytes(Vec<u8>),
}

/// Decompresses a message if it is compressed.
///
/// # Errors
///
/// RESOURCE_EXHAUSTED if it becomes larger than `max_bytes`, INTERNAL if it begins as gzip and goes on as
/// something else: the codes that the C core has for the two.
pub(crate) fn decompress(bytes: &mut impl BufRead, max_bytes: usize) -> Result<Decompressed, Status> {
    let start = bytes.fill_buf().map_err(malformed)?;
    match start {
        [0x1f, ..] => {
            let decompressed = read(GzDecoder::new(bytes), max_bytes)?;
            Ok(Decompressed::Bytes(decompressed.map_err(malformed)?))
        }
        [0x78, ..] => {
            let mut message = Vec::new();
            bytes.read_to_end(&mut message).map_err(malformed)?;
            let decompressed = read(ZlibDecoder::new(message.as_slice()), max_bytes)?;
            Ok(Decompressed::Bytes(decompressed.unwrap_or(message)))
        }
        _ => Ok(Decompressed::Unchanged),
    }
}

fn read(decoder: impl Read, max_bytes: usize) -> Result<std::io::Result<Vec<u8>>, Status> {
    let mut decompressed = Vec::new();
    // One byte more than is allowed tells that there is more.
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    match decoder.take(limit).read_to_end(&mut decompressed) {
        Ok(length) if length > max_bytes => Err(Status::new(
            Code::ResourceExhausted,
            format!("the message is larger than {max_bytes} bytes when it is decompressed"),
        )),
        Ok(_) => Ok(Ok(decompressed)),
        Err(error) => Ok(Err(error)),
    }
}

fn malformed(error: std::io::Error) -> Status {
    Status::new(Code::Internal, format!("cannot decompress the message: {error}"))
}
