//! The files of a server, indexed by the symbols that they define. Built once, before the server starts.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use protobuf::Message;
use protobuf::descriptor::FileDescriptorProto;
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
    services: Vec<String>,
    files: Vec<File>,
    by_name: HashMap<String, FileId>,
    by_symbol: HashMap<String, Definition>,
    /// By the extended message and the field number.
    by_extension: HashMap<String, BTreeMap<i32, FileId>>,
}

/// The index of a file in [`Index`].
pub(super) type FileId = usize;

struct File {
    name: String,
    /// The encoded `google.protobuf.FileDescriptorProto`.
    bytes: Vec<u8>,
    imports: Vec<FileId>,
}

struct Definition {
    file: FileId,
    is_message: bool,
}

impl Index {
    /// Indexes `files` and everything that they import.
    pub(super) fn new(mut services: Vec<String>, files: &[FileDescriptor]) -> Result<Index, Conflict> {
        services.sort_unstable();
        let mut index = Index {
            services,
            files: Vec::new(),
            by_name: HashMap::new(),
            by_symbol: HashMap::new(),
            by_extension: HashMap::new(),
        };
        let mut imports = Vec::new();
        let mut rest: VecDeque<&FileDescriptor> = files.iter().collect();
        while let Some(file) = rest.pop_front() {
            let mut proto = file.proto().clone();
            // rust-protobuf has comments and positions for the files that it brings along; other languages' descriptors have none.
            proto.source_code_info.take();
            let encode = |source| Conflict::Encode { file: file.name().to_owned(), source };
            let bytes = proto.write_to_bytes().map_err(encode)?;
            match index.by_name.get(file.name()) {
                Some(known) if index.files[*known].bytes == bytes => continue,
                Some(_) => return Err(Conflict::File(file.name().to_owned())),
                None => {}
            }
            index.add(&proto, bytes)?;
            imports.push(file.deps().iter().map(FileDescriptor::name).collect::<Vec<_>>());
            rest.extend(file.deps());
        }
        for (file, imports) in index.files.iter_mut().zip(imports) {
            file.imports = imports.into_iter().filter_map(|name| index.by_name.get(name).copied()).collect();
        }
        Ok(index)
    }

    fn add(&mut self, proto: &FileDescriptorProto, bytes: Vec<u8>) -> Result<(), Conflict> {
        let id = self.files.len();
        let name = proto.name().to_owned();
        self.by_name.insert(name.clone(), id);
        self.files.push(File { name, bytes, imports: Vec::new() });
        let mut added = Ok(());
        symbol::visit(proto, &mut |name, symbol| {
            if added.is_ok() {
                added = self.define(id, name, symbol);
            }
        });
        added
    }

    fn define(&mut self, file: FileId, symbol: String, kind: Symbol<'_>) -> Result<(), Conflict> {
        let name = |id: FileId| self.files[id].name.clone();
        if let Symbol::Extension(field) = kind {
            let message = field.extendee().trim_start_matches('.').to_owned();
            let number = field.number();
            if let Some(first) = self.by_extension.get(&message).and_then(|numbers| numbers.get(&number)) {
                return Err(Conflict::Extension { message, number, first: name(*first), second: name(file) });
            }
            self.by_extension.entry(message).or_default().insert(number, file);
        }
        if let Some(first) = self.by_symbol.get(&symbol) {
            return Err(Conflict::Symbol { symbol, first: name(first.file), second: name(file) });
        }
        self.by_symbol.insert(symbol, Definition { file, is_message: matches!(kind, Symbol::Message) });
        Ok(())
    }

    /// Returns the full names of the services, sorted.
    pub(super) fn services(&self) -> &[String] {
        &self.services
    }

    /// Returns the file of this name.
    pub(super) fn file(&self, name: &str) -> Option<FileId> {
        self.by_name.get(name).copied()
    }

    /// Returns the file that defines a symbol.
    pub(super) fn file_of_symbol(&self, name: &str) -> Option<FileId> {
        self.by_symbol.get(name).map(|definition| definition.file)
    }

    /// Returns the file that defines the extension of a message with this field number.
    pub(super) fn file_of_extension(&self, message: &str, number: i32) -> Option<FileId> {
        self.by_extension.get(message)?.get(&number).copied()
    }

    /// Returns the extension numbers of a message, sorted; `None` if there is no such message.
    pub(super) fn extension_numbers(&self, message: &str) -> Option<Vec<i32>> {
        match self.by_extension.get(message) {
            Some(numbers) => Some(numbers.keys().copied().collect()),
            None => self.by_symbol.get(message).filter(|definition| definition.is_message).map(|_| Vec::new()),
        }
    }

    /// Returns a file and all of its imports without those already `sent`. The file itself is the first, whether it
    /// has been sent or not.
    pub(super) fn with_imports(&self, root: FileId, sent: &mut HashSet<FileId>) -> Vec<Vec<u8>> {
        let mut files = vec![self.files[root].bytes.clone()];
        sent.insert(root);
        let mut seen = HashSet::from([root]);
        let mut rest: VecDeque<FileId> = self.files[root].imports.iter().copied().collect();
        while let Some(id) = rest.pop_front() {
            if !seen.insert(id) {
                continue;
            }
            // A file that was sent in an earlier response may import one that was not.
            if sent.insert(id) {
                files.push(self.files[id].bytes.clone());
            }
            rest.extend(&self.files[id].imports);
        }
        files
    }
}
