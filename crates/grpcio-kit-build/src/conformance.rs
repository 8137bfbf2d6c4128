//! Patches rust-protobuf's generated code where it deviates from the protobuf specification.
//!
//! The code is parsed, changed and printed again:
//! - A `float` or `double` without presence is left out of a message only if it is +0.0
//!   ([encoding](https://protobuf.dev/programming-guides/encoding/)). rust-protobuf asks `self.f1 != 0.`, which leaves
//!   out -0.0 as well; the patched code compares the bits.
//! - Decoding deviates in several places, such as varints that are wider than their type. The patched code calls
//!   functions of `grpcio_kit::wire`, which describes them.
//!
//! How often each pattern occurs follows from the descriptor. A different number is an error: rust-protobuf then
//! writes code that this pass does not know, and it would stay unpatched.

use protobuf::descriptor::field_descriptor_proto::Type;
use protobuf::reflect::{FileDescriptor, MessageDescriptor, Syntax};
use quote::format_ident;
use syn::visit_mut::{self, VisitMut};
use syn::{BinOp, Expr, ExprCall, ExprLit, ExprMethodCall, File, Lit, parse_quote};

use crate::runtime;

/// The number of times that each pattern occurs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Patterns {
    /// `self.f != 0.`, for floats without presence.
    zero_floats: usize,
    /// `is.read_int32()` and others: rust-protobuf refuses varints that do not fit the type.
    varints: usize,
    /// `is.read_repeated_packed_int32_into(..)`, for numbers of any type.
    packed: usize,
    /// `read_singular_message_into_field(..)`.
    messages: usize,
    /// `read_unknown_or_skip_group(..)` and `skip_field_for_tag(..)`: one for each message and each map.
    unknown: usize,
}

/// Patches `file`, which was generated from `descriptor`.
///
/// # Errors
///
/// The code is not what rust-protobuf 3.7.2 writes.
pub fn patch(file: &mut File, descriptor: &FileDescriptor) -> Result<(), String> {
    let mut expected = Patterns::default();
    for message in descriptor.messages() {
        expect(&message, descriptor.syntax(), &mut expected);
    }
    let mut patcher = Patcher::default();
    patcher.visit_file_mut(file);
    if patcher.found == expected {
        return Ok(());
    }
    Err(format!(
        "protobuf-codegen wrote {:?} where {expected:?} was expected: conformance.rs of grpcio-kit-build has to learn its new patterns",
        patcher.found
    ))
}

/// Adds the patterns of a message and those nested in it.
fn expect(message: &MessageDescriptor, syntax: Syntax, expected: &mut Patterns) {
    // The code for a map is in the message that has it.
    if message.is_map_entry() {
        return;
    }
    expected.unknown += 1;
    for field in message.fields() {
        let proto = field.proto();
        // A field that is `optional` has a synthetic oneof.
        let has_presence = proto.has_oneof_index();
        match proto.type_() {
            // rust-protobuf leaves groups out.
            Type::TYPE_GROUP => {}
            _ if field.is_map() => {
                expected.unknown += 1;
                let entry = message.nested_messages().find(|entry| proto.type_name().ends_with(entry.full_name()));
                let parts = entry.iter().flat_map(|entry| &entry.proto().field);
                expected.varints += parts.filter(|part| is_narrow_varint(part.type_())).count();
            }
            ty if field.is_repeated() => {
                expected.varints += usize::from(is_narrow_varint(ty));
                expected.packed += usize::from(is_narrow_varint(ty) || is_wide_varint(ty) || is_fixed(ty));
            }
            ty if is_narrow_varint(ty) => expected.varints += 1,
            // Once in the size of the message, once in its encoding.
            Type::TYPE_FLOAT | Type::TYPE_DOUBLE if syntax == Syntax::Proto3 && !has_presence => {
                expected.zero_floats += 2
            }
            Type::TYPE_MESSAGE if field.containing_oneof().is_none() => expected.messages += 1,
            _ => {}
        }
    }
    for nested in message.nested_messages() {
        expect(&nested, syntax, expected);
    }
}

