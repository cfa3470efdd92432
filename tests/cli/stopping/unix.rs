//! Outputs that are not read: only on Unix does a pipe tell of its reader and of its room.

use std::io::{Read, pipe};

use crate::harness::{World, stern_rs, timed};

#[test]
fn a_reader_that_goes_away_before_a_match_is_told() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let ran = stern_rs("--stdin --until-match b").input("a\n".repeat(100_000)).stdout(writer).run();
    ran.stderr("stern-rs: no line matched --until-match before standard output was closed\n").exit(4);
}

#[test]
fn an_output_that_takes_nothing_is_left_two_seconds_after_the_time() {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").extend((0..5_000).map(|n| format!("{n} {}.", "x".repeat(200))));
    let run = |time: &str| {
        let (mut reader, writer) = pipe().unwrap();
        let ran = world.stern_rs(&format!("web -o raw {time}")).stdout(writer).start().finish();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert!(text.is_empty() || text.ends_with(".\n"), "half a line: {text:?}");
        ran
    };
    let words = "stern-rs: the time of --timeout is over, and lines that were read could not be shown; ";
    timed(run, |ran| ran.err().contains(words)).reported(words).exit(3);
}
