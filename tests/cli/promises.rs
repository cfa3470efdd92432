//! Each test that `docs/reliability.md` names exists in the named module.

use std::{
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// All Rust files below this directory, with their text.
fn sources(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.with_extension(""), text));
        }
    }
}

#[test]
fn every_test_that_the_table_of_faults_names_exists() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(project.join("docs/reliability.md")).unwrap();
    let mut files = Vec::new();
    ["crates", "src", "tests"].iter().for_each(|directory| sources(&project.join(directory), &mut files));
    let named = Regex::new(r"`([a-z_0-9]+)::([a-z0-9_]+)`").unwrap();
    let rows = table.lines().filter(|line| line.starts_with('|'));
    let names: Vec<_> =
        rows.flat_map(|row| named.captures_iter(row)).map(|named| named.extract::<2>().1).collect();
    assert!(names.len() > 20, "{names:?}");
    let exists = |[module, name]: &[&str; 2]| {
        let function = format!("fn {name}(");
        files.iter().any(|(path, text)| path.iter().any(|part| part == *module) && text.contains(&function))
    };
    let missing: Vec<_> = names.iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}
