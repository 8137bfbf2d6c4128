//! The `.proto` files of a module and those that they import.
//!
//! They are read before rust-protobuf reads them: its parser does not say which statement
//! imports a file that is missing, and recurses without end when files import each other.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::outline::Outline;
use super::token::Tokens;

/// Files that rust-protobuf brings along, with the module of their generated code.
const BUILT_IN: &[(&str, &str)] = &[
    ("google/protobuf/any.proto", "::protobuf::well_known_types::any"),
    ("google/protobuf/api.proto", "::protobuf::well_known_types::api"),
    ("google/protobuf/descriptor.proto", "::protobuf::descriptor"),
    ("google/protobuf/duration.proto", "::protobuf::well_known_types::duration"),
    ("google/protobuf/empty.proto", "::protobuf::well_known_types::empty"),
    ("google/protobuf/field_mask.proto", "::protobuf::well_known_types::field_mask"),
    ("google/protobuf/source_context.proto", "::protobuf::well_known_types::source_context"),
    ("google/protobuf/struct.proto", "::protobuf::well_known_types::struct_"),
    ("google/protobuf/timestamp.proto", "::protobuf::well_known_types::timestamp"),
    ("google/protobuf/type.proto", "::protobuf::well_known_types::type_"),
    ("google/protobuf/wrappers.proto", "::protobuf::well_known_types::wrappers"),
    ("rustproto.proto", "::protobuf::rustproto"),
];

/// The module of the types in a file that rust-protobuf brings along.
pub fn built_in_module(import: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(path, _)| *path == import).map(|(_, module)| *module)
}

/// A `.proto` file.
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// What an `import` calls it.
    pub import: String,
    pub text: String,
    pub outline: Outline,
    /// Whether code is to be generated for it, or only for those that import it.
    pub is_input: bool,
}

/// Reads the files `inputs`, and all that they import, from the folder `include`.
///
/// # Errors
///
/// Every file that cannot be read, every import that leads nowhere or in a circle, and every
/// import of a file that is not among the inputs and thus has no Rust module.
pub fn read(include: &Path, inputs: &[String]) -> Result<Vec<Source>, Vec<Error>> {
    let mut reader = Reader { include, inputs, state: HashMap::new(), sources: Vec::new(), errors: Vec::new() };
    for input in inputs {
        if let Err(reason) = reader.file(input) {
            reader.errors.push(Error::about(include.join(input), reason));
        }
    }
    if reader.errors.is_empty() { Ok(reader.sources) } else { Err(reader.errors) }
}

struct Reader<'a> {
    include: &'a Path,
    inputs: &'a [String],
    /// `false` while the imports of a file are being read, `true` after that.
    state: HashMap<String, bool>,
    sources: Vec<Source>,
    errors: Vec<Error>,
}

impl Reader<'_> {
    /// Reads a file and what it imports. The error is a reason for whoever asked for the file.
    fn file(&mut self, import: &str) -> Result<(), String> {
        match self.state.get(import) {
            Some(true) => return Ok(()),
            Some(false) => return Err(format!("`{import}` imports itself, by way of this import")),
            None => {}
        }
        let path = self.include.join(import);
        let text = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let text = String::from_utf8(text).map_err(|_| format!("{} is not UTF-8", path.display()))?;
        let outline = Outline::of(&Tokens::of(&text));
        self.state.insert(import.to_owned(), false);
        for imported in &outline.imports {
            if let Err(reason) = self.import(&imported.path) {
                self.errors.push(Error::at(&path, imported.place, reason));
            }
        }
        self.state.insert(import.to_owned(), true);
        let is_input = self.inputs.iter().any(|input| input == import);
        self.sources.push(Source { path, import: import.to_owned(), text, outline, is_input });
        Ok(())
    }

    fn import(&mut self, import: &str) -> Result<(), String> {
        let is_input = self.inputs.iter().any(|input| input == import);
        if self.include.join(import).exists() {
            if !is_input && built_in_module(import).is_none() {
                return Err(format!(
                    "`{import}` is imported, but no code is generated for it: add it to the files of this module in build.rs"
                ));
            }
            return self.file(import);
        }
        match built_in_module(import) {
            Some(_) => Ok(()),
            None => Err(format!("`{import}` is imported, but is not in the folder {}", self.include.display())),
        }
    }
}