fn is_narrow_varint(ty: Type) -> bool {
    matches!(ty, Type::TYPE_INT32 | Type::TYPE_UINT32 | Type::TYPE_SINT32 | Type::TYPE_BOOL | Type::TYPE_ENUM)
}

fn is_wide_varint(ty: Type) -> bool {
    matches!(ty, Type::TYPE_INT64 | Type::TYPE_UINT64 | Type::TYPE_SINT64)
}

fn is_fixed(ty: Type) -> bool {
    let is_32_bits = matches!(ty, Type::TYPE_FLOAT | Type::TYPE_FIXED32 | Type::TYPE_SFIXED32);
    is_32_bits || matches!(ty, Type::TYPE_DOUBLE | Type::TYPE_FIXED64 | Type::TYPE_SFIXED64)
}

#[derive(Default)]
struct Patcher {
    found: Patterns,
}

impl VisitMut for Patcher {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        let patched = match expr {
            Expr::MethodCall(call) => self.method_call(call),
            Expr::Call(call) => self.call(call),
            Expr::Binary(binary) if matches!(binary.op, BinOp::Ne(_)) && is_zero_float(&binary.right) => {
                self.found.zero_floats += 1;
                let field = &binary.left;
                Some(parse_quote!(#field.to_bits() != 0))
            }
            _ => None,
        };
        if let Some(patched) = patched {
            *expr = patched;
        }
    }
}

impl Patcher {
    /// `is.read_...(..)`
    fn method_call(&mut self, call: &ExprMethodCall) -> Option<Expr> {
        let is = &call.receiver;
        if !matches!(&**is, Expr::Path(path) if path.path.is_ident("is")) {
            return None;
        }
        let runtime = runtime();
        let name = call.method.to_string();
        match name.as_str() {
            "read_int32" | "read_uint32" | "read_sint32" | "read_bool" | "read_enum_or_unknown" => {
                self.found.varints += 1;
                let read = &call.method;
                return Some(parse_quote!(#runtime::wire::#read(#is)));
            }
            _ => {}
        }
        let ty = name.strip_prefix("read_repeated_packed_")?.strip_suffix("_into")?;
        let target = call.args.first()?;
        let read = format_ident!("read_{ty}");
        let read: Expr = match ty {
            "int32" | "uint32" | "sint32" | "bool" => parse_quote!(#runtime::wire::#read),
            "int64" | "uint64" | "sint64" => parse_quote!(::protobuf::CodedInputStream::#read),
            "float" | "double" | "fixed32" | "fixed64" | "sfixed32" | "sfixed64" => {
                self.found.packed += 1;
                return Some(parse_quote!(#runtime::wire::read_packed_fixed(#is, #target)));
            }
            _ => return None,
        };
        self.found.packed += 1;
        Some(parse_quote!(#runtime::wire::read_packed(#is, #target, #read)))
    }

    /// `::protobuf::rt::...(..)`
    fn call(&mut self, call: &ExprCall) -> Option<Expr> {
        let Expr::Path(path) = &*call.func else { return None };
        let runtime = runtime();
        let mut arguments = call.args.iter();
        let (first, second) = (arguments.next()?, arguments.next()?);
        match path.path.segments.last()?.ident.to_string().as_str() {
            "read_repeated_packed_enum_or_unknown_into" => {
                self.found.packed += 1;
                Some(parse_quote!(#runtime::wire::read_packed(#first, #second, #runtime::wire::read_enum_or_unknown)))
            }
            "read_singular_message_into_field" => {
                self.found.messages += 1;
                Some(parse_quote!(#runtime::wire::merge_message(#first, #second)))
            }
            "read_unknown_or_skip_group" | "skip_field_for_tag" => {
                self.found.unknown += 1;
                Some(parse_quote!(#runtime::wire::skip_unknown(#first, #second)))
            }
            _ => None,
        }
    }
}

fn is_zero_float(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().is_ok_and(|value: f64| value == 0.0),
        _ => false,
    }
}
