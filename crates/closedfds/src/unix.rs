//! Looks at the descriptors before the runtime of Rust does.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::{fd::BorrowedFd, io::fcntl_getfd, stdio};

static STDIN: AtomicBool = AtomicBool::new(false);
static STDOUT: AtomicBool = AtomicBool::new(false);

pub fn stdin_was_closed() -> bool {
    was_closed(&STDIN)
}

pub fn stdout_was_closed() -> bool {
    was_closed(&STDOUT)
}

fn was_closed(stream: &AtomicBool) -> bool {
    // A linker leaves out what nothing refers to.
    std::hint::black_box(&AT_START);
    stream.load(Ordering::Relaxed)
}

/// The function that the loader calls before the runtime of Rust begins.
#[expect(unsafe_code, reason = "only the section in which a function is stored lets the loader call it")]
#[cfg_attr(
    any(target_os = "linux", target_os = "android", target_os = "freebsd"),
    unsafe(link_section = ".init_array")
)]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[used]
static AT_START: extern "C" fn() = look;

extern "C" fn look() {
    let is_closed = |stream: BorrowedFd<'_>| fcntl_getfd(stream).is_err();
    STDIN.store(is_closed(stdio::stdin()), Ordering::Relaxed);
    STDOUT.store(is_closed(stdio::stdout()), Ordering::Relaxed);
}
