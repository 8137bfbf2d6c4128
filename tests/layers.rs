//! The order of each crate's modules, which the table in its `lib.rs` states, bottom first: a module imports only from
//! those above it in the table, and by their own paths, not by the re-exports of the crate root.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::root;

/// A source file: the top-level module that it belongs to, the number of modules around its items, and its text.
struct Source {
    path: PathBuf,
    module: String,
    depth: usize,
    text: String,
}

/// Asserts that the crate in `folder` keeps the order in its `src/lib.rs`. `programs` are the modules of its binaries,
/// which may import everything.
fn assert_layered(folder: &str, programs: &[&str]) {
    let src = root().join(folder).join("src");
    let order = table(&fs::read_to_string(src.join("lib.rs")).unwrap());
    let mut sources = Vec::new();
    read_sources(&src, &src, &mut sources);
    sources.retain(|source| !programs.contains(&source.module.as_str()));
    assert!(!order.is_empty() && !sources.is_empty(), "no table or no modules in {folder}");
    let faults: Vec<_> = sources.iter().flat_map(|source| faults(&order, source)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The modules in the table of a `lib.rs`.
fn table(lib: &str) -> Vec<String> {
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | "));
    let cells = rows.filter_map(|row| row.split_once(" |")).map(|(cell, _)| cell.trim_matches(['[', ']', '`']));
    cells.filter(|cell| *cell != "module" && !cell.starts_with('-')).map(str::to_owned).collect()
}

fn read_sources(src: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(src, &path, sources);
            continue;
        }
        let modules = path.strip_prefix(src).unwrap().with_extension("");
        let mut modules: Vec<_> = modules.iter().map(|module| module.to_str().unwrap().to_owned()).collect();
        if modules.last().is_some_and(|last| last == "mod") {
            modules.pop();
        }
        let (module, depth) = (modules.remove(0), modules.len() + 1);
        if path.extension().is_some_and(|extension| extension == "rs") && module != "lib" && module != "main" {
            sources.push(Source { text: fs::read_to_string(&path).unwrap(), path, module, depth });
        }
    }
}

/// What a source imports against the order.
fn faults(order: &[String], source: &Source) -> Vec<String> {
    let place = |module: &str| order.iter().position(|other| other == module);
    let Some(own) = place(&source.module) else {
        return vec![format!("{}: {} is not in the table of lib.rs", source.path.display(), source.module)];
    };
    let mut faults = Vec::new();
    // The indentation of the modules that are open inside the file.
    let mut open = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let indentation = code.len() - code.trim_start().len();
        let words: Vec<_> = code.split_whitespace().collect();
        if open.last() == Some(&indentation) && code.trim() == "}" {
            open.pop();
        } else if words.ends_with(&["{"]) && words.contains(&"mod") {
            open.push(indentation);
        }
        let mut fault = |what: String| faults.push(format!("{}:{}: {what}", source.path.display(), number + 1));
        for (at, _) in code.match_indices("crate::") {
            let path = &code[at + "crate::".len()..];
            let module = path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            match place(module) {
                None => fault(format!("`crate::{module}` is no module of the table; name the defining module")),
                Some(other) if other > own => fault(format!("{} imports from {module}, below it", source.module)),
                Some(_) => {}
            }
        }
        let supers = code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
        if supers.into_iter().any(|path| path.matches("super::").count() >= source.depth + open.len()) {
            fault("`super` leaves the top-level module; write `crate::`".to_owned());
        }
    }
    faults
}

#[test]
fn grpcio_kit_imports_along_its_table() {
    assert_layered("crates/grpcio-kit", &[]);
}

#[test]
fn calc_imports_along_its_table() {
    assert_layered(".", &["cli"]);
}

#[test]
fn grpcio_load_imports_along_its_table() {
    assert_layered("crates/grpcio-load", &[]);
}

#[test]
fn an_import_against_the_order_is_found() {
    let order = table("//! | module | what |\n//! |---|---|\n//! | [`low`] | a |\n//! | `high` | b |\n");
    assert_eq!(order, ["low", "high"]);
    let found = |module: &str, depth, text: &str| {
        let path = PathBuf::from("made_up.rs");
        faults(&order, &Source { path, module: module.to_owned(), depth, text: text.to_owned() })
    };
    let right = "use crate::low::Low;\n// use crate::Low;\nmod tests {\n    use super::*;\n}\n";
    assert_eq!(found("high", 1, right), [""; 0]);
    assert_eq!(found("low", 2, "use super::Low;"), [""; 0]);
    for (module, depth, text) in [
        ("low", 1, "use crate::high::High;"),
        ("low", 1, "fn f() -> crate::high::High {"),
        ("high", 1, "use crate::Low;"),
        ("high", 1, "use crate::{Low};"),
        ("high", 1, "use crate::elsewhere::Low;"),
        ("high", 1, "use super::low::Low;"),
        ("high", 2, "use super::super::low::Low;"),
        ("high", 1, "mod tests {\n}\nuse super::Low;"),
        ("elsewhere", 1, ""),
    ] {
        assert_eq!(found(module, depth, text).len(), 1, "{text}");
    }
}
