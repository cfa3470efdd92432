//! `--markers`: a line after a pause in the logs, and one when the date changes.

use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::color::Style;
use crate::{
    event::Instant,
    plan::{Display, Format},
};

const SECOND: i64 = 1_000_000_000;

/// Draws a line where another day begins.
pub fn date(date: Date, style: &Style, out: &mut Vec<u8>) {
    draw(&date.strftime("%A %Y-%m-%d").to_string(), style, out);
}

fn draw(words: &str, style: &Style, out: &mut Vec<u8>) {
    style.paint(format!("── {words} ──"), out);
    out.push(b'\n');
}

pub struct Markers {
    /// The shortest pause that is marked, in nanoseconds.
    pause: i64,
    zone: TimeZone,
    style: Style,
    /// Whether the format shows the dates of records itself.
    without_dates: bool,
    /// The latest line so far, and its date.
    latest: Option<(Instant, Date)>,
    /// The date cannot change before this.
    date_holds: Instant,
}

impl Markers {
    /// None without `--markers`.
    pub fn new(display: &Display) -> Option<Markers> {
        let pause = i64::try_from(display.markers?.as_nanos()).unwrap_or(i64::MAX);
        Some(Markers {
            pause,
            zone: display.timezone.clone(),
            style: Style::sgr_if(display.color_stdout, "2"),
            without_dates: display.format == Format::Pretty && display.template.is_none(),
            latest: None,
            date_holds: Instant(i64::MIN),
        })
    }

    /// The lines to draw before a line of this time. Lines of several containers may step back in time: only the latest
    /// one counts.
    #[inline]
    pub fn before(&mut self, time: Instant) -> Option<Vec<u8>> {
        let Some((latest, date)) = self.latest else {
            self.latest = Some((time, self.date(time)));
            return None;
        };
        if time <= latest {
            return None;
        }
        let pause = time.0.saturating_sub(latest.0);
        if pause < self.pause && time < self.date_holds {
            self.latest = Some((time, date));
            return None;
        }
        let now = self.date(time);
        self.latest = Some((time, now));
        let mut lines = Vec::new();
        if now != date && !self.without_dates {
            self::date(now, &self.style, &mut lines);
        }
        if pause >= self.pause {
            let clock = self.zone.to_datetime(timestamp(time)).strftime("%H:%M:%S").to_string();
            draw(&format!("{clock} · {} later", length(pause)), &self.style, &mut lines);
        }
        (!lines.is_empty()).then_some(lines)
    }

    fn date(&mut self, time: Instant) -> Date {
        let date = self.zone.to_datetime(timestamp(time)).date();
        let end = date.tomorrow().ok().and_then(|next| next.to_zoned(self.zone.clone()).ok());
        // If the end of the day is unknown, the next line asks again.
        self.date_holds = end.map_or(time, |end| end.timestamp().into());
        date
    }
}

fn timestamp(time: Instant) -> Timestamp {
    // Cannot fail: jiff supports the years from -9999 to 9999.
    Timestamp::from_nanosecond(time.0.into()).unwrap_or_default()
}

/// Its two largest units: `2m10s`, `3d4h`; below a second milliseconds.
fn length(nanos: i64) -> String {
    if nanos < SECOND {
        return format!("{}ms", Duration::from_nanos(nanos.unsigned_abs()).as_millis());
    }
    let mut seconds = nanos / SECOND;
    let mut parts = Vec::new();
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        parts.push((seconds / size, unit));
        seconds %= size;
    }
    let shown = parts.into_iter().skip_while(|(count, _)| *count == 0).take(2);
    shown.filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::display;

    fn markers(pause: Duration, zone: &str) -> Markers {
        let timezone = TimeZone::get(zone).unwrap();
        Markers::new(&Display { markers: Some(pause), timezone, ..display() }).unwrap()
    }

    fn at(time: &str) -> Instant {
        time.parse::<Timestamp>().unwrap().into()
    }

    /// All that is drawn between lines of these times.
    fn drawn(markers: &mut Markers, times: &[&str]) -> String {
        let lines = times.iter().filter_map(|time| markers.before(at(time))).flatten().collect();
        String::from_utf8(lines).unwrap()
    }

    const HALF_A_MINUTE: Duration = Duration::from_secs(30);

    #[test]
    fn a_pause_is_marked_with_the_time_after_it() {
        let times = ["2026-06-02T14:03:22Z", "2026-06-02T14:03:51.9Z", "2026-06-02T14:06:02Z"];
        assert_eq!(drawn(&mut markers(HALF_A_MINUTE, "UTC"), &times), "── 14:06:02 · 2m10s later ──\n");
        let mut exact = markers(HALF_A_MINUTE, "Asia/Kolkata");
        let times = ["2026-06-02T14:00:00Z", "2026-06-02T14:00:30Z"];
        assert_eq!(drawn(&mut exact, &times), "── 19:30:30 · 30s later ──\n");
    }

    #[test]
    fn the_date_changes_where_the_time_zone_has_it() {
        let times = ["2026-06-01T21:59:59Z", "2026-06-01T22:00:00Z", "2026-06-02T00:00:00Z"];
        let hours = Duration::from_secs(36_000);
        assert_eq!(drawn(&mut markers(hours, "Europe/Berlin"), &times), "── Tuesday 2026-06-02 ──\n");
        assert_eq!(drawn(&mut markers(hours, "America/Los_Angeles"), &times), "");
    }

    #[test]
    fn a_night_without_lines_is_both() {
        let times = ["2026-06-01T18:00:00Z", "2026-06-02T08:05:00Z"];
        let both = "── Tuesday 2026-06-02 ──\n── 08:05:00 · 14h5m later ──\n";
        assert_eq!(drawn(&mut markers(HALF_A_MINUTE, "UTC"), &times), both);
    }

    #[test]
    fn lines_that_step_back_in_time_draw_nothing() {
        let mut markers = markers(HALF_A_MINUTE, "UTC");
        let times =
            ["2026-06-02T00:00:20Z", "2026-06-01T10:00:00Z", "2026-06-01T12:00:00Z", "2026-06-02T00:00:21Z"];
        assert_eq!(drawn(&mut markers, &times), "");
    }

    #[test]
    fn a_length_has_its_two_largest_units() {
        for (seconds, text) in [(1, "1s"), (60, "1m"), (3_605, "1h"), (7_500, "2h5m"), (273_600, "3d4h")] {
            assert_eq!(length(seconds * SECOND), text);
        }
        assert_eq!(length(700_000_000), "700ms");
    }

    #[test]
    fn colour_is_dim() {
        let mut markers =
            Markers::new(&Display { markers: Some(HALF_A_MINUTE), color_stdout: true, ..display() }).unwrap();
        let times = ["2026-06-02T14:00:00Z", "2026-06-02T14:01:00Z"];
        assert_eq!(drawn(&mut markers, &times), "\x1b[2m── 14:01:00 · 1m later ──\x1b[22m\n");
    }
}
