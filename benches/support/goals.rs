//! Goals: ratios inside one run, and whether they hold.
#![allow(dead_code, reason = "each benchmark has goals of its own kind")]

/// Prints `goal: NAME ratio R (goal G) ok|short`.
pub(crate) fn at_least(name: &str, ratio: f64, goal: f64) {
    judge(name, ratio, ">=", goal, ratio >= goal);
}

/// Likewise.
pub(crate) fn at_most(name: &str, ratio: f64, goal: f64) {
    judge(name, ratio, "<=", goal, ratio <= goal);
}

/// For a goal that needs what this machine does not have.
pub(crate) fn skipped(name: &str) {
    println!("goal: {name} skipped: no such peer here");
}

fn judge(name: &str, ratio: f64, sign: &str, goal: f64, holds: bool) {
    if ratio.is_nan() {
        return skipped(name);
    }
    let verdict = if holds { "ok" } else { "short" };
    println!("goal: {name} ratio {ratio:.2} (goal {sign} {goal}) {verdict}");
}
