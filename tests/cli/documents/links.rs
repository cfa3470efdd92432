//! Links from one page to another: the file exists, and so does the heading. Names of files of a release: they are of
//! this version.

use std::collections::BTreeSet;

use regex::Regex;

use super::page::Page;

/// The names by which a page's headings are linked, as GitHub makes them.
fn anchors(page: &Page) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for heading in page.prose().lines().filter(|line| line.starts_with('#')) {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        let name: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let again = (1..).map(|count| format!("{name}-{count}"));
        let mut free = std::iter::once(name.clone()).chain(again).filter(|name| !anchors.contains(name));
        let name = free.next().expect("there are always more numbers");
        drop(free);
        anchors.insert(name);
    }
    anchors
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("the pattern is valid");
    let (mut broken, mut checked) = (Vec::new(), 0);
    for page in Page::all() {
        let folder = page.name.rsplit_once('/').map_or("", |(folder, _)| folder);
        for found in link.captures_iter(&page.prose()) {
            let target = found[1].to_owned();
            if target.contains("://") {
                continue;
            }
            checked += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let name = match file.strip_prefix("../") {
                _ if file.is_empty() => page.name.clone(),
                Some(file) => file.to_owned(),
                None if folder.is_empty() => file.to_owned(),
                None => format!("{folder}/{file}"),
            };
            let leads = Page::path(&name).exists()
                && (anchor.is_empty() || anchors(&Page::read(&name)).contains(anchor));
            broken.extend((!leads).then(|| format!("{}: {target}", page.name)));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(checked > 20, "{checked}");
}

#[test]
fn files_of_a_release_are_of_this_version() {
    let name = Regex::new(r"stern-rs[-_]([0-9]+\.[0-9]+\.[0-9]+)").expect("the pattern is valid");
    for page in ["README.md", "docs/install.md"].map(Page::read) {
        let found: BTreeSet<&str> = name
            .captures_iter(&page.text)
            .filter_map(|found| found.get(1))
            .map(|found| found.as_str())
            .collect();
        assert_eq!(Vec::from_iter(found), [env!("CARGO_PKG_VERSION")], "{}", page.name);
    }
}
