//! Times as people write them, and the present time as they read it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_osc::TimeTag;

/// A duration: a decimal number followed by `us`, `ms` or `s`, or a number of seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let units = [("us", 1e6), ("ms", 1e3), ("s", 1.0)];
    let with_unit = units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)));
    let (number, per_second) = with_unit.unwrap_or((text, &1.0));
    let seconds = number.parse::<f64>().map(|number| number / per_second);
    seconds
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("`{text}` is not a valid duration, such as 1.5s or 200ms"))
}

/// A time tag: `now` (immediately), `+DURATION` or `-DURATION` from the present time on, or `0x` and
/// 16 hexadecimal digits.
pub(crate) fn parse_time_tag(text: &str) -> Result<TimeTag, String> {
    if text == "now" {
        return Ok(TimeTag::IMMEDIATELY);
    }
    if let Some(delay) = text.strip_prefix('+') {
        return parse_duration(delay).map(TimeTag::after);
    }
    if let Some(age) = text.strip_prefix('-') {
        return parse_duration(age).map(|age| TimeTag::now() - age);
    }
    let digits = text
        .strip_prefix("0x")
        .filter(|digits| digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).map(TimeTag::from_bits).ok_or_else(|| {
        format!("`{text}` is not a valid time tag, such as now, +1.5s or 0x and 16 hexadecimal digits")
    })
}

/// A date and time of day in UTC, to the microsecond: `2026-03-01T12:34:56.789012Z`. A time before
/// 1970 is shown as 1970.
pub(crate) struct Utc(pub(crate) SystemTime);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since_epoch = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = since_epoch.as_secs();
        let (year, month, day) = civil_date(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        let micros = since_epoch.subsec_micros();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// The date of a number of days since 1970-01-01. Years are counted from 1 March, so that the leap
/// day is the last of its year, in eras of 400 years.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = if months_since_march < 10 { months_since_march + 3 } else { months_since_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, micros) in
            [("2", 2_000_000), ("1.5s", 1_500_000), ("200ms", 200_000), ("10us", 10), ("0", 0)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_micros(micros)), "{text}");
        }
        for text in ["", "s", "ms", "-1", "1m", "1h", "nan", "inf", "1e40"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn time_tags_are_absolute_or_relative() {
        assert_eq!(parse_time_tag("now"), Ok(TimeTag::IMMEDIATELY));
        assert_eq!(parse_time_tag("0x83aa7e8080000000"), Ok(TimeTag::new(2_208_988_800, 1 << 31)));
        assert!(parse_time_tag("-1s").unwrap() < TimeTag::now());
        assert!(parse_time_tag("+10s").unwrap() > TimeTag::now());
        for text in ["", "1", "+", "0x1", "0x+000000000000001"] {
            assert!(parse_time_tag(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, "2000-02-28T23:59:59.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_767_225_600, "2026-01-01T00:00:00.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(Utc(UNIX_EPOCH + Duration::from_secs(seconds)).to_string(), date);
        }
        assert_eq!(Utc(UNIX_EPOCH + Duration::from_micros(7)).to_string(), "1970-01-01T00:00:00.000007Z");
    }
}
