//! A histogram of lateness.

use std::fmt;
use std::time::Duration;

/// The upper bound of each bucket but the last, in microseconds.
const BOUNDS: [u64; 15] = [
    50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    10_000_000,
];
/// One more, without an upper bound.
const BUCKETS: usize = BOUNDS.len() + 1;
/// The width of the longest bar.
const BAR: u64 = 40;

/// A histogram of the lateness of timed bundles, with 16 fixed buckets.
///
/// Every bundle with its own time tag is counted once, when it is next to run, whether it waited or arrived
/// late, and before the [`LatePolicy`](crate::schedule::LatePolicy) applies. The inclusive upper
/// bounds are 50, 100, 200 and 500 µs; 1, 2, 5, 10, 20, 50, 100, 200 and 500 ms; 1 and 10 s; the last bucket
/// has none.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::schedule::LatenessHistogram;
///
/// let mut lateness = LatenessHistogram::default();
/// lateness.record(Duration::from_micros(70));
/// lateness.record(Duration::from_micros(1_300));
/// assert_eq!(lateness.count(), 2);
/// assert_eq!(lateness.quantile(0.5), Some(Duration::from_micros(100)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatenessHistogram {
    counts: [u64; BUCKETS],
}

impl LatenessHistogram {
    /// Adds one bundle.
    pub fn record(&mut self, late: Duration) {
        let bucket = BOUNDS.partition_point(|&bound| Duration::from_micros(bound) < late);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
    }

    /// Returns the buckets in order: the inclusive upper bound and the count. The last bucket has the bound
    /// [`Duration::MAX`].
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let bounds = BOUNDS.iter().copied().map(Duration::from_micros).chain([Duration::MAX]);
        bounds.zip(self.counts)
    }

    /// Returns the number of bundles.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the upper bound of the bucket that contains this quantile: 0.5 for the median, 0.99 for the
    /// 99th percentile. `None` if the histogram is empty.
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "a part of it is wanted")]
        let wanted = self.count() as f64 * part.clamp(0.0, 1.0);
        let mut below = 0_u64;
        self.buckets()
            .filter(|&(_, count)| count > 0)
            .take_while(|&(_, count)| {
                #[expect(clippy::cast_precision_loss, reason = "as above")]
                let wanted_here = below == 0 || (below as f64) < wanted;
                below = count.saturating_add(below);
                wanted_here
            })
            .last()
            .map(|(bound, _)| bound)
    }
}

/// Prints a line with a bar for each bucket from the first to the last that is not empty.
impl fmt::Display for LatenessHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filled = |&(_, count): &(Duration, u64)| count > 0;
        let buckets: Vec<_> = self.buckets().collect();
        let Some(first) = buckets.iter().position(filled) else {
            return f.write_str("nothing timed ran\n");
        };
        let last = buckets.iter().rposition(filled).unwrap_or(first);
        let most = self.counts.iter().copied().max().unwrap_or(1);
        for (bound, count) in buckets.into_iter().take(last.saturating_add(1)).skip(first) {
            let bar =
                "#".repeat(usize::try_from(count.saturating_mul(BAR).div_ceil(most)).unwrap_or_default());
            match bound {
                Duration::MAX => write!(f, "{:>9}", "more")?,
                bound => write!(f, "<= {:>6}", format!("{bound:?}"))?,
            }
            writeln!(f, "{count:>9} {bar}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket_and_larger_values_to_the_next() {
        for (at, bound) in BOUNDS.iter().enumerate() {
            let mut histogram = LatenessHistogram::default();
            histogram.record(Duration::from_micros(*bound));
            histogram.record(Duration::from_micros(*bound) + Duration::from_nanos(1));
            assert_eq!((histogram.counts[at], histogram.counts[at + 1]), (1, 1));
        }
        let mut histogram = LatenessHistogram::default();
        histogram.record(Duration::ZERO);
        histogram.record(Duration::MAX);
        assert_eq!((histogram.counts[0], histogram.counts[BUCKETS - 1], histogram.count()), (1, 1, 2));
    }

    #[test]
    fn quantiles_are_upper_bounds() {
        let mut histogram = LatenessHistogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for _ in 0..99 {
            histogram.record(Duration::from_micros(60));
        }
        histogram.record(Duration::from_millis(3));
        let bounds = [0.0, 0.5, 0.99, 0.991, 1.0, 7.0].map(|part| histogram.quantile(part));
        let (near, far) = (Some(Duration::from_micros(100)), Some(Duration::from_millis(5)));
        assert_eq!(bounds, [near, near, near, far, far, far]);
        histogram.record(Duration::from_secs(60));
        assert_eq!(histogram.quantile(1.0), Some(Duration::MAX));
    }

    #[test]
    fn it_prints_as_bars() {
        let mut histogram = LatenessHistogram::default();
        assert_eq!(histogram.to_string(), "nothing timed ran\n");
        for micros in [60, 70, 80, 90, 300, 20_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let text = histogram.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 15);
        assert_eq!(lines[0], format!("<=  100µs        4 {}", "#".repeat(40)));
        assert_eq!(lines[2], format!("<=  500µs        1 {}", "#".repeat(10)));
        assert_eq!(lines[14], format!("     more        1 {}", "#".repeat(10)));
    }
}
