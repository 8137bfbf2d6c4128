//! The code generator, run as a build script runs it.
//!
//! A package of its own, so that a build of the examples does not compile the generator a second time, optimised.

mod mistakes;
mod output;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// A folder with `.proto` files.
struct Protos {
    folder: TempDir,
}

impl Protos {
    /// Creates files from their names and contents.
    fn new(files: &[(&str, &str)]) -> Protos {
        let folder = tempfile::tempdir().unwrap();
        for (name, contents) in files {
            let path = folder.path().join("protos").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        Protos { folder }
    }

    /// Generates the module `module` from `inputs`. Errors begin with `protos/`.
    fn generate(&self, inputs: &[&str]) -> Result<(), Vec<String>> {
        let config = grpcio_kit_build::Config::new(self.folder.path().join("protos")).module("module", inputs);
        config.generate(self.folder.path().join("out")).map_err(|errors| {
            let folder = format!("{}/", self.folder.path().display());
            errors.iter().map(|error| error.to_string().replace(&folder, "")).collect()
        })
    }

    /// Returns a generated file.
    fn output(&self, file: &str) -> String {
        read(&self.folder.path().join("out/module").join(file))
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the only error for a file that is otherwise `syntax = "proto3";` and `package t;`, in its
/// first two lines.
fn mistake(contents: &str) -> String {
    let protos = Protos::new(&[("a.proto", &format!("syntax = \"proto3\";\npackage t;\n{contents}"))]);
    let mut mistakes = protos.generate(&["a.proto"]).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes.remove(0)
}

/// Generates the code of a file without mistakes.
fn generated(contents: &str) -> Protos {
    let protos = Protos::new(&[("a.proto", &format!("syntax = \"proto3\";\npackage t;\n{contents}"))]);
    protos.generate(&["a.proto"]).unwrap();
    protos
}
