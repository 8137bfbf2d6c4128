//! Puts the comments of a `.proto` file on the messages, fields and enums that rust-protobuf writes for it.
//!
//! rust-protobuf documents only some of them (no oneofs, no enum values), and only from source information that it
//! would also write into the program. But before each it writes `// @@protoc_insertion_point(field:package.Message.x)`.

use protox::prost_reflect::DescriptorPool;
use quote::quote;

use crate::proto::Proto;
use crate::{markdown, names};

/// Documents `code`, the messages of `proto` as rust-protobuf wrote them.
pub fn insert(code: &str, proto: &Proto) -> String {
    let pool = proto.file.parent_pool();
    let mut output = String::new();
    let mut message = None;
    for line in code.lines() {
        let text = line.trim_start();
        let point = text.strip_prefix("// @@protoc_insertion_point(").and_then(|point| point.strip_suffix(')'));
        let path = match point.and_then(|point| point.split_once(':')) {
            Some((kind, name)) => {
                if kind == "message" {
                    message = pool.get_message_by_name(name);
                }
                path(pool, kind, name)
            }
            // The field of a oneof is the only one without a point.
            None => message.as_ref().and_then(|message| {
                let is_here = |oneof: &str| text.starts_with(&format!("pub {}: ", names::module(oneof)));
                message.oneofs().find(|oneof| is_here(oneof.name())).map(|oneof| oneof.path().to_vec())
            }),
        };
        let comment = path.and_then(|path| proto.comment(&path));
        let attributes = comment.map(markdown::attributes).unwrap_or_default();
        output.push_str(&format!("{}{line}\n", quote!(#(#attributes)*)));
    }
    output
}

/// Returns the path of an element in its file; see [`Proto::comment`].
fn path(pool: &DescriptorPool, kind: &str, name: &str) -> Option<Vec<i32>> {
    let (parent, own) = name.rsplit_once('.').unwrap_or(("", name));
    let path = match kind {
        "message" => pool.get_message_by_name(name)?.path().to_vec(),
        "oneof" => pool.get_message_by_name(parent)?.oneofs().find(|oneof| oneof.name() == own)?.path().to_vec(),
        "field" | "oneof_field" => pool.get_message_by_name(parent)?.get_field_by_name(own)?.path().to_vec(),
        "enum" => pool.get_enum_by_name(name)?.path().to_vec(),
        "enum_value" => pool.get_enum_by_name(parent)?.get_value_by_name(own)?.path().to_vec(),
        _ => return None,
    };
    Some(path)
}
