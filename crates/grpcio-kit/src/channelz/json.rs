//! From the C core's JSON to messages.

use std::sync::{Mutex, PoisonError};

use protobuf::MessageFull;
use protobuf_json_mapping::{ParseOptions, parse_from_str_with_options};

use super::clock::{self, Timestamps};
use crate::channelz::proto::channelz::GetServersResponse;
use crate::status::Status;
use crate::status::code::Code;

/// The C core formats times with `localtime`, which has one buffer for all threads.
static TURN: Mutex<()> = Mutex::new(());

/// Asks the C core for a list.
pub(super) fn get<M: MessageFull + Timestamps>(ask: impl FnOnce(fn(&str) -> String) -> String) -> Result<M, Status> {
    let (json, servers) = render(ask);
    let mut reply: M = parse(&json)?;
    let servers: GetServersResponse = parse(&servers)?;
    reply.shift(-clock::utc_offset(&servers.server));
    Ok(reply)
}

/// Asks the C core for the entity with this id, which it may not have.
pub(super) fn find<M: MessageFull + Timestamps>(
    what: &str,
    id: u64,
    ask: impl FnOnce(fn(&str) -> String) -> String,
) -> Result<M, Status> {
    let mut missing = false;
    let reply = get(|read| {
        let json = ask(read);
        missing = json.is_empty();
        if missing { "{}".to_owned() } else { json }
    })?;
    if missing { Err(Status::new(Code::NotFound, format!("there is no {what} {id}"))) } else { Ok(reply) }
}

/// What was asked for, and the servers, which show what the C core takes for the time.
fn render(ask: impl FnOnce(fn(&str) -> String) -> String) -> (String, String) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (ask(str::to_owned), grpcio::channelz::get_servers(0, str::to_owned))
}

fn parse<M: MessageFull>(json: &str) -> Result<M, Status> {
    let options = ParseOptions { ignore_unknown_fields: true, ..ParseOptions::default() };
    parse_from_str_with_options(json, &options).map_err(|error| {
        tracing::error!(%error, message = M::NAME, json, "the C core's channelz data is not as expected");
        Status::new(Code::Internal, format!("the C core's data is no {}; the server's log has it", M::NAME))
    })
}
