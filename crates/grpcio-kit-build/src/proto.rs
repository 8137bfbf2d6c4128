//! Compiles `.proto` files to descriptors, with protox.
//!
//! protox would open imports by itself. It does not say which statement closes a cycle of imports, and stops at the
//! first import that is missing; so files are opened here and given to it in the order in which they depend on each
//! other.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use protobuf::Message;
use protobuf::descriptor::source_code_info::Location;
use protobuf::descriptor::{FileDescriptorProto, FileDescriptorSet};
use protobuf::reflect::FileDescriptor;
use protox::file::{File, FileResolver, GoogleFileResolver};
use protox::prost_reflect::DescriptorPool;

use crate::error::Error;
use crate::names;

/// A `.proto` file that code is generated for.
pub struct Proto {
    /// Where it is.
    pub path: PathBuf,
    pub descriptor: FileDescriptor,
    /// Positions and comments. The descriptor, which becomes part of the generated code, has none.
    locations: HashMap<Vec<i32>, Location>,
}

impl Proto {
    /// What an `import` calls it.
    pub fn import(&self) -> &str {
        self.descriptor.name()
    }

    /// The comment of the element at a path (see `SourceCodeInfo.Location.path` in `descriptor.proto`): the one above
    /// it, or else the one behind it.
    pub fn comment(&self, path: &[i32]) -> Option<&str> {
        let location = self.locations.get(path)?;
        [location.leading_comments(), location.trailing_comments()].into_iter().find(|text| !text.trim().is_empty())
    }

    /// The line and column of the name (field 1 of all elements) of the element at a path.
    pub fn position(&self, path: &[i32]) -> (usize, usize) {
        let location = self.locations.get(&[path, &[1]].concat());
        location.and_then(|location| position(&location.span)).unwrap_or((1, 1))
    }
}

/// Compiles the files `inputs`, which are in the folder `include`. Returns the descriptors of all files, imported ones
/// first, and the inputs among them.
///
/// # Errors
///
/// Every mistake: files that cannot be read or compiled, imports that are missing or cyclic, and imports of files that
/// are not among the inputs and thus have no Rust module.
pub fn compile(include: &Path, inputs: &[String]) -> Result<(Vec<FileDescriptorProto>, Vec<Proto>), Vec<Error>> {
    let mut compiler =
        Compiler { include, inputs, pool: DescriptorPool::new(), opened: HashMap::new(), errors: Vec::new() };
    for input in inputs {
        if let Err(reason) = compiler.open(input) {
            compiler.errors.push(Error::about(include.join(input), reason));
        }
    }
    if !compiler.errors.is_empty() {
        return Err(compiler.errors);
    }
    let fail = |error: &dyn std::fmt::Display| {
        vec![Error::about(include, format!("rust-protobuf does not accept protox's descriptors: {error}"))]
    };
    // From prost's types to rust-protobuf's.
    let set = FileDescriptorSet::parse_from_bytes(&compiler.pool.encode_to_vec());
    let mut files = set.map_err(|error| fail(&error))?.file;
    let mut infos = HashMap::new();
    for file in &mut files {
        infos.insert(file.name().to_owned(), file.source_code_info.take().unwrap_or_default().location);
    }
    let descriptors = FileDescriptor::new_dynamic_fds(files.clone(), &[]).map_err(|error| fail(&error))?;
    let inputs = descriptors.into_iter().filter(|file| inputs.iter().any(|input| input == file.name()));
    let proto = |descriptor: FileDescriptor| {
        let locations = infos.remove(descriptor.name()).unwrap_or_default();
        let locations = locations.into_iter().map(|location| (location.path.clone(), location)).collect();
        Proto { path: include.join(descriptor.name()), descriptor, locations }
    };
    let protos = inputs.map(proto).collect();
    Ok((files, protos))
}

struct Compiler<'a> {
    include: &'a Path,
    inputs: &'a [String],
    /// The files that have been compiled.
    pool: DescriptorPool,
    /// `false` while the imports of a file are being opened, `true` after that.
    opened: HashMap<String, bool>,
    errors: Vec<Error>,
}

