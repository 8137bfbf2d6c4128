//! The tests: one binary, a file per feature; those of the code generator have a package of
//! their own. `script/test` sets up what they need and runs them.

mod arithmetic;
mod cli;
mod client;
mod common;
mod contract;
mod decoding;
mod describe;
mod examples;
mod interop;
mod kinds;
mod listen;
mod mistrust;
mod panics;
mod protos;
mod reflection;
mod shutdown;
