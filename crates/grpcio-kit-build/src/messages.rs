//! Messages: written by rust-protobuf, then patched and documented.

use std::fs;
use std::path::Path;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use protobuf::descriptor::FileDescriptorProto;
use protobuf_codegen::gen_and_write::gen_and_write;
use protobuf_codegen::{Customize, CustomizeCallback};
use protobuf_parse::ProtoPathBuf;
use quote::{format_ident, quote};

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
    let parsed = comments::insert(&code, proto).parse::<TokenStream>().map_err(syn::Error::from);
    let mut file: syn::File = parsed
        .and_then(|code| syn::parse2(adapted(code)))
        .map_err(|error| fail(format!("protobuf-codegen wrote code that does not parse: {error}")))?;
    conformance::patch(&mut file).map_err(fail)?;
    write(&path, proto, &file)
}

/// Writes `gen` as `r#gen`, because rust-protobuf does not know all keywords, and `::protobuf` as
/// `::grpcio_kit::protobuf`, so that users need no dependency on protobuf.
fn adapted(code: TokenStream) -> TokenStream {
    let runtime = format_ident!("{RUNTIME}");
    let mut output: Vec<TokenTree> = Vec::new();
    for token in code {
        match token {
            TokenTree::Ident(ident) if names::is_forgotten(&ident.to_string()) => {
                output.push(Ident::new_raw(&ident.to_string(), ident.span()).into());
            }
            TokenTree::Ident(ident) if ident == "protobuf" && follows_leading_colons(&output) => {
                output.extend(quote!(#runtime::#ident));
            }
            TokenTree::Group(group) => output.push(Group::new(group.delimiter(), adapted(group.stream())).into()),
            other => output.push(other),
        }
    }
    output.into_iter().collect()
}

/// Whether what follows `before` is the first segment of a path that begins with `::`.
fn follows_leading_colons(before: &[TokenTree]) -> bool {
    let Some((path, [TokenTree::Punct(first), TokenTree::Punct(second)])) = before.split_last_chunk() else {
        return false;
    };
    let is_segment = |name: &str| matches!(name, "super" | "self" | "crate") || syn::parse_str::<Ident>(name).is_ok();
    let continues = matches!(path.last(), Some(TokenTree::Ident(ident)) if is_segment(&ident.to_string()));
    first.as_char() == ':' && second.as_char() == ':' && !continues
}
