//! The lines of one record, as the program knows them (src/records).

use jiff::SignedDuration;

use super::lines::output::Shown;

/// Lines of one record have no longer pause (`TOGETHER` in src/records/mod.rs).
const TOGETHER: SignedDuration = SignedDuration::from_millis(50);

/// The begin of each line of a stack trace.
const FRAME: &[u8] = b"\tat ";

/// Whether it is a line of a stack trace, of which `--limit-bytes` may have left a part.
pub fn continues(text: &[u8]) -> bool {
    text.starts_with(FRAME) || !text.is_empty() && FRAME.starts_with(text)
}

/// Whether a line of a container may belong to the record of the line before.
pub fn may_continue(before: &Shown, line: &Shown) -> bool {
    let times = before.stamp.zip(line.stamp);
    let is_together = times.is_some_and(|(before, line)| line.duration_since(before).abs() <= TOGETHER);
    continues(line.text) && is_together
}
