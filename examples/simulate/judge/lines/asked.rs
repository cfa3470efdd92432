//! What the command line asks to be shown.

use std::{borrow::Cow, time::Duration};

use jiff::Timestamp;

use crate::script::{Logs, Setting};

/// Bytes of a line beyond `--max-line` for which no mark pays.
const MARK: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub follow: bool,
    pub previous: bool,
    pub with_previous: bool,
    pub tail: Option<u64>,
    pub since: Option<Duration>,
    pub until: Option<Timestamp>,
    pub limit_bytes: Option<u64>,
    pub max_line: usize,
    /// Whether silent streams are compared with their logs.
    pub checks: bool,
    /// Whether the ends of answers are.
    pub confirms: bool,
}

impl Asked {
    pub fn of(setting: &Setting) -> Asked {
        let Setting { logs, tail, limit_bytes, .. } = *setting;
        Asked {
            follow: logs.follows(),
            previous: logs == Logs::Previous,
            with_previous: matches!(logs, Logs::FollowWithPrevious | Logs::OnceWithPrevious),
            tail,
            since: setting.since.map(Duration::from_secs),
            until: setting.until,
            limit_bytes,
            checks: setting.idle_check != Some(0),
            confirms: !setting.unconfirmed,
            max_line: setting.max_line.map_or(1 << 20, |bytes| bytes as usize),
        }
    }

    /// A line as it is shown.
    pub fn cut<'l>(&self, line: &'l [u8]) -> Cow<'l, [u8]> {
        if self.max_line == 0 || line.len() <= self.max_line + MARK {
            return line.into();
        }
        let kept = whole(&line[..self.max_line]);
        let mark = format!(" … [{} bytes cut by --max-line]", line.len() - kept.len());
        [kept, mark.as_bytes()].concat().into()
    }
}

/// The length of the part of a line that is shown like this, with what `--max-line` cut of it.
pub fn length(shown: &[u8]) -> usize {
    let cut = || {
        let marked = shown.strip_suffix(b" bytes cut by --max-line]")?;
        let digits = marked.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (kept, number) = marked.split_at(marked.len() - digits);
        let kept = kept.strip_suffix(" … [".as_bytes())?.len();
        Some(kept + str::from_utf8(number).ok()?.parse::<usize>().ok()?)
    };
    cut().unwrap_or(shown.len())
}

/// Without an incomplete character at the end.
fn whole(bytes: &[u8]) -> &[u8] {
    let back = bytes.iter().rev().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count() + 1;
    let Some(start) = bytes.len().checked_sub(back) else { return bytes };
    let wanted = match bytes[start] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => 1,
    };
    if wanted > back { &bytes[..start] } else { bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_within_no_character() {
        let asked = Asked { max_line: 4, ..Asked::of(&Setting::default()) };
        let line = format!("abcé{}", "x".repeat(80));
        assert_eq!(
            asked.cut(line.as_bytes()),
            " … [82 bytes cut by --max-line]".replace(" …", "abc …").as_bytes()
        );
        assert_eq!(asked.cut(b"abcdefgh"), &b"abcdefgh"[..]);
    }
}
