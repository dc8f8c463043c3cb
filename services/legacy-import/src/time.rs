//! Points in time of the legacy server.
//!
//! They were meant to be milliseconds since 1970. Where the database was asked to
//! write one by itself (`CURRENT_TIMESTAMP` into a `bigint`), the digits of the
//! date stand there instead, all of them (`20261123181836`) or what was left of
//! them (`2026`).

use chrono::NaiveDate;

/// 2001-09-09 to 2286-11-20, milliseconds: what is between was written as such.
const MILLIS: std::ops::Range<i64> = 1_000_000_000_000..10_000_000_000_000;

/// The point in time that a column holds, milliseconds; `None` if it cannot be read.
pub(crate) fn read(value: i64) -> Option<i64> {
    if MILLIS.contains(&value) {
        return Some(value);
    }
    digits_of_date(value).filter(|at| MILLIS.contains(at))
}

/// As [`read`], of a column that may be empty.
pub(crate) fn read_optional(value: Option<i64>) -> Option<i64> {
    value.and_then(read)
}

/// When a row was made; if its column does not tell, its id does, which begins
/// with seconds since 1970.
pub(crate) fn made_at(value: i64, id: &str) -> i64 {
    let in_id = || {
        let seconds: i64 = id.get(..10)?.parse().ok()?;
        read(seconds.checked_mul(1000)?)
    };
    read(value).or_else(in_id).unwrap_or_default()
}

/// When a row was deleted: any value but 0 says that it was, and what cannot be
/// read stands for the last time that is known of it.
pub(crate) fn deleted_at(
    value: Option<i64>,
    updated_at: Option<i64>,
    created_at: i64,
) -> Option<i64> {
    let value = value.filter(|&value| value != 0)?;
    Some(read(value).or(updated_at).unwrap_or(created_at))
}

/// `YYYYMMDDHHMMSS`, taken as UTC.
fn digits_of_date(value: i64) -> Option<i64> {
    let part = |divisor: i64, modulus: i64| u32::try_from(value / divisor % modulus).ok();
    let year = i32::try_from(value / 10_000_000_000).ok()?;
    let date = NaiveDate::from_ymd_opt(year, part(100_000_000, 100)?, part(1_000_000, 100)?)?;
    let time = date.and_hms_opt(part(10_000, 100)?, part(100, 100)?, part(1, 100)?)?;
    Some(time.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_795_457_916_794;

    #[test]
    fn milliseconds_are_read_and_dates_in_digits_too() {
        assert_eq!(read(AT), Some(AT));
        assert_eq!(read(20_261_123_181_836), Some(1_795_457_916_000));
        for strange in [
            0,
            -1,
            2026,
            999_999,
            1_795_457_916,
            20_261_323_181_836,
            i64::MAX,
        ] {
            assert_eq!(read(strange), None, "{strange}");
        }
    }

    #[test]
    fn an_id_tells_when_a_row_was_made() {
        assert_eq!(made_at(AT, "x"), AT);
        assert_eq!(made_at(0, "17954579178b5EC"), 1_795_457_917_000);
        assert_eq!(made_at(0, "wörter-ohne-zeit"), 0);
    }

    #[test]
    fn every_value_but_none_and_zero_is_a_deletion() {
        assert_eq!(deleted_at(None, Some(AT), 1), None);
        assert_eq!(deleted_at(Some(0), Some(AT), 1), None);
        assert_eq!(deleted_at(Some(AT), None, 1), Some(AT));
        assert_eq!(deleted_at(Some(2026), Some(AT), 1), Some(AT));
        assert_eq!(deleted_at(Some(2026), None, 1), Some(1));
        assert_eq!(deleted_at(Some(-5), None, 1), Some(1));
    }
}
