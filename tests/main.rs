//! The tests: one binary, a file per feature. `script/test` sets up what they need and runs
//! them.

mod arithmetic;
mod cli;
mod client;
mod codegen;
mod common;
mod contract;
mod examples;
mod interop;
mod kinds;
mod listen;
mod panics;
mod protos;
mod shutdown;
