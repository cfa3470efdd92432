//! What `docs/reliability.md` says of tests: each that it names is there.

use std::{fs, path::Path};

use regex::Regex;

/// All that is written in Rust below this directory.
fn sources(directory: &Path, text: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_table_of_faults_names_exists() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(project.join("docs/reliability.md")).unwrap();
    let mut text = String::new();
    ["src", "tests"].iter().for_each(|directory| sources(&project.join(directory), &mut text));
    let named = Regex::new(r"`[a-z_]+::([a-z0-9_]+)`").unwrap();
    let names: Vec<&str> = named.captures_iter(&table).map(|named| named.extract::<1>().1[0]).collect();
    assert!(names.len() > 20, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !text.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}
