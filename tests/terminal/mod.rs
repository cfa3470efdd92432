//! A program in a pseudo-terminal: its keyboard and its screen.

use std::{
    io::{Read, Write},
    sync::{Arc, Condvar, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const PATIENCE: Duration = Duration::from_secs(60);
/// Interval of checks for the end of the program.
const LOOK: Duration = Duration::from_millis(10);
const SIZE: PtySize = PtySize { rows: 24, cols: 120, pixel_width: 0, pixel_height: 0 };

pub struct Terminal {
    screen: Arc<(Mutex<vt100::Parser>, Condvar)>,
    /// Gives all bytes that the program wrote, once it has ended.
    output: JoinHandle<Vec<u8>>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    // Dropping it would close the terminal.
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    pub fn start(command: CommandBuilder) -> Terminal {
        let pty = native_pty_system().openpty(SIZE).unwrap();
        let child = pty.slave.spawn_command(command).unwrap();
        let size = |cells: u16| cells.try_into().unwrap();
        let parser = vt100::Parser::new(size(SIZE.rows), size(SIZE.cols), 0);
        let screen = Arc::new((Mutex::new(parser), Condvar::new()));
        let mut reader = pty.master.try_clone_reader().unwrap();
        let shown = screen.clone();
        let output = thread::spawn(move || {
            let (mut bytes, mut all) = ([0; 4096], Vec::new());
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                all.extend_from_slice(&bytes[..count]);
                shown.0.lock().unwrap().process(&bytes[..count]);
                shown.1.notify_all();
            }
            all
        });
        Terminal { screen, output, keyboard: pty.master.take_writer().unwrap(), child, _master: pty.master }
    }

    pub fn send(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits for the end of the program, and gives all bytes that it wrote.
    #[track_caller]
    pub fn output(mut self) -> Vec<u8> {
        let (_, changed) = &*self.screen;
        let deadline = Instant::now() + PATIENCE;
        let mut parser = self.screen.0.lock().unwrap();
        while !self.output.is_finished() {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "timeout: the program did not end:\n{}", parser.screen().contents());
            parser = changed.wait_timeout(parser, left.min(LOOK)).unwrap().0;
        }
        drop(parser);
        let output = std::mem::replace(&mut self.output, thread::spawn(Vec::new));
        output.join().unwrap()
    }

    /// Waits until the screen meets the condition `what`.
    #[track_caller]
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        let (screen, changed) = &*self.screen;
        let deadline = Instant::now() + PATIENCE;
        let mut parser = screen.lock().unwrap();
        while !wanted(parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "timeout: the screen does not show {what}:\n{}",
                parser.screen().contents()
            );
            parser = changed.wait_timeout(parser, left).unwrap().0;
        }
    }

    #[track_caller]
    pub fn shows(&self, text: &str) {
        self.wait_for(text, |screen| screen.contents().contains(text));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