impl Compiler<'_> {
    /// Compiles a file, after those that it imports. The error is a reason for the file that imports it.
    fn open(&mut self, name: &str) -> Result<(), String> {
        match self.opened.get(name) {
            Some(true) => return Ok(()),
            Some(false) => return Err(format!("`{name}` imports itself, through this import")),
            None => {}
        }
        let path = self.include.join(name);
        if !path.exists() && names::well_known_module(name).is_some() {
            let file = GoogleFileResolver::new().open_file(name).map_err(|error| error.to_string())?;
            return self.compile(&path, name, file, "");
        }
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        match File::from_source(name, &text) {
            Ok(file) => self.compile(&path, name, file, &text),
            Err(error) => {
                self.opened.insert(name.to_owned(), true);
                self.errors.extend(diagnose(&path, &text, &error));
                Ok(())
            }
        }
    }

    fn compile(&mut self, path: &Path, name: &str, file: File, text: &str) -> Result<(), String> {
        self.opened.insert(name.to_owned(), false);
        let file = file.file_descriptor_proto().clone();
        let info = file.source_code_info.clone().unwrap_or_default();
        for (at, import) in (0..).zip(&file.dependency) {
            if let Err(reason) = self.import(import) {
                let location = info.location.iter().find(|location| location.path == [3, at]);
                let position = location.and_then(|location| position(&location.span)).unwrap_or((1, 1));
                self.errors.push(Error::at(path, position, reason));
            }
        }
        self.opened.insert(name.to_owned(), true);
        // If an import has mistakes, they are reported, and this file's names cannot be looked up.
        if file.dependency.iter().all(|import| self.pool.get_file_by_name(import).is_some()) {
            if let Err(error) = self.pool.add_file_descriptor_proto(file) {
                self.errors.extend(diagnose(path, text, &error.with_source_code(text)));
            }
        }
        Ok(())
    }

    fn import(&mut self, name: &str) -> Result<(), String> {
        if names::well_known_module(name).is_some() || self.inputs.iter().any(|input| input == name) {
            return self.open(name);
        }
        if !self.include.join(name).exists() {
            return Err(format!("`{name}` is imported, but is not in the folder {}", self.include.display()));
        }
        Err(format!(
            "`{name}` is imported, but no code is generated for it: add it to the files of this module in build.rs"
        ))
    }
}

/// All mistakes in a file that protox found at once.
fn diagnose(path: &Path, text: &str, error: &dyn Diagnostic) -> Vec<Error> {
    let related = error.related().into_iter().flatten();
    std::iter::once(error).chain(related).map(|mistake| placed(path, text, mistake)).collect()
}

/// One mistake, at its label.
fn placed(path: &Path, text: &str, mistake: &dyn Diagnostic) -> Error {
    let mut labels: Vec<_> = mistake.labels().into_iter().flatten().collect();
    // Of two labels, one is what is wrong, and the other what that contradicts: the first definition, a range.
    let is_other = |label: &str| label.contains("first") || label.contains("range") || label.ends_with('…');
    labels.sort_by_key(|label| label.label().is_some_and(is_other));
    let mut reason = mistake.to_string();
    for other in labels.iter().skip(1) {
        let line = position_of(text, other.offset()).0;
        reason.push_str(&format!(" (line {line}: {})", other.label().unwrap_or_default()));
    }
    if let Some(help) = mistake.help() {
        reason.push_str(&format!("; {help}"));
    }
    // Without a label, the mistake is that the file has ended: in a comment, which began somewhere, or elsewhere.
    let comment = text.rfind("/*").filter(|_| reason.starts_with("expected comment terminator"));
    let offset = labels.first().map_or(comment.unwrap_or(text.len()), |label| label.offset());
    Error::at(path, position_of(text, offset), reason)
}

/// The line and column, from 1, of a place in a text.
fn position_of(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    (before.iter().filter(|byte| **byte == b'\n').count() + 1, before.len() - line_start + 1)
}

/// The line and column, from 1, of a span of a `SourceCodeInfo`, which counts from 0.
fn position(span: &[i32]) -> Option<(usize, usize)> {
    let part = |at: usize| usize::try_from(*span.get(at)?).ok();
    Some((part(0)? + 1, part(1)? + 1))
}
