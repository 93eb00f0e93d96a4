//! Moments as logs and people write them, in UTC.

use crate::catalog::date::Date;

const DAY_MS: u64 = 86_400_000;

/// Unix milliseconds of a day's beginning, such as `2026-11-01`.
pub(super) fn of_day(text: &str) -> Option<u64> {
    text.parse::<Date>().ok()?;
    let mut parts = text.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    // After Howard Hinnant's `days_from_civil`.
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year;
    days.checked_sub(719_468)?.checked_mul(DAY_MS)
}

/// Unix milliseconds of a moment, such as `2026-11-01T14:03:12.345Z`.
pub(super) fn of_moment(text: &str) -> Option<u64> {
    let (day, time) = text.split_once('T')?;
    let (clock, fraction) = match time.strip_suffix('Z')?.split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (time.strip_suffix('Z')?, "0"),
    };
    let mut parts = clock.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let ms: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    of_day(day)?.checked_add(((hour * 60 + minute) * 60 + second) * 1000 + ms)
}

/// `2026-11-01 14:03`.
pub(super) fn show(at_ms: u64) -> String {
    let (mut day, minutes) = (at_ms / DAY_MS, at_ms % DAY_MS / 60_000);
    // Days are few: a year at a time is quick enough, and plain.
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    format!(
        "{year}-{month:02}-{:02} {:02}:{:02}",
        day + 1,
        minutes / 60,
        minutes % 60
    )
}

#[cfg(test)]
mod tests {
    use super::{of_day, of_moment, show};

    #[test]
    fn moments_are_read_and_shown() {
        assert_eq!(of_day("1970-01-01"), Some(0));
        assert_eq!(of_day("2026-11-21"), Some(1_795_219_200_000));
        assert_eq!(of_day("2026-02-29"), None);
        let moment = of_moment("2024-02-29T23:59:58.7Z");
        assert_eq!(moment, Some(1_709_251_198_700));
        assert_eq!(moment.map(show).as_deref(), Some("2024-02-29 23:59"));
        assert_eq!(of_moment("2024-02-29 23:59:58"), None);
        for (day, text) in [
            ("2026-12-31", "2026-12-31 00:00"),
            ("2027-01-01", "2027-01-01 00:00"),
        ] {
            assert_eq!(of_day(day).map(show).as_deref(), Some(text));
        }
    }
}
