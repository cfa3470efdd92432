//! Go's `time.Time`: instants of any year, layouts and zones.
//!
//! The crate covers `Time.Format` with all elements of a layout, `time.LoadLocation`, and the parsing of times by the
//! Go library spf13/cast ([`from_text`]). Durations and monotonic clocks are omitted.
//!
//! ```
//! use gotime::{Zone, from_text, load_location};
//!
//! let time = from_text(b"2024-02-29 10:30:00 +0100", &Zone::Utc)?;
//! let seoul = load_location("Asia/Seoul", &Zone::Utc)?;
//!
//! let mut out = Vec::new();
//! time.in_zone(seoul).format("Mon Jan _2 15:04:05 MST 2006", &mut out);
//! assert_eq!(out, b"Thu Feb 29 18:30:00 KST 2024");
//! # Ok::<(), String>(())
//! ```
#![warn(missing_docs)]

mod civil;
mod format;
mod input;
mod layout;
mod parse;
mod zone;

use std::fmt;

pub use input::{from_decimal, from_text};
pub use zone::{Zone, load_location};

/// Go's `time.RFC3339Nano`.
pub const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";

/// The layout of `Time.String()`.
const STRING: &str = "2006-01-02 15:04:05.999999999 -0700 MST";

/// Go's `time.Time`. jiff's types end with the year 9999, but milliseconds interpreted as seconds give the year
/// 55840.
#[derive(Debug, Clone)]
pub struct Time {
    /// Unix seconds.
    seconds: i64,
    nanos: u32,
    zone: Zone,
}

impl Time {
    /// Like Go's `time.Unix`: any number of nanoseconds; overflow wraps.
    pub fn unix(seconds: i64, nanos: i64, zone: Zone) -> Time {
        let carried = nanos.div_euclid(1_000_000_000);
        let nanos = nanos.rem_euclid(1_000_000_000) as u32;
        Time { seconds: seconds.wrapping_add(carried), nanos, zone }
    }

    /// Go's zero value, `0001-01-01 00:00:00 +0000 UTC`.
    pub fn zero() -> Time {
        Time { seconds: civil::YEAR_1, nanos: 0, zone: Zone::Utc }
    }

    /// The same instant in another zone.
    pub fn in_zone(self, zone: Zone) -> Time {
        Time { zone, ..self }
    }

    /// Unix seconds and the nanoseconds after them.
    pub fn since_epoch(&self) -> (i64, u32) {
        (self.seconds, self.nanos)
    }

    /// Writes the time as Go's `Time.Format` does.
    pub fn format(&self, layout: impl AsRef<[u8]>, out: &mut Vec<u8>) {
        format::format(self, layout.as_ref(), out);
    }
}

impl PartialEq for Time {
    /// Like Go's `Time.Equal`: whether it is the same instant.
    fn eq(&self, other: &Time) -> bool {
        (self.seconds, self.nanos) == (other.seconds, other.nanos)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.format(STRING, &mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}
