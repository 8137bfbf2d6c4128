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
use protobuf::descriptor::{FileDescriptorProto, FileDescriptorSet};
use protox::file::{File, FileResolver, GoogleFileResolver};
use protox::prost_reflect::prost_types::source_code_info::Location;
use protox::prost_reflect::{DescriptorPool, FileDescriptor, prost_types};

use crate::error::Error;
use crate::names;

/// A `.proto` file that code is generated for.
pub struct Proto {
    /// Where it is.
    pub path: PathBuf,
    pub file: FileDescriptor,
}

impl Proto {
    /// What an `import` calls it.
    pub fn import(&self) -> &str {
        self.file.name()
    }

    /// The comment of the element at a path (see `SourceCodeInfo.Location.path` in `descriptor.proto`): the one above
    /// it, or else the one behind it.
    pub fn comment(&self, path: &[i32]) -> Option<&str> {
        let location = location(self.file.file_descriptor_proto(), path)?;
        [location.leading_comments(), location.trailing_comments()].into_iter().find(|text| !text.trim().is_empty())
    }

    /// The line and column of the name (field 1 of all elements) of the element at a path.
    pub fn position(&self, path: &[i32]) -> (usize, usize) {
        position_at(self.file.file_descriptor_proto(), &[path, &[1]].concat())
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
    let mut files = FileDescriptorSet::parse_from_bytes(&compiler.pool.encode_to_vec())
        .map_err(|error| {
            let reason = format!("rust-protobuf does not accept protox's descriptors: {error}");
            vec![Error::about(include, reason)]
        })?
        .file;
    // They become part of the program, which needs no positions and comments.
    files.iter_mut().for_each(|file| file.source_code_info.clear());
    let protos = compiler.pool.files().filter(|file| inputs.iter().any(|input| input == file.name()));
    Ok((files, protos.map(|file| Proto { path: include.join(file.name()), file }).collect()))
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
        let (file, text) = if !path.exists() && names::well_known_module(name).is_some() {
            (GoogleFileResolver::new().open_file(name), String::new())
        } else {
            let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            (File::from_source(name, &text), text)
        };
        self.opened.insert(name.to_owned(), false);
        match file {
            Ok(file) => self.compile(&path, file.file_descriptor_proto().clone(), &text),
            Err(error) => self.errors.extend(diagnose(&path, &text, &error)),
        }
        self.opened.insert(name.to_owned(), true);
        Ok(())
    }

    fn compile(&mut self, path: &Path, file: prost_types::FileDescriptorProto, text: &str) {
        for (at, import) in (0..).zip(&file.dependency) {
            if let Err(reason) = self.import(import) {
                self.errors.push(Error::at(path, position_at(&file, &[3, at]), reason));
            }
        }
        // If an import has mistakes, they are reported, and this file's names cannot be looked up.
        if file.dependency.iter().all(|import| self.pool.get_file_by_name(import).is_some()) {
            if let Err(error) = self.pool.add_file_descriptor_proto(file) {
                self.errors.extend(diagnose(path, text, &error.with_source_code(text)));
            }
        }
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

/// Where the element at a path is.
fn location<'a>(file: &'a prost_types::FileDescriptorProto, path: &[i32]) -> Option<&'a Location> {
    file.source_code_info.as_ref()?.location.iter().find(|location| location.path == path)
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

/// The line and column, from 1, of the element at a path. A `SourceCodeInfo` counts from 0.
fn position_at(file: &prost_types::FileDescriptorProto, path: &[i32]) -> (usize, usize) {
    let part = |at: usize| usize::try_from(*location(file, path)?.span.get(at)?).ok();
    (part(0).unwrap_or(0) + 1, part(1).unwrap_or(0) + 1)
}
