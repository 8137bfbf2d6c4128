//! Methods: path, kind and message types.

use std::fmt;
use std::marker::PhantomData;

/// A method of a service, with its request and reply types. Generated code has a constant for each.
pub struct Method<Req, Rep> {
    path: &'static str,
    types: PhantomData<fn(Req) -> Rep>,
}

impl<Req, Rep> Method<Req, Rep> {
    /// Returns the method with a path like `/package.Service/Method`.
    pub const fn new(path: &'static str) -> Method<Req, Rep> {
        Method { path, types: PhantomData }
    }

    /// Returns the path: `/package.Service/Method`.
    pub const fn path(self) -> &'static str {
        self.path
    }
}

// Not derived: that would ask for `Req: Clone`.
impl<Req, Rep> Clone for Method<Req, Rep> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Req, Rep> Copy for Method<Req, Rep> {}

/// The kind of a method: which of its two directions stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    /// One request, one reply.
    Unary,
    /// One request, many replies.
    ServerStreaming,
    /// Many requests, one reply.
    ClientStreaming,
    /// Many requests, many replies.
    BidiStreaming,
}

impl MethodKind {
    /// Whether requests or replies stream.
    pub fn is_streaming(self) -> bool {
        self != MethodKind::Unary
    }
}

/// A method of a server, without its types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodDescriptor {
    path: &'static str,
    kind: MethodKind,
    index: usize,
    /// Whether its RPCs stay in flight without a thread: those of a streaming method, and of a unary one that returns a
    /// future.
    pub(crate) stays_in_flight: bool,
}

impl MethodDescriptor {
    /// Returns the method with a path like `/package.Service/Method`, the `index`th of its server.
    pub const fn new(path: &'static str, kind: MethodKind, index: usize) -> MethodDescriptor {
        MethodDescriptor { path, kind, index, stays_in_flight: !matches!(kind, MethodKind::Unary) }
    }

    /// Returns the path: `/package.Service/Method`.
    pub const fn path(self) -> &'static str {
        self.path
    }

    /// Returns the full name of the service: `package.Service`.
    pub fn service(self) -> &'static str {
        self.split().0
    }

    /// Returns the name of the method, without its service.
    pub fn name(self) -> &'static str {
        self.split().1
    }

    /// Returns the kind.
    pub const fn kind(self) -> MethodKind {
        self.kind
    }

    /// Returns its index among the methods of its server, from 0.
    pub const fn index(self) -> usize {
        self.index
    }

    fn split(self) -> (&'static str, &'static str) {
        let path = self.path.strip_prefix('/').unwrap_or(self.path);
        path.split_once('/').unwrap_or((path, ""))
    }
}

impl fmt::Display for MethodDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)
    }
}
