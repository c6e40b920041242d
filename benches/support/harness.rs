//! Interleaved rounds: every contender once per round, so that a slow moment of the machine hits
//! all of them; the median of the rounds counts.

use std::time::Instant;

use super::goals;

/// One way to do a piece of work: does it so many times, and tells the nanoseconds of one.
pub(crate) type Contender<'a> = Box<dyn FnMut(u32) -> f64 + 'a>;

/// A contender that calls a function.
pub(crate) fn calls<'a, T>(mut work: impl FnMut() -> T + 'a) -> Contender<'a> {
    Box::new(move |times| {
        let start = Instant::now();
        for _ in 0..times {
            std::hint::black_box(work());
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(times)
    })
}

/// The median nanoseconds of each contender.
pub(crate) fn race<const N: usize>(rounds: usize, mut contenders: [Contender<'_>; N]) -> [f64; N] {
    let times = contenders.each_mut().map(|contender| calibrate(contender));
    let mut samples = [(); N].map(|()| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for ((contender, &times), samples) in contenders.iter_mut().zip(&times).zip(&mut samples) {
            samples.push(contender(times));
        }
    }
    samples.map(|mut samples| {
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    })
}

/// How often to call it for about half a millisecond.
fn calibrate(contender: &mut Contender<'_>) -> u32 {
    let nanos = contender(200).max(1.0);
    #[expect(clippy::cast_possible_truncation, reason = "a small number")]
    let times = (500_000.0 / nanos) as u32;
    times.clamp(10, 100_000)
}

/// Ratios of one goal, one for each case.
#[derive(Default)]
pub(crate) struct Ratios(Vec<f64>);

impl Ratios {
    pub(crate) fn push(&mut self, ratio: f64) {
        self.0.push(ratio);
    }

    fn mean(&self) -> f64 {
        let count = u32::try_from(self.0.len()).unwrap_or(1);
        (self.0.iter().map(|ratio| ratio.ln()).sum::<f64>() / f64::from(count)).exp()
    }

    fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The geometric mean against a goal.
    pub(crate) fn report(&self, name: &str, goal: f64) {
        goals::at_least(name, self.mean(), goal);
    }

    /// The worst case against a goal.
    pub(crate) fn report_each(&self, name: &str, goal: f64) {
        goals::at_least(name, self.least(), goal);
    }
}
