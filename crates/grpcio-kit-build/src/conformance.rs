//! Patches rust-protobuf's generated code where it deviates from the protobuf specification.
//!
//! The code is parsed, changed and printed again:
//! - A `float` or `double` without presence is left out of a message only if it is +0.0
//!   ([encoding](https://protobuf.dev/programming-guides/encoding/)). rust-protobuf asks `self.f1 != 0.`, which leaves
//!   out -0.0 as well; the patched code compares the bits.
//! - Decoding deviates in several places, such as varints that are wider than their type. The patched code calls
//!   functions of `grpcio_kit::wire`, which describes them.
//! - The length before packed enums is wrong if one of them is negative. The patched code calls functions of
//!   `grpcio_kit::wire` for it.
//!
//! Other functions that read are errors: rust-protobuf then writes code that this pass does not know, and it would stay
//! unpatched.

use quote::{format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{BinOp, Expr, ExprAssign, ExprCall, ExprLit, ExprMethodCall, File, Lit, parse_quote};

use crate::runtime;

/// Patches `file`, which rust-protobuf wrote.
///
/// # Errors
///
/// The code is not what rust-protobuf 3.7.2 writes.
pub fn patch(file: &mut File) -> Result<(), String> {
    let mut patcher = Patcher::default();
    patcher.visit_file_mut(file);
    match patcher.unknown.as_slice() {
        [] => Ok(()),
        [first, ..] => Err(format!(
            "protobuf-codegen wrote a call of `{first}`: conformance.rs of grpcio-kit-build has to learn whether it conforms"
        )),
    }
}

#[derive(Default)]
struct Patcher {
    /// Functions that this pass does not know.
    unknown: Vec<String>,
}

impl VisitMut for Patcher {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        let patched = match expr {
            Expr::MethodCall(call) => self.method_call(call),
            Expr::Call(call) => self.call(call),
            Expr::Assign(assign) => merged(assign),
            Expr::Binary(binary) if matches!(binary.op, BinOp::Ne(_)) && is_zero_float(&binary.right) => {
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
    /// `is.read_...(..)`, or `os.write_...(..)`
    fn method_call(&mut self, call: &ExprMethodCall) -> Option<Expr> {
        let is = &call.receiver;
        let Expr::Path(receiver) = &**is else { return None };
        let runtime = runtime();
        if receiver.path.is_ident("os") && call.method == "write_repeated_packed_enum_or_unknown" {
            let arguments = &call.args;
            return Some(parse_quote!(#runtime::wire::write_packed_enum(os, #arguments)));
        }
        if !receiver.path.is_ident("is") {
            return None;
        }
        let name = call.method.to_string();
        if let Some(ty) = name.strip_prefix("read_repeated_packed_").and_then(|name| name.strip_suffix("_into")) {
            let target = call.args.first()?;
            let read = format_ident!("read_{ty}");
            return match ty {
                "int32" | "uint32" | "sint32" | "bool" => {
                    Some(parse_quote!(#runtime::wire::read_packed(#is, #target, #runtime::wire::#read)))
                }
                "int64" | "uint64" | "sint64" => {
                    let read = quote!(#runtime::protobuf::CodedInputStream::#read);
                    Some(parse_quote!(#runtime::wire::read_packed(#is, #target, #read)))
                }
                _ => Some(parse_quote!(#runtime::wire::read_packed_fixed(#is, #target))),
            };
        }
        match name.as_str() {
            "read_raw_tag_or_eof" => return Some(parse_quote!(#runtime::wire::read_tag(#is))),
            "read_int32" | "read_uint32" | "read_sint32" | "read_bool" | "read_enum_or_unknown" => {
                let read = &call.method;
                return Some(parse_quote!(#runtime::wire::#read(#is)));
            }
            "read_int64" | "read_uint64" | "read_sint64" | "read_float" | "read_double" => {}
            "read_fixed32" | "read_fixed64" | "read_sfixed32" | "read_sfixed64" => {}
            "read_string" | "read_bytes" | "read_message" => {}
            "read_raw_varint32" | "push_limit" | "pop_limit" => {}
            _ => self.unknown.push(name),
        }
        None
    }

    /// `::protobuf::rt::...(..)`
    fn call(&mut self, call: &ExprCall) -> Option<Expr> {
        let Expr::Path(path) = &*call.func else { return None };
        let runtime = runtime();
        let mut arguments = call.args.iter();
        let (first, second) = (arguments.next()?, arguments.next()?);
        match path.path.segments.last()?.ident.to_string().as_str() {
            "read_repeated_packed_enum_or_unknown_into" => {
                Some(parse_quote!(#runtime::wire::read_packed(#first, #second, #runtime::wire::read_enum_or_unknown)))
            }
            "vec_packed_enum_or_unknown_size" => Some(parse_quote!(#runtime::wire::packed_enum_size(#first, #second))),
            "read_singular_message_into_field" => Some(parse_quote!(#runtime::wire::merge_message(#first, #second))),
            "read_unknown_or_skip_group" | "skip_field_for_tag" => {
                Some(parse_quote!(#runtime::wire::skip_unknown(#first, #second)))
            }
            name => {
                if name.starts_with("read_") || name.starts_with("skip_") {
                    self.unknown.push(name.to_owned());
                }
                None
            }
        }
    }
}

/// An assignment of a message that was read, to the value of a map's entry or to a oneof: merges it into the one that is
/// there.
fn merged(assign: &ExprAssign) -> Option<Expr> {
    let target = &assign.left;
    if is_read_message(&assign.right) {
        return Some(parse_quote!(is.merge_message(&mut #target)?));
    }
    // Some(Oneof::Variant(is.read_message()?)), with a box around the message if it is inside itself.
    let (some, variant) = call_of_one(&assign.right)?;
    let (variant, message) = call_of_one(variant)?;
    let present: Expr = match call_of_one(message) {
        Some((_, boxed)) if is_read_message(boxed) => parse_quote!(&mut **message),
        None if is_read_message(message) => parse_quote!(message),
        _ => return None,
    };
    Some(parse_quote! {
        if let #some(#variant(message)) = &mut #target { is.merge_message(#present)? } else { #assign }
    })
}

fn call_of_one(expr: &Expr) -> Option<(&Expr, &Expr)> {
    let Expr::Call(call) = expr else { return None };
    Some((&*call.func, call.args.first()?)).filter(|_| call.args.len() == 1)
}

/// `is.read_message()?`
fn is_read_message(expr: &Expr) -> bool {
    let Expr::Try(read) = expr else { return false };
    matches!(&*read.expr, Expr::MethodCall(call) if call.method == "read_message")
}

fn is_zero_float(expr: &Expr) -> bool {
    let Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) = expr else { return false };
    float.base10_parse().is_ok_and(|value: f64| value == 0.0)
}
