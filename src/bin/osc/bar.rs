//! Progress on a terminal, on stderr; elsewhere nothing.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of this number of steps.
pub(crate) fn of_steps(steps: u64) -> ProgressBar {
    styled(ProgressBar::new(steps), "{bar:40} {percent:>3}%  {elapsed_precise}  {msg}")
}

/// A spinner, for work without a known end.
pub(crate) fn without_end() -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{spinner} {elapsed_precise}  {msg}")
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
