//! The table of flags: names, shorthands, values and one short text each. Parsing and help both follow it.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, value_parser};

/// The group whose flags say where the cluster is.
pub const CONNECTION: &str = "Connection";
/// The group whose flags say which pods.
pub const SELECTION: &str = "Which pods and containers";
const LOGS: &str = "How much of each log";
const LIMITS: &str = "Limits";

pub fn table() -> Command {
    Command::new("stern-rs")
        .disable_help_flag(true)
        .disable_version_flag(true)
        // A repeated scalar: the last one wins, so that an alias can be overruled.
        .args_override_self(true)
        .next_help_heading(SELECTION)
        .args(selection())
        .next_help_heading(LOGS)
        .args(logs())
        .next_help_heading("Which lines")
        .args(lines())
        .next_help_heading("Output")
        .args(output())
        .next_help_heading(LIMITS)
        .args(limits())
        .next_help_heading(CONNECTION)
        .args(connection())
        .args(connection_hidden())
        .next_help_heading("Other")
        .args([
            path("config", "FILE").help("Default: ~/.config/stern-rs/config.yaml"),
            switch("help").short('h').help("Print this help and exit"),
            switch("version").short('v').help("Print the version and exit"),
            switch("show-hidden-options").help("Print the options not listed here and exit"),
            text("completion", "SHELL").help("Print the script for bash, zsh, fish or powershell"),
        ])
}

/// Whether it speaks of a cluster or of logs, so that it has no effect on standard input.
pub fn is_of_clusters(flag: &Arg) -> bool {
    let heading = flag
        .get_help_heading()
        .is_some_and(|heading| [SELECTION, LOGS, LIMITS, CONNECTION].contains(&heading));
    match flag.get_long() {
        // Standard input ends anyway.
        Some("stdin" | "no-follow" | "stats") => false,
        // It is refused.
        Some("dry-run") => false,
        // Its lines bear no times, and none is lost.
        Some("timestamps" | "gaps") => true,
        _ => heading,
    }
}

fn selection() -> [Arg; 13] {
    [
        list("namespace", "NAME,…").short('n').help("Namespaces; default: the context's"),
        switch("all-namespaces").short('A').help("All namespaces; takes no value"),
        text("selector", "SELECTOR").short('l').help("Label selector: app=web,tier!=test"),
        text("field-selector", "SELECTOR").help("Field selector: status.phase=Running"),
        text("node", "NAME").help("Pods on this node"),
        list("exclude-pod", "REGEX").help("Leave out pods with such names"),
        text("container", "REGEX").short('c').help("Containers with such names; default: all"),
        list("exclude-container", "REGEX").short('E').help("Leave out containers with such names"),
        list("container-state", "STATE,…").help("running, waiting, terminated or all, at start"),
        text("condition", "NAME[=STATUS]").help("Pods with this condition: ready, ready=false"),
        switch("init-containers").value_name("BOOL").help("Init containers too; default: true"),
        switch("ephemeral-containers").value_name("BOOL").help("Ephemeral containers too; default: true"),
        switch("prompt").short('p').help("Ask which app.kubernetes.io/instance"),
    ]
}

fn logs() -> [Arg; 9] {
    [
        text("since", "DURATION").short('s').help("Lines newer than 5s, 2m, 3h, 1d; default: 48h"),
        text("since-time", "TIME").help("Lines since an RFC 3339 time"),
        whole("tail", "N").help("Last lines of each log; default: -1, all"),
        whole("limit-bytes", "N").help("Bytes of each log; default: 0, all"),
        switch("no-follow").help("End when all is shown"),
        text("idle-check", "DURATION").help("Look into longer silences; default: 30s; 0: never"),
        switch("confirm").value_name("BOOL").help("Ask whether a log that ended did; default: true"),
        switch("previous").help("What ran before the last restart, then end"),
        switch("stdin").help("Read lines from standard input, ask no cluster"),
    ]
}

fn lines() -> [Arg; 4] {
    [
        list("include", "REGEX").short('i').help("Only lines that match"),
        list("exclude", "REGEX").short('e').help("Not the lines that match"),
        list("highlight", "REGEX").short('H').help("Mark what matches"),
        text("max-line", "SIZE").help("Cut longer lines; default: 1MiB; 0: never"),
    ]
}

