//! Messages: rust-protobuf's generated code, mended and documented.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use protobuf::reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, MessageDescriptor, OneofDescriptor};
use protobuf_codegen::{Codegen, Customize, CustomizeCallback};

use super::diagnose::diagnose;
use super::error::Error;
use super::sources::Source;
use super::{conformance, docs, names, write};

/// Writes the messages of the inputs among `sources` to the folder `out_dir`; returns the
/// descriptors of those files.
///
/// # Errors
///
/// What rust-protobuf's parser refuses, and generated code that it writes otherwise than
/// expected.
pub fn generate(include: &Path, sources: &[Source], out_dir: &Path) -> Result<Vec<FileDescriptor>, Vec<Error>> {
    let files = Rc::new(RefCell::new(Vec::new()));
    let inputs = || sources.iter().filter(|source| source.is_input);
    Codegen::new()
        .pure()
        .include(include)
        .inputs(inputs().map(|source| &source.path))
        .out_dir(out_dir)
        .customize_callback(Callback { files: Rc::clone(&files) })
        .run()
        .map_err(|error| {
            let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
            vec![diagnose(&chain, sources)]
        })?;
    let files = files.take();
    let mut errors = Vec::new();
    for source in inputs() {
        let Some(descriptor) = files.iter().find(|file| file.name() == source.import) else { continue };
        errors.extend(finish(source, descriptor, out_dir).err());
    }
    if errors.is_empty() { Ok(files) } else { Err(errors) }
}

/// Changes the file that rust-protobuf wrote.
fn finish(source: &Source, descriptor: &FileDescriptor, out_dir: &Path) -> Result<(), Error> {
    let path = out_dir.join(names::module(&source.import)).with_extension("rs");
    let fail = |reason: String| Error::about(&source.path, reason);
    let code = fs::read_to_string(&path).map_err(|error| fail(format!("cannot read {}: {error}", path.display())))?;
    let parsed = code.parse::<TokenStream>().map_err(syn::Error::from);
    let mut file: syn::File = parsed
        .and_then(|code| syn::parse2(raw_keywords(code)))
        .map_err(|error| fail(format!("protobuf-codegen wrote code that does not parse: {error}")))?;
    conformance::mend(&mut file, descriptor).map_err(fail)?;
    docs::insert(&mut file, source);
    write(&path, &source.import, &file).map_err(fail)
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

/// Collects the descriptors that rust-protobuf works on, and marks what to document.
struct Callback {
    files: Rc<RefCell<Vec<FileDescriptor>>>,
}

impl CustomizeCallback for Callback {
    fn file(&self, file: &FileDescriptor) -> Customize {
        self.files.borrow_mut().push(file.clone());
        Customize::default()
    }

    fn message(&self, message: &MessageDescriptor) -> Customize {
        docs::mark(message.full_name())
    }

    fn field(&self, field: &FieldDescriptor) -> Customize {
        docs::mark(&field.full_name())
    }

    fn enumeration(&self, enumeration: &EnumDescriptor) -> Customize {
        docs::mark(enumeration.full_name())
    }

    fn oneof(&self, oneof: &OneofDescriptor) -> Customize {
        docs::mark(&oneof.full_name())
    }
}
