//! The program under test, in a process of its own.

use std::{
    env, fs,
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// The first argument that makes this executable run the program under test.
pub const AS_PROGRAM: &str = "--as-stern-rs";

pub struct Program {
    child: Child,
    stdout: Reader,
    stderr: Reader,
}

/// The output and the memory of a program that has ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub peak_kib: u64,
}

impl Program {
    pub fn start(kubeconfig: &Path, args: &str) -> Program {
        let mut child = Command::new(env::current_exe().expect("the executable has a path"))
            .args([AS_PROGRAM, "--kubeconfig"])
            .arg(kubeconfig)
            .args(args.split(' '))
            .env_clear()
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the executable can be started");
        let stdout = Reader::of(child.stdout.take().expect("it is piped"));
        let stderr = Reader::of(child.stderr.take().expect("it is piped"));
        Program { child, stdout, stderr }
    }

    /// Stops reading the program's standard output for this time.
    pub fn neglect(&self, length: Duration) {
        let _seen = self.stdout.lock();
        thread::sleep(length);
    }

    /// The number of bytes on standard output, and the number of occurrences of `text` after the first `from` bytes.
    pub fn shown(&self, text: &str, from: usize) -> (usize, usize) {
        let seen = self.stdout.lock();
        (seen.len(), memchr::memmem::find_iter(&seen[from..], text).count())
    }

    pub fn terminate(mut self) -> Ended {
        let peak_kib = self.peak_kib();
        request_the_end(&mut self.child);
        let status = self.child.wait().expect("the process is a child");
        Ended { code: status.code(), stdout: self.stdout.all(), stderr: self.stderr.all(), peak_kib }
    }

    fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
    }
}

/// The exit code of a program whose end was requested.
pub const REQUESTED: i32 = if cfg!(unix) { 143 } else { 1 };

/// The program may have ended already, as its status shows.
fn request_the_end(child: &mut Child) {
    #[cfg(unix)]
    let _ =
        rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM);
    // Windows has no such signal.
    #[cfg(not(unix))]
    let _ = child.kill();
}

/// Reads a stream to its end, in a thread of its own.
struct Reader {
    seen: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Reader {
    fn of(mut stream: impl Read + Send + 'static) -> Reader {
        let seen = Arc::<Mutex<Vec<u8>>>::default();
        let into = Arc::clone(&seen);
        let thread = thread::spawn(move || {
            let mut chunk = vec![0; 64 << 10];
            while let Ok(length @ 1..) = stream.read(&mut chunk) {
                into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&chunk[..length]);
            }
        });
        Reader { seen, thread }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(self) -> String {
        self.thread.join().expect("it only reads");
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&seen).into_owned()
    }
}
