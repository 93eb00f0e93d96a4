//! Windows of time, by the clock in UTC.

/// How long a budget lasts. All begin on the clock, not with the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// From one full minute to the next.
    #[default]
    Minute,
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

impl Window {
    /// Their names in the document.
    pub const NAMES: [&'static str; 4] = ["minute", "hour", "day", "month"];

    /// Its name in the document.
    pub fn as_str(self) -> &'static str {
        Window::NAMES
            .get(self as usize)
            .copied()
            .unwrap_or("minute")
    }

    /// The window of this name.
    pub fn find(name: &str) -> Option<Window> {
        let all = [Window::Minute, Window::Hour, Window::Day, Window::Month];
        all.into_iter().find(|window| window.as_str() == name)
    }

    /// When the window began that a moment is in; both in Unix milliseconds.
    pub fn start(self, now_ms: u64) -> u64 {
        match self {
            Window::Minute => now_ms - now_ms % MINUTE_MS,
            Window::Hour => now_ms - now_ms % HOUR_MS,
            Window::Day => now_ms - now_ms % DAY_MS,
            Window::Month => {
                let day = day_of_month(now_ms / DAY_MS);
                now_ms - now_ms % DAY_MS - day.saturating_sub(1).saturating_mul(DAY_MS)
            }
        }
    }

    /// When the next one begins.
    pub fn end(self, now_ms: u64) -> u64 {
        let start = self.start(now_ms);
        match self {
            Window::Minute => start.saturating_add(MINUTE_MS),
            Window::Hour => start.saturating_add(HOUR_MS),
            Window::Day => start.saturating_add(DAY_MS),
            // No month has more than 31 days, and none so few that the next one is passed.
            Window::Month => self.start(start.saturating_add(31 * DAY_MS)),
        }
    }
}

/// From 1, of days since 1970; after Howard Hinnant's `civil_from_days`.
fn day_of_month(days: u64) -> u64 {
    let days = days.saturating_add(719_468);
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era.saturating_sub(365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    of_year.saturating_sub((153 * month + 2) / 5) + 1
}
