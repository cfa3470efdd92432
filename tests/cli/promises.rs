//! Each test that `docs/reliability.md` or `docs/security.md` names exists in the named module.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// The tests in all Rust files below this directory, with the path of their file.
fn tests(directory: &Path, found: &mut HashSet<(PathBuf, String)>) {
    let test = Regex::new(r"#\[(?:tokio::)?test\b.*\]\n(?:\s*(?:#\[|///).*\n)*\s*(?:async )?fn ([a-z0-9_]+)")
        .unwrap();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = test.captures_iter(&text).map(|test| test[1].to_owned());
            found.extend(names.map(|name| (path.with_extension(""), name)));
        }
    }
}

/// Checks the names in the tables of a document, of which there are at least so many.
fn named_tests_exist(document: &str, least: usize) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(project.join(document)).unwrap();
    let mut existing = HashSet::new();
    ["crates", "src", "tests"].iter().for_each(|directory| tests(&project.join(directory), &mut existing));
    let named = Regex::new(r"`([a-z_0-9]+)::([a-z0-9_]+)`").unwrap();
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let names: Vec<_> =
        rows.flat_map(|row| named.captures_iter(row)).map(|named| named.extract::<2>().1).collect();
    assert!(names.len() >= least, "{}", names.len());
    let exists = |[module, name]: &[&str; 2]| {
        existing.iter().any(|(path, test)| test == name && path.iter().any(|part| part == *module))
    };
    let missing: Vec<_> = names.iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

#[test]
fn every_test_that_the_table_of_faults_names_exists() {
    named_tests_exist("docs/reliability.md", 200);
}

#[test]
fn every_test_that_the_table_of_threats_names_exists() {
    named_tests_exist("docs/security.md", 40);
}
