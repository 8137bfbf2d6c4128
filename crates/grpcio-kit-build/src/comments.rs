//! Puts the comments of a `.proto` file on the messages, fields and enums that rust-protobuf wrote for it.
//!
//! rust-protobuf documents only some of them (no oneofs, no enum values), and only from source information that it
//! would also write into the program.

use std::collections::HashMap;

use protobuf::descriptor::{DescriptorProto, EnumDescriptorProto};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, File, ItemEnum, ItemMod, ItemStruct};

use crate::proto::Proto;
use crate::{markdown, names};

/// Documents `file`, the messages of `proto`.
pub fn insert(file: &mut File, proto: &Proto) {
    let mut comments = Comments { proto, by_path: HashMap::new(), module: String::new() };
    let descriptor = proto.descriptor.proto();
    // 4 and 5 are fields of `FileDescriptorProto`; see `Proto::comment`.
    comments.messages("", &descriptor.message_type, &[4]);
    comments.enums("", &descriptor.enum_type, &[5]);
    comments.visit_file_mut(file);
}

struct Comments<'a> {
    proto: &'a Proto,
    /// By where Rust has the element: `shape::Corner`, `shape::Corner.x`.
    by_path: HashMap<String, &'a str>,
    /// The module that is being visited: `shape::`.
    module: String,
}

impl Comments<'_> {
    fn messages(&mut self, module: &str, messages: &[DescriptorProto], path: &[i32]) {
        for (at, message) in (0..).zip(messages) {
            let path = [path, &[at]].concat();
            let ty = format!("{module}{}", names::message_type(message.name()));
            let inner = format!("{module}{}::", names::message_module(message.name()));
            for (at, oneof) in (0..).zip(&message.oneof_decl) {
                let path = [&path[..], &[8, at]].concat();
                self.add(format!("{ty}.{}", names::field(oneof.name())), &path);
                self.add(format!("{inner}{}", names::message_type(oneof.name())), &path);
            }
            for (at, field) in (0..).zip(&message.field) {
                let path = [&path[..], &[2, at]].concat();
                let oneof = field.oneof_index.and_then(|at| message.oneof_decl.get(usize::try_from(at).ok()?));
                match oneof.filter(|_| !field.proto3_optional()) {
                    Some(oneof) => {
                        let ty = names::message_type(oneof.name());
                        self.add(format!("{inner}{ty}.{}", names::oneof_variant(field.name())), &path);
                    }
                    None => self.add(format!("{ty}.{}", names::field(field.name())), &path),
                }
            }
            self.messages(&inner, &message.nested_type, &[&path[..], &[3]].concat());
            self.enums(&inner, &message.enum_type, &[&path[..], &[4]].concat());
            self.add(ty, &path);
        }
    }

    fn enums(&mut self, module: &str, enums: &[EnumDescriptorProto], path: &[i32]) {
        for (at, declared) in (0..).zip(enums) {
            let path = [path, &[at]].concat();
            let ty = format!("{module}{}", names::message_type(declared.name()));
            for (at, value) in (0..).zip(&declared.value) {
                self.add(format!("{ty}.{}", names::field(value.name())), &[&path[..], &[2, at]].concat());
            }
            self.add(ty, &path);
        }
    }

    fn add(&mut self, item: String, path: &[i32]) {
        if let Some(comment) = self.proto.comment(path) {
            self.by_path.insert(item, comment);
        }
    }

    fn document(&self, item: &str, attributes: &mut Vec<Attribute>) {
        if let Some(comment) = self.by_path.get(item) {
            attributes.splice(0..0, markdown::attributes(comment));
        }
    }
}

impl VisitMut for Comments<'_> {
    fn visit_item_mod_mut(&mut self, item: &mut ItemMod) {
        let inner = format!("{}{}::", self.module, item.ident);
        let outer = std::mem::replace(&mut self.module, inner);
        visit_mut::visit_item_mod_mut(self, item);
        self.module = outer;
    }

    fn visit_item_struct_mut(&mut self, item: &mut ItemStruct) {
        let ty = format!("{}{}", self.module, item.ident);
        self.document(&ty, &mut item.attrs);
        for field in &mut item.fields {
            if let Some(name) = &field.ident {
                self.document(&format!("{ty}.{name}"), &mut field.attrs);
            }
        }
    }

    fn visit_item_enum_mut(&mut self, item: &mut ItemEnum) {
        let ty = format!("{}{}", self.module, item.ident);
        self.document(&ty, &mut item.attrs);
        for variant in &mut item.variants {
            self.document(&format!("{ty}.{}", variant.ident), &mut variant.attrs);
        }
    }
}
