//! Looks at the handles that the process was started with.

use std::{
    io::{stdin, stdout},
    os::windows::io::AsRawHandle,
};

pub fn stdin_was_closed() -> bool {
    is_none(&stdin())
}

#[expect(clippy::disallowed_methods, reason = "nothing is written to it")]
pub fn stdout_was_closed() -> bool {
    is_none(&stdout())
}

/// Null stands for no stream, and -1 for one that cannot be used (`INVALID_HANDLE_VALUE`).
fn is_none(stream: &impl AsRawHandle) -> bool {
    let handle = stream.as_raw_handle();
    handle.is_null() || handle.addr() == usize::MAX
}
