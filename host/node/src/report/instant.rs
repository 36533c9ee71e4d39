//! Block times as people read them, in UTC. Consensus never sees these texts.

use runtime_primitives::Timestamp;

/// `2016-05-26 12:00:00`; milliseconds follow only if there are any.
pub fn utc_date_time(time: Timestamp) -> String {
    format(time, "%F %T%.f")
}

/// `12:00:00`; milliseconds follow only if there are any.
pub fn utc_clock(time: Timestamp) -> String {
    format(time, "%T%.f")
}

/// A time after the year 9999 is shown in plain milliseconds.
fn format(time: Timestamp, pattern: &str) -> String {
    i64::try_from(time.ms())
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(|| format!("{time} ms"), |instant| instant.strftime(pattern).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let rows = [
            (0, "1970-01-01 00:00:00", "00:00:00"),
            (1_464_263_999_000, "2016-05-26 11:59:59", "11:59:59"),
            (1_464_264_000_250, "2016-05-26 12:00:00.25", "12:00:00.25"),
            (1_456_704_000_000, "2016-02-29 00:00:00", "00:00:00"),
            (u64::MAX, "18446744073709551615 ms", "18446744073709551615 ms"),
        ];
        for (ms, date_time, clock) in rows {
            let time = Timestamp::from_ms(ms);
            assert_eq!((utc_date_time(time).as_str(), utc_clock(time).as_str()), (date_time, clock));
        }
    }
}
