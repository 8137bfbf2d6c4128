//! Files as protoc would have written them, where rust-protobuf's parser writes them otherwise
//! and other implementations mind.
//!
//! A field that is `optional` in proto3 has a oneof of its own, named after it. Those come
//! after the oneofs of the `.proto` file: the descriptor pools of C++ and Python refuse a file
//! in which one stands before them, and rust-protobuf's parser numbers them as they come.
//!
//! Comments and positions, which rust-protobuf has for the files that it brings along, are left
//! out: the descriptors in generated code of other languages have none.

use protobuf::descriptor::{DescriptorProto, FileDescriptorProto};

/// Puts `file` into protoc's order.
pub(crate) fn canonicalize(file: &mut FileDescriptorProto) {
    file.source_code_info.take();
    file.message_type.iter_mut().for_each(order_oneofs);
}

fn order_oneofs(message: &mut DescriptorProto) {
    message.nested_type.iter_mut().for_each(order_oneofs);
    let mut synthetic = vec![false; message.oneof_decl.len()];
    for field in message.field.iter().filter(|field| field.proto3_optional()) {
        if let Some(synthetic) = oneof_index(field.oneof_index).and_then(|index| synthetic.get_mut(index)) {
            *synthetic = true;
        }
    }
    // The old places, in the new order.
    let mut order: Vec<usize> = (0..synthetic.len()).collect();
    order.sort_by_key(|old| synthetic[*old]);
    message.oneof_decl = order.iter().map(|old| message.oneof_decl[*old].clone()).collect();
    for field in &mut message.field {
        let new = oneof_index(field.oneof_index).and_then(|index| order.iter().position(|old| *old == index));
        if let Some(new) = new.and_then(|new| i32::try_from(new).ok()) {
            field.set_oneof_index(new);
        }
    }
}

fn oneof_index(index: Option<i32>) -> Option<usize> {
    usize::try_from(index?).ok()
}
