//! The `grpc.channelz.v1.Channelz` service ([gRFC A14](https://github.com/grpc/proposal/blob/master/A14-channelz.md)),
//! for `grpcdebug` and the like: the channels, servers and sockets of this process, and their counters.
//!
//! The C core counts, and provides its counters as JSON. Two of its deviations from the protocol are corrected here:
//!
//! - it ignores `max_results` and lists up to 100 entries;
//! - it marks local time as UTC (`timestamps`), and formats it in a way that is not thread-safe.
//!
//! Others remain: flow control windows, socket options and a socket's `remote_name` are always absent, `summary` has
//! no effect, servers have no name, and a listening socket has the port that was configured, even if that is 0.
//!
//! Channels made by [`Channel`](crate::Channel) have no trace: the C core writes traces without a lock, so that reading
//! one can crash the process. Channels made with grpcio itself need the channel argument
//! `grpc.max_channel_trace_event_memory_per_node` of 0 too.

mod json;
pub mod proto;
mod timestamps;

use std::sync::{Mutex, PoisonError};

use crate::call::Call;
use crate::channelz::proto::channelz::{
    GetChannelRequest, GetChannelResponse, GetServerRequest, GetServerResponse, GetServerSocketsRequest,
    GetServerSocketsResponse, GetServersRequest, GetServersResponse, GetSocketRequest, GetSocketResponse,
    GetSubchannelRequest, GetSubchannelResponse, GetTopChannelsRequest, GetTopChannelsResponse, ServerData,
};
use crate::channelz::proto::channelz_grpc::{Channelz, channelz_service};
use crate::service::Service;
use crate::status::Status;
use crate::status::code::Code;

/// The maximum number of entries in a page, so that a call is short. It is also the C core's own choice for all lists
/// but that of sockets.
const MAX_PAGE: usize = 100;

/// Returns the service, to be registered.
pub(crate) fn service() -> Service {
    channelz_service(Methods)
}

/// Identifies a server in the C core's counters; `None` if they could not be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerId(Option<u64>);

/// Held while a server is made, so that the newest one is known to be it.
static NEWEST: Mutex<()> = Mutex::new(());

impl ServerId {
    /// Makes a server, and returns it with its id.
    pub(crate) fn of<E>(make: impl FnOnce() -> Result<grpcio::Server, E>) -> Result<(grpcio::Server, ServerId), E> {
        let _newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((make()?, ServerId(newest_server())))
    }

    /// Returns the number of calls that have begun and not ended, whether or not they have reached a method; `None` if
    /// the C core's counters cannot be read.
    pub(crate) fn calls_in_flight(self) -> Option<u64> {
        let data = self.data()?;
        // The counters are read one after the other: a call may end in between.
        Some(u64::try_from(data.calls_started - data.calls_succeeded - data.calls_failed).unwrap_or(0))
    }

    /// Returns the number of calls that have begun, whether or not they have reached a method; `None` as above.
    pub(crate) fn calls_started(self) -> Option<u64> {
        u64::try_from(self.data()?.calls_started).ok()
    }

    fn data(self) -> Option<ServerData> {
        let id = self.0?;
        let reply: GetServerResponse = json::find("server", id, |read| grpcio::channelz::get_server(id, read)).ok()?;
        reply.server.into_option()?.data.into_option()
    }
}

/// Returns the highest id of a server: ids are assigned in ascending order.
fn newest_server() -> Option<u64> {
    let mut newest = None;
    loop {
        let start = newest.map_or(0, |id| id + 1);
        let page: GetServersResponse = json::list(|read| grpcio::channelz::get_servers(start, read)).ok()?;
        let Some(server) = page.server.last() else { return newest };
        newest = Some(u64::try_from(server.ref_.server_id).ok()?);
        if page.end {
            return newest;
        }
    }
}

/// Implements the service.
struct Methods;

impl Channelz for Methods {
    fn get_top_channels(&self, _: &Call<'_>, request: GetTopChannelsRequest) -> Result<GetTopChannelsResponse, Status> {
        let start = number("start_channel_id", request.start_channel_id)?;
        let max = page(request.max_results)?;
        let mut reply: GetTopChannelsResponse = json::list(|read| grpcio::channelz::get_top_channels(start, read))?;
        reply.end &= reply.channel.len() <= max;
        reply.channel.truncate(max);
        Ok(reply)
    }

    fn get_servers(&self, _: &Call<'_>, request: GetServersRequest) -> Result<GetServersResponse, Status> {
        let start = number("start_server_id", request.start_server_id)?;
        let max = page(request.max_results)?;
        let mut reply: GetServersResponse = json::list(|read| grpcio::channelz::get_servers(start, read))?;
        reply.end &= reply.server.len() <= max;
        reply.server.truncate(max);
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

/// Validates an id.
fn number(field: &str, value: i64) -> Result<u64, Status> {
    // The C core takes an intptr_t.
    let number = isize::try_from(value).ok().and_then(|value| u64::try_from(value).ok());
    number.ok_or_else(|| invalid(format!("{field} is {value}; use a number from 0 to {}", isize::MAX)))
}

/// Returns the maximum number of entries in a reply.
fn page(max_results: i64) -> Result<usize, Status> {
    match max_results {
        ..0 => Err(invalid(format!("max_results is {max_results}; use 1 to {MAX_PAGE}, or 0 for {MAX_PAGE}"))),
        0 => Ok(MAX_PAGE),
        max => Ok(usize::try_from(max).map_or(MAX_PAGE, |max| max.min(MAX_PAGE))),
    }
}

fn invalid(message: String) -> Status {
    Status::new(Code::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_a_server_that_the_c_core_does_not_count_are_unknown_rather_than_none() {
        assert_eq!(ServerId(None).calls_in_flight(), None);
        assert_eq!(ServerId(Some(1 << 62)).calls_in_flight(), None);
        assert_eq!(ServerId(Some(1 << 62)).calls_started(), None);
    }
}
