//! Dates of the proleptic Gregorian calendar, for all seconds in 64 bits.

const SECONDS_PER_DAY: u64 = 86_400;
const DAYS_PER_CYCLE: u64 = 146_097;
/// A multiple of 400, as early as Go's first year; seconds wrap there.
const FIRST_YEAR: i64 = -292_277_022_400;
/// From 1 March of the first year to 1 January 1970.
const DAYS_TO_UNIX: u64 = (-FIRST_YEAR / 400) as u64 * DAYS_PER_CYCLE + 719_468;

/// Unix seconds of 0001-01-01 00:00:00 UTC.
pub const YEAR_1: i64 = -62_135_596_800;

/// A date and a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// 1 to 12.
    pub month: usize,
    pub day: u32,
    /// 1 to 366.
    pub year_day: u32,
    /// 0 is Sunday.
    pub weekday: usize,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
}

impl Civil {
    /// `seconds`: Unix seconds plus the zone's offset.
    pub fn of(seconds: i64) -> Civil {
        let seconds = (seconds as u64).wrapping_add(DAYS_TO_UNIX * SECONDS_PER_DAY);
        let (days, second) = (seconds / SECONDS_PER_DAY, (seconds % SECONDS_PER_DAY) as u32);
        let (cycle, day) = (days / DAYS_PER_CYCLE, days % DAYS_PER_CYCLE);
        // Years begin in March, so that the leap day is the last; http://howardhinnant.github.io/date_algorithms.html
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = (day - (365 * year + year / 4 - year / 100)) as u32;
        let march = (5 * day + 2) / 153;
        let month = if march < 10 { march + 3 } else { march - 9 };
        let year = FIRST_YEAR + (cycle * 400 + year) as i64 + i64::from(month <= 2);
        Civil {
            year,
            month: month as usize,
            day: day - (153 * march + 2) / 5 + 1,
            year_day: if month <= 2 { day - 305 } else { day + 60 + u32::from(is_leap(year)) },
            weekday: ((days + 3) % 7) as usize,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }
}

pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Unix seconds of midnight; the date must be valid, in a year from 0 to 9999.
pub fn midnight(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let march = (month + 9) % 12;
    let day = (153 * march + 2) / 5 + day - 1;
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day;
    (days - 719_468) * SECONDS_PER_DAY as i64
}
