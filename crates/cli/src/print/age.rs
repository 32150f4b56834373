//! Ages as people read them.

use object::Time;
use object::time::human_duration;

/// Returns the time since `created` in kubectl's form, e.g. `59s` or `3d4h`; `<unknown>` when there is no time.
pub fn age(created: Option<Time>, now: Time) -> String {
    created.map_or_else(|| "<unknown>".to_owned(), |created| human_duration(now.since(created)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_whole_seconds() {
        let time = |text| Time::parse(text).unwrap();
        assert_eq!(age(Some(time("2026-01-01T00:00:00Z")), time("2026-01-01T00:00:09.9Z")), "9s");
        assert_eq!(age(None, time("2026-01-01T00:00:09Z")), "<unknown>");
    }
}
