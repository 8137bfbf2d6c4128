//! Comments of `.proto` files, put where rust-protobuf's generated code has none.
//!
//! rust-protobuf lets a callback write attributes in front of most items. The callback writes
//! the item's protobuf name (`#[proto_name = "calc.AddRequest.n1"]`), and a pass over the
//! parsed code replaces it by the documentation of that name; the same pass reaches the items
//! that have no callback: enum values, the variants of a oneof, and a oneof's field.

use std::collections::HashMap;

use proc_macro2::Ident;
use protobuf_codegen::Customize;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Expr, ExprLit, File, ItemEnum, ItemStruct, Lit, Meta};

use super::outline::Kind;
use super::sources::Source;
use super::{markdown, names};

const MARK: &str = "proto_name";

/// What a callback returns for the item of this protobuf name.
pub fn mark(name: &str) -> Customize {
    // A protobuf name has nothing to escape.
    Customize::default().before(&format!("#[{MARK} = \"{name}\"]"))
}

/// Replaces the marks in `file`, the generated code of `source`, by documentation.
pub fn insert(file: &mut File, source: &Source) {
    let mut names = Names::default();
    for element in &source.outline.elements {
        if element.kind == Kind::Oneof {
            names.oneofs.insert(&element.name, &element.parent);
        }
        let Some(text) = &element.documentation else { continue };
        names.documentation.insert(&element.name, text);
        let short = element.name.rsplit('.').next().unwrap_or_default();
        let child = match element.kind {
            Kind::EnumValue | Kind::Oneof => names::of_rust_protobuf(short),
            // The fields of a oneof are its variants.
            Kind::Field => names::oneof_variant(short),
            _ => continue,
        };
        names.children.insert((&element.parent, child), text);
    }
    names.visit_file_mut(file);
}

#[derive(Default)]
struct Names<'a> {
    /// By the name of the element.
    documentation: HashMap<&'a str, &'a str>,
    /// By the name of the element around it, and the Rust name in that.
    children: HashMap<(&'a str, Ident), &'a str>,
    /// The message of each oneof.
    oneofs: HashMap<&'a str, &'a str>,
}

impl Names<'_> {
    /// Replaces the mark among the attributes; returns what it said.
    fn replace(&self, attributes: &mut Vec<Attribute>) -> Option<String> {
        let at = attributes.iter().position(|attribute| attribute.path().is_ident(MARK))?;
        let name = value(&attributes.remove(at))?;
        if let Some(text) = self.documentation.get(name.as_str()) {
            document(attributes, text);
        }
        Some(name)
    }

    fn child(&self, parent: &str, child: &Ident, attributes: &mut Vec<Attribute>) {
        if let Some(text) = self.children.get(&(parent, child.clone())) {
            document(attributes, text);
        }
    }
}

impl VisitMut for Names<'_> {
    fn visit_item_struct_mut(&mut self, item: &mut ItemStruct) {
        let message = self.replace(&mut item.attrs);
        for field in &mut item.fields {
            let marked = self.replace(&mut field.attrs).is_some();
            if let (false, Some(message), Some(name)) = (marked, &message, &field.ident) {
                self.child(message, name, &mut field.attrs);
            }
        }
    }

    fn visit_item_enum_mut(&mut self, item: &mut ItemEnum) {
        let Some(name) = self.replace(&mut item.attrs) else { return };
        let parent = self.oneofs.get(name.as_str()).copied().unwrap_or(&name);
        for variant in &mut item.variants {
            self.child(parent, &variant.ident, &mut variant.attrs);
        }
    }
}

fn value(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(syn::MetaNameValue { value: Expr::Lit(ExprLit { lit: Lit::Str(text), .. }), .. }) => {
            Some(text.value())
        }
        _ => None,
    }
}

fn document(attributes: &mut Vec<Attribute>, text: &str) {
    attributes.splice(0..0, markdown::attributes(text));
}
