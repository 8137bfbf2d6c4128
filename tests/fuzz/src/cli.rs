//! Parts of the program, under the paths that they use.

#![allow(dead_code, reason = "the program uses the rest")]

#[path = "../../../src/cli/batch/input.rs"]
pub mod batch_input;
#[path = "../../../src/cli/exit.rs"]
pub mod exit;
#[path = "../../../src/cli/tls_hints.rs"]
mod tls_hints;
#[path = "../../../src/cli/values.rs"]
pub mod values;
