//! The code generated from the `.proto` files in this folder.

include!(concat!(env!("OUT_DIR"), "/test_protos/mod.rs"));
