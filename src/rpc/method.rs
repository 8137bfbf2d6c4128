//! A method of a service: its path and the types that go in and out.

use std::marker::PhantomData;

/// A method of a service. Generated code has one constant for each.
pub struct Method<Req, Rep> {
    path: &'static str,
    types: PhantomData<fn(Req) -> Rep>,
}

impl<Req, Rep> Method<Req, Rep> {
    /// A method by its path: `/package.Service/Method`.
    pub const fn new(path: &'static str) -> Method<Req, Rep> {
        Method { path, types: PhantomData }
    }

    /// The path: `/package.Service/Method`.
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
