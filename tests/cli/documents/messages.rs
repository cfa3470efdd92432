//! Each message that the source makes has a row in docs/troubleshooting.md, whether a test sees it or not.
//!
//! A template is a text that is given to one of the functions that make messages, or to `#[error(…)]`. Many are only a
//! part of what people see; then this file says what stands around it.

use std::{fs, path::Path, sync::LazyLock};

use regex::Regex;

use super::page::Page;
use crate::harness::is_explained;

/// What stands before and behind each template of a file, or of a folder, that is no message by itself.
const AROUND: &[(&str, &str, &str)] = &[
    ("cluster/tls/untrusted.rs", "the certificate of x ", ""),
    ("cluster/tls/pem.rs", "certificate-authority x: the block at line 1 is skipped: it ", ""),
    ("cluster/access/exec.rs", "exec plugin x of x ", ""),
    ("cluster/access/exec/process.rs", "exec plugin x of x ", ""),
    ("cluster/access/cluster.rs", "server of x ", ": give it as https://host:port"),
    ("cluster/access/proxy.rs", "the proxy in x ", ": give it as http://host:port"),
    ("cluster/access/entry.rs", "x of x ", ""),
    ("cluster/access/kubeconfig.rs", "kubeconfig x: x ", ""),
    ("cluster/error/tls.rs", "cannot reach the apiserver x: ", ""),
    ("cluster/error/mod.rs", "cannot reach the apiserver x: ", ""),
    ("small_file.rs", "cannot read x: ", ""),
    ("plan/", "--x: ", ""),
    ("jq/", "--jq failed: ", "; such records are not shown"),
    ("rewrite/jq.rs", "--jq failed: ", "; such records are not shown"),
    ("json/", "expanding template failed: ", ""),
    ("cluster/http/", "cannot reach the proxy x: ", ""),
    ("cluster/tls/certificate.rs", "the certificate of x cannot be read: ", "; issue another"),
    ("select/border.rs", "a pod cannot be read and is left out: ", ""),
    ("select/complete.rs", "not completed: ", ""),
    ("cli/config/words.rs", "levels: ", ""),
    ("cli/config/words.rs", "fields: ", ""),
    ("plan/pager.rs", "--no-follow", ""),
    ("plan/colors.rs", "--pod-colors", ""),
    ("plan/logs.rs", "--since", ""),
];

/// The same of single templates: how they begin, and the whole message.
const WHOLE: &[(&str, &str)] = &[
    ("x (x:x sets x)", "--gaps works only with -o json (config.yaml:1 sets gaps)"),
    ("x is neither a host name", "tls-server-name of x is neither a host name nor an IP address"),
    ("x is not base64: ", "client-key-data of x is not base64: x"),
    ("x x: give it as https", "server of x has no host: give it as https://host:port"),
    ("x, and must be xx", "namespace of x is a number, and must be a text"),
    ("x: exec.interactiveMode", "user x: exec.interactiveMode is x: set it to IfAvailable, Never or Always"),
    ("x: exec.x is missing", "user x: exec.command is missing: name the program"),
    ("x has no scheme: ", "proxy-url of x has no scheme: give it as http://host:port"),
    ("x is x, and must be the name", "$POD_NAMESPACE is x, and must be the name of a namespace"),
    ("cannot x: x", "cannot list pods: x"),
    ("xexpired on ", "the certificate of x expired on x: renew it"),
    (
        "xhas a critical extension",
        "the certificate of x has a critical extension that is not supported: issue another",
    ),
    ("xis not for servers", "the certificate of x is not for servers (extended key usage): issue another"),
    ("xis not valid before", "the certificate of x is not valid before x: check this machine's clock"),
    ("x x in x ms", "GET /version 200 in 1 ms"),
    ("not read to its end: x", "not read to its end: the time of --timeout was over before"),
    ("x; waiting for it", "jobs \"x\" not found in namespace \"x\"; waiting for it"),
    ("its node has not reported it yet", "web-1 waits: its node has not reported it yet"),
    (
        "x; asking every x s instead",
        "not allowed to watch pods: the apiserver answered 403; asking every 5 s instead",
    ),
    ("x; continuing without it", "cannot read x: no data within 10s; continuing without it"),
    ("x: the home directory is unknown", "--config: the home directory is unknown; set $HOME"),
    ("x; trying again", "no answer from x within 1s; trying again"),
];

/// A text behind the name of such a function, with what may stand before it: `error(format!("…`, `notice(Kind::X, "…`.
static TEMPLATE: LazyLock<Regex> = LazyLock::new(|| {
    let functions =
        "UsageError::new|Err|error|wrong|warning|info|notice|invalid|Error::new|report|unreadable|hint";
    let before = r"(?:[A-Za-z_&:.]+(?:\([^()]*\))?,\s*)*&?(?:format!\(\s*)?";
    let pattern = format!(r#"(?:\b({functions})\(\s*{before}|#\[(error)\(\s*)"((?:[^"\\]|\\.|\\\n)*)""#);
    Regex::new(&pattern).expect("the pattern is valid")
});

/// The files of the program, without tests, by their path in `src`.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder of the source") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() && !["tests", "testing"].contains(&&*name) {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.contains("test") && name != "fuzz.rs" {
            let text = fs::read_to_string(&path).expect("a file of the source");
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
            let path = path.strip_prefix(Page::path("src")).expect("it is in src").display().to_string();
            found.push((path, text));
        }
    }
}

/// The template with `x` in place of what it inserts.
fn filled(template: &str) -> String {
    let joined = Regex::new(r"\\\n\s*").expect("the pattern is valid").replace_all(template, "");
    let plain = joined.replace("\\\"", "\"").replace("{{", "<").replace("}}", ">");
    let filled = Regex::new(r"\{[^{}]*\}").expect("the pattern is valid").replace_all(&plain, "x");
    filled.replace('<', "{").replace('>', "}")
}

/// Whether the page has a row for this template, or for what is made of it.
fn explained(file: &str, template: &str) -> bool {
    let whole =
        WHOLE.iter().filter(|(start, _)| template.starts_with(start)).map(|(_, whole)| (*whole).to_owned());
    let around = AROUND.iter().filter(|(name, ..)| file.starts_with(name));
    let around = around.map(|(_, before, behind)| format!("{before}{template}{behind}"));
    [template.to_owned()].into_iter().chain(whole).chain(around).any(|message| is_explained(&message))
}

#[test]
fn every_message_of_the_source_has_a_row() {
    let mut files = Vec::new();
    sources(&Page::path("src"), &mut files);
    let (mut missing, mut seen) = (Vec::new(), 0);
    for (file, text) in &files {
        for found in TEMPLATE.captures_iter(text) {
            let function = found.get(1).or(found.get(2)).map_or("", |function| function.as_str());
            let template = filled(&found[3]);
            // A flag stands before the reason.
            let template = if function == "wrong" { format!("--x: {template}") } else { template };
            let words = template.replace('x', "");
            if words.chars().filter(char::is_ascii_alphabetic).count() < 4 {
                continue;
            }
            seen += 1;
            missing.extend((!explained(file, &template)).then(|| format!("{file}: {template}")));
        }
    }
    missing.sort();
    assert!(missing.is_empty(), "docs/troubleshooting.md has no row for\n{}", missing.join("\n"));
    assert!(seen > 120, "{seen}");
}
