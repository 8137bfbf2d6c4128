//! [Compression](https://github.com/grpc/grpc/blob/master/doc/compression.md) of messages with gzip and deflate, with a
//! limit on the decompressed size.
//!
//! The C core decompresses a message before its decompressed size can be checked: 4 MiB of gzip can hold 4 GiB of zeros.
//! So its decompression is off (`grpc.per_message_decompression` = 0), and messages are decompressed here, up to the
//! message size limit. The C core does not pass on `grpc-encoding`, nor whether a message was compressed; its first bytes
//! tell:
//!
//! - gzip begins with 1f 8b. No protobuf message does: the first byte would be wire type 7.
//! - zlib, which gRPC calls deflate, begins with 78 and a second byte that makes both a multiple of 31, and ends with a
//!   checksum. A message can begin with 78, as field 15; if it does not decompress, it was not compressed.

use std::ffi::CStr;
use std::io::{BufRead, Read};

use flate2::bufread::{GzDecoder, ZlibDecoder};
use grpcio::{ChannelBuilder, CompressionAlgorithms, CompressionLevel};

use crate::status::Status;
use crate::status::code::Code;

/// Minimum size of a message to compress, in bytes: smaller ones would gain nothing.
const MIN_COMPRESSED_BYTES: i32 = 1024;

/// zlib's default level, for both algorithms. The C core's default is 0, which compresses nothing.
const ZLIB_LEVEL: i32 = 6;

/// How a server compresses its replies, or a channel its requests.
///
/// Messages of 1,024 bytes or more are compressed if that makes them smaller. A server uses an algorithm that the client
/// accepts (`grpc-accept-encoding`); a channel does not know what the server accepts, and uses this one. Either accepts
/// compressed messages with any setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// No compression, the default: compression costs CPU time.
    #[default]
    Off,
    /// gzip; a server uses deflate for clients that accept only that.
    Gzip,
    /// deflate; a server uses gzip for clients that accept only that.
    Deflate,
}

impl Compression {
    /// Configures a server with a compression level: the C core maps it to an algorithm that the client accepts, the
    /// lowest to gzip and the highest to deflate. It would use an algorithm whether the client accepts it or not.
    pub(crate) fn configure_server(self, builder: ChannelBuilder) -> ChannelBuilder {
        let builder = ARGS.into_iter().fold(builder, |builder, (key, value)| builder.raw_cfg_int(key.into(), value));
        match self {
            // Leaves the filter out.
            Compression::Off => builder.raw_cfg_int(c"grpc.per_message_compression".into(), 0),
            Compression::Gzip => builder.default_compression_level(CompressionLevel::GRPC_COMPRESS_LEVEL_LOW),
            Compression::Deflate => builder.default_compression_level(CompressionLevel::GRPC_COMPRESS_LEVEL_HIGH),
        }
    }

    /// Returns the arguments of a channel, with an algorithm: the C core has no levels for channels.
    pub(crate) fn channel_args(self) -> Vec<(&'static CStr, i32)> {
        let algorithm = match self {
            Compression::Off => None,
            Compression::Gzip => Some(CompressionAlgorithms::GRPC_COMPRESS_GZIP),
            Compression::Deflate => Some(CompressionAlgorithms::GRPC_COMPRESS_DEFLATE),
        };
        let algorithm = algorithm.map(|algorithm| (c"grpc.default_compression_algorithm", algorithm as i32));
        ARGS.into_iter().chain(algorithm).collect()
    }
}

/// Arguments of both servers and channels.
const ARGS: [(&CStr, i32); 3] = [
    (c"grpc.per_message_decompression", 0),
    // The name is misspelt in the C core.
    (c"grpc.gprc_min_message_size_to_compress", MIN_COMPRESSED_BYTES),
    (c"grpc.gzip_compression_level", ZLIB_LEVEL),
];

/// Decompresses a message that is compressed. Returns `None`, and has read nothing, if it is not; or the message as it
/// was, if only reading it showed that.
///
/// # Errors
///
/// RESOURCE_EXHAUSTED if it is larger than `max_bytes` when decompressed, INTERNAL if it begins as gzip but is damaged: the
/// C core's codes for the two.
pub(crate) fn decompress(bytes: &mut impl BufRead, max_bytes: usize) -> Result<Option<Vec<u8>>, Status> {
    match bytes.fill_buf().map_err(malformed)? {
        [0x1f, ..] => within(max_bytes, read(GzDecoder::new(bytes), max_bytes).map_err(malformed)?).map(Some),
        [0x78, ..] => {
            let mut message = Vec::new();
            bytes.read_to_end(&mut message).map_err(malformed)?;
            let decompressed = read(ZlibDecoder::new(message.as_slice()), max_bytes);
            decompressed.map_or(Ok(message), |decompressed| within(max_bytes, decompressed)).map(Some)
        }
        _ => Ok(None),
    }
}

/// Reads one more byte than allowed, to notice that there is more.
fn read(decoder: impl Read, max_bytes: usize) -> std::io::Result<Vec<u8>> {
    let mut decompressed = Vec::new();
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(limit).read_to_end(&mut decompressed)?;
    Ok(decompressed)
}

fn within(max_bytes: usize, message: Vec<u8>) -> Result<Vec<u8>, Status> {
    if message.len() <= max_bytes {
        return Ok(message);
    }
    let text = format!("the message is larger than {max_bytes} bytes when it is decompressed");
    Err(Status::new(Code::ResourceExhausted, text))
}

fn malformed(error: std::io::Error) -> Status {
    Status::new(Code::Internal, format!("cannot decompress the message: {error}"))
}
