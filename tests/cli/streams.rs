//! Standard streams that another program, which shares them, has set to non-blocking mode.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{Read, Write, pipe},
    os::{
        fd::OwnedFd,
        unix::{fs::OpenOptionsExt, net::UnixStream},
    },
    thread,
};

use portable_pty::{MasterPty, PtySize, native_pty_system};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::harness::{World, stern_rs};

/// The end of a stream that the test reads, and the end that the program writes to.
type Ends = (Box<dyn Read + Send>, OwnedFd);

const STREAMS: [fn() -> Ends; 3] = [socket, full_pipe, terminal];

const COUNT: usize = 20_000;

/// A log larger than any stream and all queues together.
fn flood() -> World {
    let world = World::new();
    world.pods(["web-1"]);
    world.log("web-1/app").extend((0..COUNT).map(|n| format!("{n} {}.", "x".repeat(n % 1_000))));
    world
}

fn unblocked(stream: impl Into<OwnedFd>) -> OwnedFd {
    let stream = stream.into();
    fcntl_setfl(&stream, fcntl_getfl(&stream).unwrap() | OFlags::NONBLOCK).unwrap();
    stream
}

fn socket() -> Ends {
    let (reader, writer) = UnixStream::pair().unwrap();
    (Box::new(reader), unblocked(writer))
}

fn full_pipe() -> Ends {
    let (reader, writer) = pipe().unwrap();
    (Box::new(reader), unblocked(writer))
}

/// The controlling end of a terminal. Closing it would close the other end.
struct Terminal {
    reader: Box<dyn Read + Send>,
    _master: Box<dyn MasterPty + Send>,
}

impl Read for Terminal {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // On a terminal, a read fails once all writers are gone.
        Ok(self.reader.read(buffer).unwrap_or(0))
    }
}

fn terminal() -> Ends {
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let name = pty.master.tty_name().unwrap();
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    let writer = OpenOptions::new().read(true).write(true).custom_flags(flags).open(name).unwrap();
    let reader = pty.master.try_clone_reader().unwrap();
    (Box::new(Terminal { reader, _master: pty.master }), writer.into())
}

/// Checks that lines begin with these numbers, in this order, and end in `.`.
#[track_caller]
fn assert_whole(text: &str) {
    for (n, line) in text.lines().enumerate() {
        assert!(line.starts_with(&format!("{n} ")) && line.ends_with('.'), "line {n} is {line:?}");
    }
    assert_eq!(text.lines().count(), COUNT);
}

#[test]
fn all_lines_arrive_where_writing_does_not_wait() {
    for stream in STREAMS {
        let world = flood();
        let (mut reader, writer) = stream();
        let tail = world.stern_rs("web -o raw --no-follow").stdout(writer).start();
        tail.until(|account| account.requests.logs().iter().any(|log| log.bytes() > 1 << 20));
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_whole(&text);
        tail.finish().stderr("+ web-1 › app\n- web-1 › app\n").exit(0);
    }
}

#[test]
fn all_lines_of_standard_input_arrive_where_reading_does_not_wait() {
    let (socket, other) = UnixStream::pair().unwrap();
    let (reader, writer) = pipe().unwrap();
    for (reader, writer) in [(OwnedFd::from(socket), OwnedFd::from(other)), (reader.into(), writer.into())] {
        let tail = stern_rs("--stdin -o raw").stdin(unblocked(reader)).start();
        let mut writer = File::from(writer);
        for n in 0..COUNT {
            writeln!(writer, "{n} {}.", "x".repeat(n % 1_000)).unwrap();
        }
        drop(writer);
        let ran = tail.finish().stderr("");
        assert_whole(&ran.out());
        ran.exit(0);
    }
}

#[test]
fn an_output_that_cannot_be_written_is_an_error_from_the_start() {
    let world = World::web(["a"]);
    let closed = "cannot write standard output: it is closed";
    for (args, redirects, message) in [
        ("web", ">&-", closed),
        ("web --no-follow", ">&-", closed),
        ("web", ">&- <&-", closed),
        ("--help", ">&-", closed),
        ("web", "1</dev/null", "cannot write standard output: it is not open for writing"),
        ("--version", ">/dev/full", "cannot write standard output: No space left on device"),
        ("--stdin", "<&-", "cannot read standard input: it is closed"),
    ] {
        world.redirected(args, redirects).run().fails(1, message);
    }
    assert!(world.requests().is_empty(), "no request is made in vain");
    let ran = world.redirected("web --no-follow", ">/dev/full").run().exit(1);
    ran.reported("stern-rs: cannot write standard output: No space left on device\n");
}

#[test]
fn a_standard_error_that_cannot_be_written_stops_no_log() {
    let world = World::web(["a"]);
    for redirects in ["2>&-", "2</dev/null", "2>/dev/full", "2>&- <&-"] {
        world.redirected("web --no-follow", redirects).run().stdout("web-1 app a\n").stderr("").exit(0);
    }
    world.redirected("web --no-follow", ">&- 2>&-").run().stdout("").stderr("").exit(1);
}

#[test]
fn ctrl_c_ends_it_while_such_a_stream_takes_nothing() {
    for stream in STREAMS {
        let world = flood();
        let (reader, writer) = stream();
        let tail = world.stern_rs("web -o raw").stdout(writer).start();
        tail.until(|account| account.requests.logs().iter().any(|log| log.bytes() > 1 << 20));
        tail.interrupt().never_reported("cannot write").exit(130);
        drop(reader);
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_wait_for_it() {
    for stream in STREAMS {
        let world = flood();
        let (mut reader, writer) = stream();
        let tail = world.stern_rs("web -o raw").stdout(writer).start();
        tail.until(|account| account.requests.logs().iter().any(|log| log.bytes() > 1 << 20));
        // The lines have arrived, and more of them than the stream takes.
        reader.read_exact(&mut [0; 2000]).unwrap();
        drop(reader);
        tail.finish().exit(0);
    }
}

#[test]
fn no_notice_is_lost_where_standard_error_does_not_wait() {
    const PODS: usize = 1_000;
    for stream in STREAMS {
        let world = World::new();
        let names: Vec<String> = (0..PODS).map(|n| format!("web-{n}-{}", "x".repeat(200))).collect();
        world.add_pods(names.iter().map(apiserver::Pod::new));
        let (mut reader, writer) = stream();
        let tail =
            world.stern_rs("web --no-follow --qps -1 --confirm=false --color never").stderr(writer).start();
        tail.until(|account| account.requests.logs().len() == PODS);
        let reading = thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        tail.finish().exit(0);
        let text = reading.join().unwrap();
        let reported: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("+ ")).collect();
        assert_eq!(reported.len(), PODS, "{text}");
    }
}

#[test]
fn standard_input_that_cannot_be_read_is_an_error() {
    let directory = File::open("/").unwrap();
    let ran = stern_rs("--stdin").stdin(directory).run();
    ran.stdout("").stderr("stern-rs: cannot read standard input: Is a directory\n").exit(1);
}
