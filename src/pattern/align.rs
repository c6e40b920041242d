//! Greedy matching of a sequence with runs (`*` among bytes, `//` among parts) against a sequence without
//! runs.

/// Returns `true` if the pattern matches the whole subject: `Some` matches one item by `fits`, `None` matches
/// any run.
///
/// Every stretch between two runs has a fixed length, so its leftmost position leaves the most room for the
/// rest and never has to be reconsidered: each pair of items is compared at most once. The last match
/// reported for an item of the pattern is the one that counts.
pub(super) fn align<P, S>(
    mut pattern: impl Iterator<Item = Option<P>> + Clone,
    mut subject: impl Iterator<Item = S> + Clone,
    mut fits: impl FnMut(P, S) -> bool,
) -> bool {
    // Where to continue after a mismatch: after the last run, one item further than the last time.
    let mut retry = None;
    loop {
        match pattern.next() {
            Some(None) => {
                // The run before this one is final: whatever it matched, this run matches the rest. Keeping
                // it would be backtracking, exponential in the number of runs.
                retry = Some((pattern.clone(), subject.clone()));
                continue;
            }
            Some(Some(item)) => {
                let Some(other) = subject.next() else { return false };
                if fits(item, other) {
                    continue;
                }
            }
            None if subject.next().is_none() => return true,
            // Items are left over: the last run must take more, and all of them if nothing follows it.
            None => {
                if retry.as_ref().is_some_and(|(behind_run, _)| behind_run.clone().next().is_none()) {
                    return true;
                }
            }
        }
        let Some((behind_run, after)) = &mut retry else { return false };
        // The run matches one more item. `after` never decreases, so a stretch is tried at each position
        // once. This bounds the comparisons by the length of the stretch times that of the subject.
        if after.next().is_none() {
            return false;
        }
        pattern = behind_run.clone();
        subject = after.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::align;

    /// Fits and comparisons of a pattern, `*` being a run, with a text.
    fn count(pattern: &str, text: &str) -> (bool, usize) {
        let mut comparisons = 0;
        let items = pattern.bytes().map(|byte| (byte != b'*').then_some(byte));
        let fits = align(items, text.bytes(), |one, two| {
            comparisons += 1;
            one == two
        });
        (fits, comparisons)
    }

    #[test]
    fn runs_take_what_is_needed() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "ab", true),
            ("a*", "ab", true),
            ("*b", "abab", true),
            ("a*ab*b", "aabb", true),
            ("a*ab*b", "ab", false),
            ("*ab*ba*", "aba", false),
        ] {
            assert_eq!(count(pattern, text).0, fits, "{pattern} {text}");
        }
    }

    /// THREATS 17 and 19, counted: a stretch between two runs, `aab` being the longest, is tried at
    /// each place once.
    #[test]
    fn each_stretch_is_tried_at_each_place_once() {
        for runs in [12, 30, 60] {
            let (pattern, text) = (format!("{}b", "*aa".repeat(runs)), "a".repeat(1_000));
            let (fits, comparisons) = count(&pattern, &text);
            assert!(!fits && comparisons <= 3 * text.len(), "{comparisons}");

            let (pattern, text) = (format!("*{}b", "a".repeat(runs)), "a".repeat(1_000));
            let (fits, comparisons) = count(&pattern, &text);
            assert!(!fits && comparisons <= pattern.len() * text.len(), "{comparisons}");
        }
    }
}
