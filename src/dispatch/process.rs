//! Budgets of `process`, and its progress.

use std::time::{Duration, Instant};

/// The budget of one call of [`Inbox::process`](crate::dispatch::Inbox::process) or
/// [`FrameLoop::process`](crate::tools::FrameLoop::process): a time, and optionally a number of steps.
///
/// It is checked after each step, so one step always runs, and the last one may end after the time. A step of
/// an inbox is one call of a handler; a step of a frame loop is one poll of a task.
///
/// ```
/// use std::time::Duration;
/// use tokio_osc::dispatch::Budget;
///
/// let budget = Budget::new(Duration::from_millis(2)).steps(100);
/// let by_time_alone = Budget::from(Duration::from_millis(2));
/// # assert_ne!(budget, by_time_alone);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    time: Duration,
    steps: usize,
}

impl Budget {
    /// Creates a budget of this time, without a limit of steps.
    pub const fn new(time: Duration) -> Self {
        Self { time, steps: usize::MAX }
    }

    /// Sets the most steps.
    pub const fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Starts to spend the budget. For your own loops.
    pub fn start(self) -> Meter {
        Meter { budget: self, begin: Instant::now(), steps: 0 }
    }
}

impl From<Duration> for Budget {
    fn from(time: Duration) -> Self {
        Self::new(time)
    }
}

/// A [`Budget`] that is being spent. Returned by [`Budget::start`].
///
/// ```
/// use std::collections::VecDeque;
/// use std::time::Duration;
/// use tokio_osc::dispatch::{Budget, Progress};
///
/// fn process(waiting: &mut VecDeque<i32>, budget: Budget) -> Progress {
///     let mut meter = budget.start();
///     while let Some(step) = waiting.pop_front() {
///         println!("{step}");
///         if meter.spend() {
///             break;
///         }
///     }
///     meter.progress(waiting.is_empty())
/// }
///
/// let progress = process(&mut VecDeque::from([1, 2, 3]), Budget::new(Duration::from_secs(1)).steps(2));
/// assert_eq!((progress.steps, progress.is_idle), (2, false));
/// ```
#[derive(Debug)]
pub struct Meter {
    budget: Budget,
    begin: Instant,
    steps: usize,
}

impl Meter {
    /// Counts a step. Returns `true` if it was the last one.
    pub fn spend(&mut self) -> bool {
        self.steps += 1;
        self.steps >= self.budget.steps || self.begin.elapsed() >= self.budget.time
    }

    /// Returns the progress so far. The caller knows whether work is left.
    pub fn progress(&self, is_idle: bool) -> Progress {
        Progress { steps: self.steps, is_idle }
    }
}

/// The progress of one call of `process`.
///
/// ```
/// use tokio_osc::dispatch::Budget;
/// use tokio_osc::tools::FrameLoop;
/// use std::time::Duration;
///
/// let mut frames = FrameLoop::new()?;
/// let progress = frames.process(Budget::new(Duration::from_millis(2)))?;
/// assert!(progress.is_idle, "there is nothing to do");
/// # Ok::<(), tokio_osc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The number of steps. See [`Budget`].
    pub steps: usize,
    /// `true` if nothing was left to do. Otherwise the budget was spent.
    pub is_idle: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_is_always_made() {
        let hour = Duration::from_secs(3_600);
        assert!(Budget::new(Duration::ZERO).start().spend());
        assert!(Budget::new(hour).steps(0).start().spend());
        assert!(Budget::new(hour).steps(1).start().spend());
        let mut two = Budget::new(hour).steps(2).start();
        assert_eq!((two.spend(), two.spend()), (false, true));
        assert_eq!(two.progress(false), Progress { steps: 2, is_idle: false });
    }
}
