//! The files of a server, indexed by the symbols that they define. Built once, before the server starts.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use protobuf::Message;
use protobuf::reflect::FileDescriptor;

use super::symbol::{self, Symbol};

/// Why files cannot be reflected together: no client could load all of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// Two files have the same name and different contents.
    #[error("there are two different files `{0}`")]
    File(String),
    /// A symbol is defined twice.
    #[error("`{symbol}` is defined in `{first}` and again in `{second}`")]
    Symbol {
        /// The full name.
        symbol: String,
        /// The file that defines it.
        first: String,
        /// The file that defines it again; may be the same.
        second: String,
    },
    /// An extension number of a message is used twice.
    #[error("the extension {number} of `{message}` is defined in `{first}` and again in `{second}`")]
    Extension {
        /// The full name of the extended message.
        message: String,
        /// The field number.
        number: i32,
        /// The file that defines it.
        first: String,
        /// The file that defines it again; may be the same.
        second: String,
    },
    /// A descriptor lacks a required field.
    #[error("the descriptor of `{file}` cannot be encoded: {source}")]
    Encode {
        /// The file.
        file: String,
        /// The reason.
        source: protobuf::Error,
    },
}

/// The services and files of a server.
pub(super) struct Index {
    /// Full names, sorted.
    pub(super) services: Vec<String>,
    /// Each encoded as a `google.protobuf.FileDescriptorProto`, by name.
    files: HashMap<String, (FileDescriptor, Vec<u8>)>,
    symbols: HashMap<String, Definition>,
    /// By the extended message and the field number.
    extensions: HashMap<String, BTreeMap<i32, FileDescriptor>>,
}

struct Definition {
    file: FileDescriptor,
    is_message: bool,
}

impl Index {
    /// Indexes `files` and everything that they import.
    pub(super) fn new(mut services: Vec<String>, files: &[FileDescriptor]) -> Result<Index, Conflict> {
        services.sort_unstable();
        let mut index = Index { services, files: HashMap::new(), symbols: HashMap::new(), extensions: HashMap::new() };
        let mut rest: VecDeque<&FileDescriptor> = files.iter().collect();
        while let Some(file) = rest.pop_front() {
            let mut proto = file.proto().clone();
            // rust-protobuf has comments and positions for the files that it brings along; other languages' descriptors have none.
            proto.source_code_info.take();
            let encode = |source| Conflict::Encode { file: file.name().to_owned(), source };
            let bytes = proto.write_to_bytes().map_err(encode)?;
            match index.files.get(file.name()) {
                Some((_, known)) if *known == bytes => continue,
                Some(_) => return Err(Conflict::File(file.name().to_owned())),
                None => index.files.insert(file.name().to_owned(), (file.clone(), bytes)),
            };
            let mut added = Ok(());
            symbol::visit(&proto, &mut |name, symbol| {
                if added.is_ok() {
                    added = index.define(file, name, symbol);
                }
            });
            added?;
            rest.extend(file.deps());
        }
        Ok(index)
    }

    fn define(&mut self, file: &FileDescriptor, symbol: String, kind: Symbol<'_>) -> Result<(), Conflict> {
        let second = file.name().to_owned();
        if let Symbol::Extension(field) = kind {
            let message = field.extendee().trim_start_matches('.').to_owned();
            let number = field.number();
            if let Some(first) = self.file_of_extension(&message, number) {
                return Err(Conflict::Extension { message, number, first: first.name().to_owned(), second });
            }
            self.extensions.entry(message).or_default().insert(number, file.clone());
        }
        if let Some(first) = self.file_of_symbol(&symbol) {
            return Err(Conflict::Symbol { first: first.name().to_owned(), second, symbol });
        }
        let is_message = matches!(kind, Symbol::Message);
        self.symbols.insert(symbol, Definition { file: file.clone(), is_message });
        Ok(())
    }

    /// Returns the file of this name.
    pub(super) fn file(&self, name: &str) -> Option<&FileDescriptor> {
        self.files.get(name).map(|(file, _)| file)
    }

    /// Returns the file that defines a symbol.
    pub(super) fn file_of_symbol(&self, name: &str) -> Option<&FileDescriptor> {
        self.symbols.get(name).map(|definition| &definition.file)
    }

    /// Returns the file that defines the extension of a message with this field number.
    pub(super) fn file_of_extension(&self, message: &str, number: i32) -> Option<&FileDescriptor> {
        self.extensions.get(message)?.get(&number)
    }

    /// Returns the extension numbers of a message, sorted; `None` if there is no such message.
    pub(super) fn extension_numbers(&self, message: &str) -> Option<Vec<i32>> {
        match self.extensions.get(message) {
            Some(numbers) => Some(numbers.keys().copied().collect()),
            None => self.symbols.get(message).filter(|definition| definition.is_message).map(|_| Vec::new()),
        }
    }

    /// Returns a file and all of its imports without those already `sent`, which are added to it. The file itself is the
    /// first, whether it has been sent or not.
    pub(super) fn with_imports(&self, root: &FileDescriptor, sent: &mut HashSet<String>) -> Vec<Vec<u8>> {
        let mut files = Vec::new();
        let mut seen = HashSet::new();
        let mut rest = VecDeque::from([root]);
        while let Some(file) = rest.pop_front() {
            if !seen.insert(file.name()) {
                continue;
            }
            // A file that was sent in an earlier response may import one that was not.
            if sent.insert(file.name().to_owned()) || files.is_empty() {
                files.extend(self.files.get(file.name()).map(|(_, bytes)| bytes.clone()));
            }
            rest.extend(file.deps());
        }
        files
    }
}
