//! Reads the C core's JSON into messages.

use std::sync::{Mutex, PoisonError};

use protobuf::MessageFull;
use protobuf_json_mapping::{ParseOptions, parse_from_str_with_options};

use super::timestamps;
use crate::channelz::proto::channelz::GetServersResponse;
use crate::status::Status;
use crate::status::code::Code;

/// Held while the C core formats timestamps: `localtime` has one buffer for all threads.
static FORMATTING: Mutex<()> = Mutex::new(());

/// Reads a list.
pub(super) fn list<M: MessageFull>(read: impl FnOnce(fn(&str) -> String) -> String) -> Result<M, Status> {
    Ok(get(read)?.unwrap_or_default())
}

/// Reads the entity with this id; NOT_FOUND if the C core has none.
pub(super) fn find<M: MessageFull>(
    what: &str,
    id: u64,
    read: impl FnOnce(fn(&str) -> String) -> String,
) -> Result<M, Status> {
    get(read)?.ok_or_else(|| Status::new(Code::NotFound, format!("there is no {what} {id}")))
}

/// `None` if the C core has nothing to tell, which it says with an empty text.
fn get<M: MessageFull>(read: impl FnOnce(fn(&str) -> String) -> String) -> Result<Option<M>, Status> {
    let (json, servers) = {
        let _formatting = FORMATTING.lock().unwrap_or_else(PoisonError::into_inner);
        // The servers tell by how much the timestamps are off.
        (read(str::to_owned), grpcio::channelz::get_servers(0, str::to_owned))
    };
    if json.is_empty() {
        return Ok(None);
    }
    let mut message: M = parse(&json)?;
    let servers: GetServersResponse = parse(&servers)?;
    timestamps::shift(&mut message, -timestamps::utc_offset(&servers.server));
    Ok(Some(message))
}

fn parse<M: MessageFull>(json: &str) -> Result<M, Status> {
    let options = ParseOptions { ignore_unknown_fields: true, ..ParseOptions::default() };
    parse_from_str_with_options(json, &options).map_err(|error| {
        tracing::error!(%error, message = M::NAME, json, "the C core's channelz data cannot be read");
        let message = format!("the C core's channelz data cannot be read as {}; see the server's log", M::NAME);
        Status::new(Code::Internal, message)
    })
}
