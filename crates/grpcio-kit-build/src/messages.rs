//! Messages: written by rust-protobuf, then patched and documented.

use std::fs;
use std::path::Path;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use protobuf::descriptor::FileDescriptorProto;
use protobuf_codegen::gen_and_write::gen_and_write;
use protobuf_codegen::{Customize, CustomizeCallback};
use protobuf_parse::ProtoPathBuf;
use quote::format_ident;
use syn::visit_mut::{self, VisitMut};
use syn::{ExprPath, QSelf, TypePath};

use crate::error::Error;
use crate::proto::Proto;
use crate::{RUNTIME, comments, conformance, names, write};

/// Writes the messages of `protos`, which are among `files`, to the folder `out_dir`.
///
/// # Errors
///
/// rust-protobuf writes other code than this generator knows.
pub fn generate(files: &[FileDescriptorProto], protos: &[Proto], out_dir: &Path) -> Result<(), Vec<Error>> {
    let imports: Result<Vec<_>, _> = protos.iter().map(|proto| ProtoPathBuf::new(proto.import().to_owned())).collect();
    let customize = Customize::default().gen_mod_rs(false);
    imports
        .and_then(|imports| gen_and_write(files, "protox", &imports, out_dir, &customize, &NoCallback))
        .map_err(|error| vec![Error::about(out_dir, format!("cannot write messages: {error:#}"))])?;
    let errors: Vec<Error> = protos.iter().filter_map(|proto| finish(proto, out_dir).err()).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

struct NoCallback;

impl CustomizeCallback for NoCallback {}

/// Changes the file that rust-protobuf wrote.
fn finish(proto: &Proto, out_dir: &Path) -> Result<(), Error> {
    let path = out_dir.join(names::module(proto.import())).with_extension("rs");
    let fail = |reason: String| Error::about(&proto.path, reason);
    let code = fs::read_to_string(&path).map_err(|error| fail(format!("cannot read {}: {error}", path.display())))?;
    let parsed = code.parse::<TokenStream>().map_err(syn::Error::from);
    let mut file: syn::File = parsed
        .and_then(|code| syn::parse2(raw_keywords(code)))
        .map_err(|error| fail(format!("protobuf-codegen wrote code that does not parse: {error}")))?;
    conformance::patch(&mut file, &proto.descriptor).map_err(fail)?;
    comments::insert(&mut file, proto);
    Reexported.visit_file_mut(&mut file);
    write(&path, proto.import(), &file).map_err(fail)
}

/// Writes `gen` as `r#gen`: rust-protobuf does not know all keywords.
fn raw_keywords(code: TokenStream) -> TokenStream {
    let raw = |token| match token {
        TokenTree::Ident(ident) if names::is_forgotten(&ident.to_string()) => {
            TokenTree::Ident(Ident::new_raw(&ident.to_string(), ident.span()))
        }
        TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), raw_keywords(group.stream()))),
        other => other,
    };
    code.into_iter().map(raw).collect()
}

/// Writes `::protobuf` as `::grpcio_kit::protobuf`, so that users need no dependency on protobuf.
struct Reexported;

fn is_protobuf(path: &syn::Path) -> bool {
    path.leading_colon.is_some() && path.segments.first().is_some_and(|first| first.ident == "protobuf")
}

/// `<T as ::protobuf::Message>::NAME` says how many segments belong to the trait.
fn lengthen(qself: &mut Option<QSelf>, path: &syn::Path) {
    if let Some(qself) = qself.as_mut().filter(|_| is_protobuf(path)) {
        qself.position += 1;
    }
}

impl VisitMut for Reexported {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        visit_mut::visit_path_mut(self, path);
        if is_protobuf(path) {
            path.segments.insert(0, format_ident!("{RUNTIME}").into());
        }
    }

    fn visit_expr_path_mut(&mut self, expr: &mut ExprPath) {
        lengthen(&mut expr.qself, &expr.path);
        visit_mut::visit_expr_path_mut(self, expr);
    }

    fn visit_type_path_mut(&mut self, ty: &mut TypePath) {
        lengthen(&mut ty.qself, &ty.path);
        visit_mut::visit_type_path_mut(self, ty);
    }
}
