//! How signals and limits of the system end a run, and what a pipe tells there of its reader.

use std::io::{Read, pipe};

use super::flood;
use crate::harness::World;

#[test]
fn sigterm_ends_it_at_once() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.terminate().exit(143);
}

#[test]
fn the_end_of_the_terminal_ends_it_unless_it_is_ignored() {
    let world = World::web(["a"]);
    let mut tail = world.start("web");
    tail.expect("web-1 app a");
    tail.hang_up().exit(129);

    let program = env!("CARGO_BIN_EXE_stern-rs");
    let ignored = format!("-c 'trap \"\" HUP; exec \"$0\" \"$@\"' {program} web");
    let mut tail = world.program("sh", &ignored).start();
    tail.expect("web-1 app a");
    tail.ignore_hang_up();
    world.log("web-1/app").extend(["b"]);
    tail.expect("web-1 app b");
    tail.interrupt().exit(130);
}

#[test]
fn sigterm_ends_it_though_standard_output_is_blocked() {
    let world = flood();
    let (_reader, writer) = pipe().unwrap();
    let tail = world.stern_rs("web -o raw").stdout(writer).start();
    tail.until(|account| account.requests.logs().iter().any(|log| log.bytes() > 1 << 20));
    tail.terminate().exit(143);
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_of_writing() {
    let world = World::new();
    world.home.write("lines", &"a line\n".repeat(10_000));
    let script = "ulimit -f 1; exec \"$0\" --stdin -o raw < lines > out";
    let mut shell = std::process::Command::new("sh");
    let ran = shell
        .args(["-c", script, env!("CARGO_BIN_EXE_stern-rs")])
        .current_dir(world.home.dir())
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(
        (ran.status.code(), said.as_str()),
        (Some(1), "stern-rs: cannot write standard output: File too large\n")
    );
}

#[test]
fn ctrl_c_leaves_whole_lines_in_a_pipe_that_is_not_read() {
    let world = flood();
    let (mut reader, writer) = pipe().unwrap();
    let tail = world.stern_rs("web -o raw").stdout(writer).start();
    // The program stops reading because it cannot write.
    let sent = || world.requests().logs()[0].bytes();
    tail.until(|account| account.requests.logs().iter().any(|log| log.bytes() > 1 << 20));
    // Sent bytes are not yet shown; reading one byte makes no room.
    let mut text = vec![0];
    reader.read_exact(&mut text).unwrap();
    tail.interrupt().exit(130);
    assert!(sent() < 16 << 20, "{} bytes were read although none could be written", sent());
    reader.read_to_end(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.ends_with(".\n"), "{text:?}");
    assert!(text.lines().enumerate().all(|(n, line)| line.starts_with(&format!("{n} "))));
}

#[test]
fn a_reader_that_went_away_is_noticed_without_a_next_line() {
    let world = World::web(["a"]);
    let (mut reader, writer) = pipe().unwrap();
    let tail = world.stern_rs("web -o raw").stdout(writer).start();
    reader.read_exact(&mut [0; 2]).unwrap();
    drop(reader);
    tail.finish().stderr("+ web-1 › app\n").exit(0);
}
