//! T. Time tags.

use std::time::{Duration, SystemTime};

use tokio_osc::TimeTag;

/// Row T01.
#[test]
fn immediately_is_one_value() {
    assert_eq!(TimeTag::IMMEDIATELY, TimeTag::new(0, 1));
    assert!(TimeTag::IMMEDIATELY.is_immediately());
    assert!(!TimeTag::new(0, 0).is_immediately());
    assert!(!TimeTag::new(0, 2).is_immediately());
}

/// Row T04.
#[test]
fn now_is_the_present_time() {
    let before = SystemTime::now();
    let now = TimeTag::now().near(before);
    let after = SystemTime::now();
    let nano = Duration::from_nanos(1);
    assert!(before <= now + nano && now <= after + nano);
}

/// Row T06.
/// Where a sum in floating point is off by a quarter of a microsecond.
#[test]
fn durations_are_added_and_taken_away_exactly() {
    let tag = TimeTag::new(3_742_588_800, 0);
    assert_eq!(tag + Duration::from_nanos(1), TimeTag::new(3_742_588_800, 4));
    assert_eq!(tag + Duration::from_millis(1_500), TimeTag::new(3_742_588_801, 1 << 31));
    assert_eq!(tag - Duration::from_millis(500), TimeTag::new(3_742_588_799, 1 << 31));
    let mut moved = tag;
    moved += Duration::from_secs(2);
    moved -= Duration::from_secs(2);
    assert_eq!(moved, tag);
}

/// Row T07.
#[test]
fn order_is_by_seconds_then_by_fraction() {
    let mut tags = [TimeTag::new(2, 0), TimeTag::new(1, 5), TimeTag::IMMEDIATELY, TimeTag::new(1, 4)];
    tags.sort();
    assert_eq!(tags, [TimeTag::IMMEDIATELY, TimeTag::new(1, 4), TimeTag::new(1, 5), TimeTag::new(2, 0)]);
}
