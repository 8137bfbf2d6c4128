//! What a method may know of the call that it answers.

mod deadline;
pub(crate) mod panic;
pub(crate) mod stream;

use std::time::{Duration, Instant};

use grpcio::{AuthContext, Metadata, RpcContext};

use crate::method::{MethodDescriptor, MethodKind};
use deadline::time_left;

/// The call that a method answers.
///
/// It is lent for the time of the method only; a stream or future that the method returns
/// takes along what it needs.
pub struct Call<'a> {
    method: MethodDescriptor,
    caller: CallerOf<'a>,
    /// What is left of the time that the server allows each call.
    allowed: Option<Duration>,
}

/// Where to ask who calls.
enum CallerOf<'a> {
    /// The C core.
    Live(&'a RpcContext<'a>),
    /// What was copied from it.
    Kept(&'a Caller),
    /// Nobody made this call, or nobody asked to keep who did.
    Unknown,
}

/// Who calls, copied to outlive what the C core lends.
pub(crate) struct Caller {
    peer: String,
    names: Vec<String>,
    metadata: Metadata,
}

impl<'a> Call<'a> {
    pub(crate) fn live(method: MethodDescriptor, context: &'a RpcContext<'a>, allowed: Option<Duration>) -> Call<'a> {
        Call { method, caller: CallerOf::Live(context), allowed }
    }

    pub(crate) fn kept(method: MethodDescriptor, caller: Option<&'a Caller>) -> Call<'a> {
        Call { method, caller: caller.map_or(CallerOf::Unknown, CallerOf::Kept), allowed: None }
    }

    /// A call that nobody made: no peer, no metadata, no deadline. Lets a test ask a
    /// service without a server.
    pub fn detached(path: &'static str) -> Call<'static> {
        Call::kept(MethodDescriptor::new(path, MethodKind::Unary, 0), None)
    }

    pub(crate) fn keep_caller(&self) -> Caller {
        Caller {
            peer: self.peer(),
            names: self.peer_names(),
            metadata: match self.caller {
                CallerOf::Live(context) => context.request_headers().clone(),
                CallerOf::Kept(caller) => caller.metadata.clone(),
                CallerOf::Unknown => grpcio::MetadataBuilder::new().build(),
            },
        }
    }

    /// The method that is called.
    pub fn method(&self) -> MethodDescriptor {
        self.method
    }

    /// Who calls, as the C core writes it: `ipv4:127.0.0.1:50000`, `ipv6:%5B::1%5D:50000`, `unix:`.
    ///
    /// Allocates at each call.
    pub fn peer(&self) -> String {
        match self.caller {
            CallerOf::Live(context) => context.peer(),
            CallerOf::Kept(caller) => caller.peer.clone(),
            CallerOf::Unknown => String::new(),
        }
    }

    /// The names in the certificate that the caller showed and the server verified: its subject
    /// alternative names, or its common name if it has none. Empty without such a certificate.
    pub fn peer_names(&self) -> Vec<String> {
        match self.caller {
            CallerOf::Live(context) => context.auth_context().as_ref().map(names).unwrap_or_default(),
            CallerOf::Kept(caller) => caller.names.clone(),
            CallerOf::Unknown => Vec::new(),
        }
    }

    /// The first value of the metadata `key`, which is in lower case. Values of keys that
    /// end in `-bin` are decoded already.
    pub fn metadata(&self, key: &str) -> Option<&[u8]> {
        let metadata = match self.caller {
            CallerOf::Live(context) => context.request_headers(),
            CallerOf::Kept(caller) => &caller.metadata,
            CallerOf::Unknown => return None,
        };
        metadata.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The time until the deadline: the caller's, or the end of the time that the server
    /// allows a call, whichever comes first. Zero when it has passed, `None` if there is none.
    pub fn time_left(&self) -> Option<Duration> {
        let asked = match self.caller {
            CallerOf::Live(context) => time_left(context.deadline()),
            CallerOf::Kept(_) | CallerOf::Unknown => None,
        };
        match (asked, self.allowed) {
            (Some(asked), Some(allowed)) => Some(asked.min(allowed)),
            (asked, allowed) => asked.or(allowed),
        }
    }

    /// Whether the deadline has passed; `false` if there is none.
    pub fn is_expired(&self) -> bool {
        self.time_left() == Some(Duration::ZERO)
    }

    /// The deadline, on the clock of this machine.
    pub fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.time_left()?)
    }
}

fn names(context: &AuthContext) -> Vec<String> {
    if !context.peer_is_authenticated() {
        return Vec::new();
    }
    context.peer_identity().filter_map(|name| name.value_str().ok().map(str::to_owned)).collect()
}
