//! A signal ends the program soon, whatever it computes, reads or writes.

use std::{
    fs::{File, OpenOptions},
    io::{PipeWriter, Write, pipe},
    path::PathBuf,
};

use rustix::process::Signal;

use crate::harness::{Command, Tail, World, stern_rs};

const SIGNALS: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)];

/// Opens the pipe for writing, which waits until the program reads it, and writes nothing.
fn being_read(path: &PathBuf) -> File {
    OpenOptions::new().write(true).open(path).unwrap()
}

/// The program waits for a file that gives nothing.
fn a_file_that_gives_nothing(args: impl Fn(&PathBuf) -> String) {
    for (signal, code) in SIGNALS {
        let world = World::web(["a"]);
        let path = world.home.fifo("fifo");
        let tail = world.start(&args(&path));
        let _writer = being_read(&path);
        tail.ends_soon(signal).stdout("").exit(code);
    }
}

#[test]
fn a_file_that_gives_nothing_is_named() {
    for args in [
        "--kubeconfig",
        "--config",
        "--template-file",
        "--server https://127.0.0.1:1 --certificate-authority",
    ] {
        let world = World::web(["a"]);
        let path = world.home.fifo("fifo");
        let tail = world.start(&format!("web {args} {}", path.display()));
        let _writer = being_read(&path);
        tail.reported(&format!("stern-rs: waiting for the file {}\n", path.display()));
        tail.interrupt().exit(130);
    }
}

#[test]
fn a_kubeconfig_that_gives_nothing() {
    a_file_that_gives_nothing(|path| format!("web --kubeconfig {}", path.display()));
}

#[test]
fn a_template_that_gives_nothing() {
    a_file_that_gives_nothing(|path| format!("web --template-file {}", path.display()));
}

#[test]
fn a_config_file_that_gives_nothing() {
    a_file_that_gives_nothing(|path| format!("web --config {}", path.display()));
}

#[test]
fn an_authority_that_gives_nothing() {
    a_file_that_gives_nothing(|path| {
        format!("web --certificate-authority {} --server https://127.0.0.1:1", path.display())
    });
}

#[test]
fn a_token_file_that_gives_nothing() {
    for (signal, code) in SIGNALS {
        let world = World::web(["a"]);
        let path = world.home.fifo("fifo");
        let config = world.kubeconfig();
        let (before, _) = config.split_once("users:").unwrap();
        let user = format!("users:\n- name: me\n  user:\n    tokenFile: {}\n", path.display());
        let config = format!("{before}{user}").replace("http://", "https://");
        let config = world.home.write("token.yaml", &config);
        let tail = world.start(&format!("web --kubeconfig {config} --user me"));
        let _writer = being_read(&path);
        tail.ends_soon(signal).stdout("").exit(code);
    }
}

#[test]
fn a_standard_input_that_gives_nothing() {
    for (signal, code) in SIGNALS {
        let (reader, mut writer) = pipe().unwrap();
        let mut tail = stern_rs("--stdin").stdin(reader).start();
        writer.write_all(b"a\n").unwrap();
        tail.expect("a");
        tail.ends_soon(signal).exit(code);
    }
}

/// The program shows a first line, and works on the others.
fn busy(args: &str, line: &str) -> (Tail<'static>, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    let tail = stern_rs(args).stdin(reader).start();
    writer.write_all(b"first\n").unwrap();
    tail.shown("first", 1);
    writer.write_all(line.repeat(60_000 / line.len()).as_bytes()).unwrap();
    (tail, writer)
}

#[test]
fn a_template_without_an_end() {
    for (signal, code) in SIGNALS {
        let args =
            "--stdin --template '{{if eq .Message \"first\"}}{{.Message}}{{end}}{{range 90000}}{{end}}'";
        let (tail, _writer) = busy(args, "x\n");
        tail.ends_soon(signal).exit(code);
    }
}

#[test]
fn a_pattern_that_is_hard_to_search() {
    for (signal, code) in SIGNALS {
        let args = r"--stdin -i first|(?i)(\pL{100}x){3}";
        let line = format!("{}\n", "é".repeat(2_000));
        let (tail, _writer) = busy(args, &line);
        tail.ends_soon(signal).exit(code);
    }
}

/// A pipe that is full, and is not read.
fn full() -> (std::io::PipeReader, PipeWriter) {
    let (reader, writer) = pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while (&writer).write(&[b'\n'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

fn cannot_write(start: impl Fn() -> Command<'static>, is_stdout: bool) {
    for (signal, code) in SIGNALS {
        let (_reader, writer) = full();
        let command = start();
        let tail = if is_stdout { command.stdout(writer) } else { command.stderr(writer) }.start();
        tail.asleep();
        tail.ends_soon(signal).exit(code);
    }
}

#[test]
fn a_standard_output_that_is_not_read() {
    cannot_write(|| stern_rs("--stdin").input("a\n".repeat(100_000)), true);
    cannot_write(|| stern_rs("--version"), true);
    cannot_write(|| stern_rs("__complete --"), true);
}

#[test]
fn a_standard_error_that_is_not_read() {
    cannot_write(|| stern_rs("--no-such-flag"), false);
}

#[test]
fn notices_that_are_not_read() {
    for (signal, code) in SIGNALS {
        let world = World::web(["a"]);
        let (_reader, writer) = full();
        let tail = world.stern_rs("web --stats").stderr(writer).start();
        tail.until(|account| !account.requests.logs().is_empty());
        tail.ends_soon(signal).exit(code);
    }
}

#[test]
fn a_second_signal_does_no_harm() {
    let (tail, _writer) = busy("--stdin --template '{{.Message}}{{range 90000}}{{end}}'", "x\n");
    tail.send(Signal::INT);
    tail.ends_soon(Signal::INT).exit(130);
}

#[test]
fn the_cost_so_far_is_reported_on_request() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.send(Signal::USR1);
    tail.reported("· at most 1 streams and ");
    tail.interrupt().exit(130);
}

/// Also while the run is busy.
#[test]
fn the_cost_is_reported_at_every_end() {
    let (tail, _writer) = busy("--stdin --stats --template '{{.Message}}{{range 90000}}{{end}}'", "x\n");
    tail.send(Signal::USR1);
    tail.reported(" of 1 containers in ");
    let ran = tail.ends_soon(Signal::TERM).exit(143);
    assert_eq!(ran.err().matches(" of 1 containers in ").count(), 2, "{}", ran.err());
}
