//! The code generator: Rust code from `.proto` files, at build time and without protoc.
//!
//! ```text
//! sources   reads the files and what they import
//!   token, outline, comments: what is where in a file
//! check     finds the mistakes that rust-protobuf does not
//! messages  has rust-protobuf parse the files and write the messages
//!   diagnose: where the mistakes are that it reports
//!   conformance: what the messages do otherwise than the specification
//!   docs, markdown: the comments that it drops
//! service   writes traits, constants and registration for services
//!   model: their names in Rust
//!   client: and clients
//! ```
//!

mod check;
mod client;
mod comments;
mod conformance;
mod diagnose;
mod docs;
mod error;
mod markdown;
mod messages;
mod model;
mod names;
mod outline;
mod service;
mod sources;
mod token;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

pub use error::Error;
use sources::Source;

/// The runtime that generated code calls: whoever lifts it into another crate changes this.
const RUNTIME: &str = "::grpcio_kit";

fn runtime() -> proc_macro2::TokenStream {
    // The constant is a path.
    RUNTIME.parse().unwrap_or_default()
}

/// What to generate.
///
/// Each module becomes a folder with a `mod.rs`, which the crate includes:
///
/// ```text
/// pub mod calc {
///     include!(concat!(env!("OUT_DIR"), "/calc/mod.rs"));
/// }
/// ```
///
/// In it, `calc.proto` has become the modules `calc` (messages) and `calc_grpc` (services).
pub struct Config {
    include: PathBuf,
    modules: Vec<(String, Vec<String>)>,
}

impl Config {
    /// Nothing yet. `include` is the folder that imports are relative to.
    pub fn new(include: impl Into<PathBuf>) -> Config {
        Config { include: include.into(), modules: Vec::new() }
    }

    /// Adds a module with the code of `files`, which are relative to the include folder and
    /// written as an `import` writes them. What they import has to be among them, but for the
    /// files that protobuf brings along (`google/protobuf/*.proto`).
    pub fn module(mut self, name: &str, files: &[&str]) -> Config {
        self.modules.push((name.to_owned(), files.iter().map(|file| (*file).to_owned()).collect()));
        self
    }

    /// Generates into `OUT_DIR`, as the whole of a build script's `main`. Every mistake stops the build with its file,
    /// line and reason.
    pub fn build(&self) -> ExitCode {
        // Cargo sets it for every build script.
        let errors = self.generate(env::var("OUT_DIR").unwrap_or_default()).err().unwrap_or_default();
        for error in &errors {
            println!("cargo::error={error}");
        }
        if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Writes every module to a folder of its name in `out_dir`, and tells cargo which files
    /// to watch.
    ///
    /// # Errors
    ///
    /// Every mistake that was found.
    pub fn generate(&self, out_dir: impl AsRef<Path>) -> Result<(), Vec<Error>> {
        let mut errors = Vec::new();
        for (name, files) in &self.modules {
            errors.extend(self.generate_module(files, &out_dir.as_ref().join(name)).err().into_iter().flatten());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn generate_module(&self, files: &[String], out_dir: &Path) -> Result<(), Vec<Error>> {
        // Files that cannot be read as well: a build that failed is tried again when they change.
        for file in files {
            println!("cargo::rerun-if-changed={}", self.include.join(file).display());
        }
        let sources = sources::read(&self.include, files)?;
        for source in &sources {
            println!("cargo::rerun-if-changed={}", source.path.display());
        }
        let errors = check::check(&sources);
        if !errors.is_empty() {
            return Err(errors);
        }
        create(out_dir).map_err(|reason| vec![Error::about(out_dir, reason)])?;
        let descriptors = messages::generate(&self.include, &sources, out_dir)?;
        let mut modules = Vec::new();
        let mut errors = Vec::new();
        for source in sources.iter().filter(|source| source.is_input) {
            let module = names::module(&source.import);
            modules.push(format!("pub mod {module};\n"));
            let Some(descriptor) = descriptors.iter().find(|file| file.name() == source.import) else { continue };
            match service::generate(source, descriptor) {
                Ok(None) => {}
                Ok(Some(code)) => {
                    modules.push(format!("pub mod {module}_grpc;\n"));
                    let path = out_dir.join(format!("{module}_grpc.rs"));
                    let written = write(&path, &source.import, &code);
                    errors.extend(written.err().map(|reason| Error::about(&source.path, reason)));
                }
                Err(more) => errors.extend(more),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        // rust-protobuf's own forgets to escape keywords.
        let path = out_dir.join("mod.rs");
        fs::write(&path, modules.concat()).map_err(|error| vec![Error::about(path, format!("cannot write: {error}"))])
    }
}

impl Source {
    /// The comment that documents an element.
    fn comment_of(&self, name: &str) -> Option<String> {
        self.outline.elements.iter().find(|element| element.name == name)?.documentation.clone()
    }

    /// Where an element is; the beginning of the file, if that is not known.
    fn place_of(&self, name: &str) -> (usize, usize) {
        self.outline.elements.iter().find(|element| element.name == name).map_or((1, 1), |element| element.place)
    }
}

/// An empty folder: nothing of an earlier build may stay behind.
fn create(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("cannot remove: {error}"))?;
    }
    fs::create_dir_all(folder).map_err(|error| format!("cannot create: {error}"))
}

/// Writes generated code.
fn write(path: &Path, proto: &str, code: &syn::File) -> Result<(), String> {
    let code = format!("// @generated from {proto}. Do not edit.\n\n{}", prettyplease::unparse(code));
    fs::write(path, code).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
