//! What this process has of channels, servers and sockets, and what goes over them:
//! `grpc.channelz.v1.Channelz`, for `grpcdebug` and the like
//! (<https://github.com/grpc/proposal/blob/master/A14-channelz.md>).
//!
//! The C core counts, and gives its counts out as JSON.
//!
//! What it does not do as the protocol has it is mended here:
//!
//! - its lists have up to 100 entries, whatever the caller asks for;
//! - it writes local time and calls it UTC (`clock`), in a way that is not safe from two threads.
//!
//! What stays: flow control windows, socket options and a socket's `remote_name` are never there,
//! `summary` makes no difference, the names of servers are empty, and a listening socket has the
//! port that was asked for, even if that is 0.

mod clock;
mod json;
pub mod proto;

use std::sync::{Mutex, PoisonError};

use crate::call::Call;
use crate::channelz::proto::channelz::{
    GetChannelRequest, GetChannelResponse, GetServerRequest, GetServerResponse, GetServerSocketsRequest,
    GetServerSocketsResponse, GetServersRequest, GetServersResponse, GetSocketRequest, GetSocketResponse,
    GetSubchannelRequest, GetSubchannelResponse, GetTopChannelsRequest, GetTopChannelsResponse, Server,
};
use crate::channelz::proto::channelz_grpc::{Channelz as ChannelzMethods, channelz_service};
use crate::service::Service;
use crate::status::Status;
use crate::status::code::Code;

/// The entries of a page, so that a call is short. It is also the C core's own choice for all
/// lists but that of sockets.
const MAX_PAGE: usize = 100;

/// The `grpc.channelz.v1.Channelz` service.
///
/// It shows every channel, server and socket of the process, with the addresses and
/// certificates of those who are connected, and has nothing to set: who may ask is for an
/// [`Interceptor`](crate::Interceptor) to say.
///
/// A page has at most 100 entries. The C core has to count for all of this, which the channel
/// argument `grpc.enable_channelz` (on by default) can turn off, as does `grpc.minimal_stack`.
///
/// Channels made by [`Channel`](crate::Channel) have no trace. The C core writes traces
/// without a lock, so that one who looks at a channel can make the process crash: give
/// channels that are made in another way, with grpcio itself, the channel argument
/// `grpc.max_channel_trace_event_memory_per_node` of 0 too.
#[derive(Clone, Copy, Debug)]
pub struct Channelz;

impl Channelz {
    /// The service, ready to be registered.
    pub fn service() -> Service {
        channelz_service(Channelz)
    }
}

/// A server, as the C core counts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerId(i64);

/// One server is made at a time, so that the newest is known to be it.
static NEWEST: Mutex<()> = Mutex::new(());

impl ServerId {
    /// Makes a server, and tells which it is.
    pub fn of<E>(make: impl FnOnce() -> Result<grpcio::Server, E>) -> Result<(grpcio::Server, ServerId), E> {
        let _newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
        let server = make()?;
        let ids = servers().into_iter().map(|server| server.ref_.server_id);
        Ok((server, ServerId(ids.max().unwrap_or_default())))
    }

    /// The calls that have begun and not ended, whether a method has seen them or not.
    pub fn calls_in_flight(self) -> i64 {
        let server = servers().into_iter().find(|server| server.ref_.server_id == self.0);
        server.map_or(0, |server| server.data.calls_started - server.data.calls_succeeded - server.data.calls_failed)
    }
}

fn servers() -> Vec<Server> {
    let mut servers = Vec::new();
    let mut start = 0;
    loop {
        let Ok(page) = json::get::<GetServersResponse>(|read| grpcio::channelz::get_servers(start, read)) else {
            return servers;
        };
        let last = page.server.last().map(|server| server.ref_.server_id);
        servers.extend(page.server);
        match last.and_then(|id| u64::try_from(id).ok()) {
            Some(id) if !page.end => start = id + 1,
            _ => return servers,
        }
    }
}

impl ChannelzMethods for Channelz {
    fn get_top_channels(&self, _: &Call<'_>, request: GetTopChannelsRequest) -> Result<GetTopChannelsResponse, Status> {
        let start = number("start_channel_id", request.start_channel_id)?;
        let max = page(request.max_results)?;
        let mut reply: GetTopChannelsResponse = json::get(|read| grpcio::channelz::get_top_channels(start, read))?;
        reply.end &= cut(&mut reply.channel, max);
        Ok(reply)
    }

    fn get_servers(&self, _: &Call<'_>, request: GetServersRequest) -> Result<GetServersResponse, Status> {
        let start = number("start_server_id", request.start_server_id)?;
        let max = page(request.max_results)?;
        let mut reply: GetServersResponse = json::get(|read| grpcio::channelz::get_servers(start, read))?;
        reply.end &= cut(&mut reply.server, max);
        Ok(reply)
    }

    fn get_server(&self, _: &Call<'_>, request: GetServerRequest) -> Result<GetServerResponse, Status> {
        let id = number("server_id", request.server_id)?;
        json::find("server", id, |read| grpcio::channelz::get_server(id, read))
    }

    fn get_server_sockets(
        &self,
        _: &Call<'_>,
        request: GetServerSocketsRequest,
    ) -> Result<GetServerSocketsResponse, Status> {
        let id = number("server_id", request.server_id)?;
        let start = number("start_socket_id", request.start_socket_id)?;
        let max = page(request.max_results)?;
        json::find("server", id, |read| grpcio::channelz::get_server_sockets(id, start, max, read))
    }

    fn get_channel(&self, _: &Call<'_>, request: GetChannelRequest) -> Result<GetChannelResponse, Status> {
        let id = number("channel_id", request.channel_id)?;
        json::find("channel", id, |read| grpcio::channelz::get_channel(id, read))
    }

    fn get_subchannel(&self, _: &Call<'_>, request: GetSubchannelRequest) -> Result<GetSubchannelResponse, Status> {
        let id = number("subchannel_id", request.subchannel_id)?;
        json::find("subchannel", id, |read| grpcio::channelz::get_subchannel(id, read))
    }

    fn get_socket(&self, _: &Call<'_>, request: GetSocketRequest) -> Result<GetSocketResponse, Status> {
        let id = number("socket_id", request.socket_id)?;
        json::find("socket", id, |read| grpcio::channelz::get_socket(id, read))
    }
}

/// An id, or the least one to list.
fn number(field: &str, value: i64) -> Result<u64, Status> {
    // The C core takes an intptr_t.
    let number = isize::try_from(value).ok().and_then(|value| u64::try_from(value).ok());
    number.ok_or_else(|| invalid(format!("{field} is {value}, and no number from 0 to {}", isize::MAX)))
}

/// The most entries that a reply may have.
fn page(max_results: i64) -> Result<usize, Status> {
    match usize::try_from(max_results) {
        Ok(0) => Ok(MAX_PAGE),
        Ok(max) => Ok(max.min(MAX_PAGE)),
        Err(_) if max_results > 0 => Ok(MAX_PAGE),
        Err(_) => Err(invalid(format!("max_results is {max_results}; write 0 for {MAX_PAGE}, which is also the most"))),
    }
}

fn invalid(message: String) -> Status {
    Status::new(Code::InvalidArgument, message)
}

/// Leaves out what is too much. Says whether nothing was.
fn cut<T>(entries: &mut Vec<T>, max: usize) -> bool {
    let is_whole = entries.len() <= max;
    entries.truncate(max);
    is_whole
}
