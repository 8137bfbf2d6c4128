//! Generates Rust code for gRPC services on grpcio-kit from `.proto` files, in a build script and without `protoc`.
//!
//! # Example
//!
//! For a service `Greeter` in `protos/greeter.proto`, `build.rs` is
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     grpcio_kit_build::compile("protos", &["greeter.proto"])
//! }
//! ```
//!
//! and the crate includes what that wrote:
//!
//! ```ignore
//! pub mod proto {
//!     include!(concat!(env!("OUT_DIR"), "/greeter/mod.rs"));
//! }
//! ```
//!
//! In `proto`, `greeter` has the messages, and `greeter_grpc` has for each service a trait to implement (`Greeter`), a
//! function that registers an implementation with a server (`greeter_service`) and a client (`GreeterClient`). The
//! code calls `::grpcio_kit` and nothing else. Comments of the `.proto` file become its documentation.
//!
//! [`Config`] generates several modules.
//!
//! # Errors
//!
//! A mistake in a `.proto` file fails the build with its file, line, column and reason. Editions are not supported;
//! groups are left out of messages, and of extensions.

// How the code is made, each step with those that it calls:
//
// proto          has protox compile the files to descriptors, and says where mistakes are
// messages       has rust-protobuf write the messages of the descriptors
//   conformance  patches where that code deviates from the protobuf specification
//   comments     puts comments on it
//     markdown   makes rustdoc's Markdown of them
// service        writes traits, constants and registration of services
//   model        the services, with their names in Rust
//   client       writes their clients

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod client;
mod comments;
mod conformance;
mod error;
mod markdown;
mod messages;
mod model;
mod names;
mod proto;
mod service;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

pub use error::Error;
use proto::Proto;

/// The crate that generated code calls.
const RUNTIME: &str = "grpcio_kit";

fn runtime() -> proc_macro2::TokenStream {
    let name = quote::format_ident!("{RUNTIME}");
    quote::quote!(::#name)
}

/// Generates one module, named after the first of `files`: `OUT_DIR/greeter/mod.rs` for `greeter.proto`.
///
/// Short for [`Config::new`] with one [`Config::module`], and [`Config::build`].
pub fn compile(include: impl Into<PathBuf>, files: &[&str]) -> ExitCode {
    let name = files.first().map(|file| names::module(file)).unwrap_or_default();
    Config::new(include).module(&name, files).build()
}

/// Which modules to generate, from which files.
///
/// ```no_run
/// # fn main() -> std::process::ExitCode {
/// grpcio_kit_build::Config::new("protos").module("greeter", &["greeter.proto"]).build()
/// # }
/// ```
pub struct Config {
    include: PathBuf,
    modules: Vec<(String, Vec<String>)>,
}

impl Config {
    /// Starts without modules. `include` is the folder that imports are relative to.
    pub fn new(include: impl Into<PathBuf>) -> Config {
        Config { include: include.into(), modules: Vec::new() }
    }

    /// Adds a module, `OUT_DIR/name/mod.rs`, with the code of `files`.
    ///
    /// They are relative to the include folder and written as an `import` writes them. What they import has to be
    /// among them, but for `google/protobuf/*.proto`, which grpcio-kit has.
    #[must_use]
    pub fn module(mut self, name: &str, files: &[&str]) -> Config {
        self.modules.push((name.to_owned(), files.iter().map(|file| (*file).to_owned()).collect()));
        self
    }

    /// Generates into `OUT_DIR`, as the whole of a build script's `main`: reports every mistake to cargo
    /// (`cargo::error`), and fails if there is one.
    pub fn build(&self) -> ExitCode {
        // Cargo sets it for every build script.
        let errors = self.generate(env::var("OUT_DIR").unwrap_or_default()).err().unwrap_or_default();
        for error in &errors {
            println!("cargo::error={error}");
        }
        if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Writes every module to a folder of its name in `out_dir`, and tells cargo which files to watch.
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
        // Also files that cannot be compiled: the build runs again when they change.
        for file in files {
            println!("cargo::rerun-if-changed={}", self.include.join(file).display());
        }
        let (files, protos) = proto::compile(&self.include, files)?;
        modules_are_distinct(&protos)?;
        // Nothing of an earlier build may stay behind.
        let removed = fs::remove_dir_all(out_dir).or_else(|error| match error.kind() {
            ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        });
        removed
            .and_then(|()| fs::create_dir_all(out_dir))
            .map_err(|error| vec![Error::about(out_dir, format!("cannot create an empty folder: {error}"))])?;
        messages::generate(&files, &protos, out_dir)?;
        let mut modules = String::new();
        let mut errors = Vec::new();
        for proto in &protos {
            let module = names::module(proto.import());
            modules.push_str(&format!("pub mod {module};\n"));
            match service::generate(proto) {
                Ok(None) => {}
                Ok(Some(code)) => {
                    modules.push_str(&format!("pub mod {module}_grpc;\n"));
                    errors.extend(write(&out_dir.join(format!("{module}_grpc.rs")), proto, &code).err());
                }
                Err(more) => errors.extend(more),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let path = out_dir.join("mod.rs");
        fs::write(&path, modules).map_err(|error| vec![Error::about(path, format!("cannot write: {error}"))])
    }
}

/// The module of a file is named after the last component of its path only.
fn modules_are_distinct(protos: &[Proto]) -> Result<(), Vec<Error>> {
    let mut seen: HashMap<String, &Proto> = HashMap::new();
    let mut errors = Vec::new();
    for proto in protos {
        let module = names::module(proto.import());
        let services = (proto.file.services().len() > 0).then(|| format!("{module}_grpc"));
        for module in [module].into_iter().chain(services) {
            if let Some(first) = seen.insert(module.clone(), proto) {
                let reason = format!("its Rust module `{module}` is also that of {}: rename one", first.path.display());
                errors.push(Error::about(&proto.path, reason));
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Writes code that was generated from `proto`.
fn write(path: &Path, proto: &Proto, code: &syn::File) -> Result<(), Error> {
    let code = format!("// @generated from {}. Do not edit.\n\n{}", proto.import(), prettyplease::unparse(code));
    fs::write(path, code)
        .map_err(|error| Error::about(&proto.path, format!("cannot write {}: {error}", path.display())))
}
