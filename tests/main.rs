//! The tests: one binary, a file per feature; those of the code generator have a package of
//! their own. `script/test` sets up what they need and runs them.

mod arithmetic;
mod auth;
mod benchmark;
mod channelz;
mod cli;
mod cli_tls;
mod client;
mod common;
mod compression;
mod configuration;
mod contract;
mod decoding;
mod describe;
mod drain;
mod examples;
mod health;
mod http;
mod interceptors;
mod interop;
mod kinds;
mod limits;
mod listen;
mod log;
mod metrics;
mod mistrust;
mod panics;
mod probe;
mod protos;
mod reflection;
mod services;
mod shutdown;
mod tls;
mod tls_files;
mod tls_reload;