fn output() -> [Arg; 11] {
    [
        text("output", "FORMAT").short('o').help("default, raw, json, extjson or ppextjson"),
        text("template", "TEMPLATE").help("Go template of a line, in place of -o"),
        path("template-file", "FILE").short('T').help("File with a Go template of a line"),
        optional(text("timestamps", "FORMAT"), "default")
            .short('t')
            .help("Show timestamps: default or short"),
        text("timezone", "ZONE").help("Local (the default), UTC or as Asia/Seoul"),
        text("color", "WHEN").help("auto (the default), always or never"),
        switch("diff-container").short('d').help("A colour for each container, not each pod"),
        list("pod-colors", "SGR,…").help("Colours of pods: 91,92 or 38;5;9"),
        list("container-colors", "SGR,…").help("As many for containers; default: the same"),
        switch("only-log-lines").help("No + and - notices"),
        switch("gaps").help("Tell lost lines in -o json too"),
    ]
}

fn limits() -> [Arg; 8] {
    [
        whole("max-log-requests", "N").help("Logs at once; default: 50, 5 to 50 if not following"),
        whole("max-streams-per-node", "N").help("Logs of one node followed at once; default: 100"),
        number("qps", "N").help("Requests a second; default: 50; -1: no limit"),
        whole("burst", "N").help("Requests before --qps binds; default: 100"),
        switch("dry-run").help("List what would be tailed and what it costs, then end"),
        optional(text("stats", "FORMAT"), "text").help("Say at the end what it cost: text or json"),
        text("max-bandwidth", "SIZE").help("Bytes of logs a second: 10MiB, 500k; default: all"),
        text("latency", "DURATION").help("Longest wait of a busy log's line; default: 5ms"),
    ]
}

fn connection() -> [Arg; 4] {
    [
        path("kubeconfig", "FILE").help("Default: $KUBECONFIG, else ~/.kube/config"),
        text("context", "NAME").help("Context of the kubeconfig"),
        switch("http1").help("No HTTP/2: a connection for each log"),
        whole("verbosity", "N").help("From 6 on: show what the apiserver is asked"),
    ]
}

/// What kubectl has too and few need here.
fn connection_hidden() -> [Arg; 16] {
    [
        text("as", "USER").help("Impersonate this user"),
        list("as-group", "GROUP").help("Impersonate this group; repeatable"),
        text("as-uid", "UID").help("Impersonate this UID"),
        list("as-user-extra", "KEY=VALUE").help("Impersonate with this extra value; repeatable"),
        text("token", "TOKEN").help("Bearer token"),
        text("server", "URL").help("Address of the apiserver"),
        path("certificate-authority", "FILE").help("Certificate of the apiserver's authority"),
        path("client-certificate", "FILE").help("Client certificate"),
        path("client-key", "FILE").help("Key of the client certificate"),
        text("cluster", "NAME").help("Cluster of the kubeconfig"),
        text("user", "NAME").help("User of the kubeconfig"),
        switch("insecure-skip-tls-verify").help("Do not check the apiserver's certificate"),
        text("tls-server-name", "NAME").help("Name to expect in the apiserver's certificate"),
        text("request-timeout", "DURATION").help("Longest wait for an answer; default: 0, a silent minute"),
        path("cache-dir", "DIR").help("Taken for kubectl's sake; nothing is cached"),
        switch("disable-compression").help("Ask for no compression"),
    ]
    .map(|arg| arg.hide(true))
}

fn text(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).action(ArgAction::Set)
}

fn list(name: &'static str, value: &'static str) -> Arg {
    text(name, value).action(ArgAction::Append)
}

fn path(name: &'static str, value: &'static str) -> Arg {
    text(name, value).value_parser(value_parser!(OsString))
}

fn whole(name: &'static str, value: &'static str) -> Arg {
    text(name, value).value_parser(move |said: &str| {
        said.parse::<i64>()
            .map_err(|_| format!("--{name}: \"{said}\" is not a whole number, such as --{name}=10"))
    })
}

fn number(name: &'static str, value: &'static str) -> Arg {
    text(name, value).value_parser(move |said: &str| {
        said.parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .ok_or_else(|| format!("--{name}: \"{said}\" is not a number, such as --{name}=10"))
    })
}

fn switch(name: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).action(ArgAction::Set).value_parser(move |said: &str| {
        go_bool(said)
            .ok_or_else(|| format!("--{name}: \"{said}\" is neither true nor false, as in --{name}=false"))
    });
    optional(arg, "true")
}

/// A value is taken only with `=`.
fn optional(arg: Arg, absent: &'static str) -> Arg {
    arg.num_args(0..=1).require_equals(true).default_missing_value(absent)
}

/// As Go's `strconv.ParseBool`.
fn go_bool(said: &str) -> Option<bool> {
    match said {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
