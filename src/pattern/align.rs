//! The one greedy walk: a sequence with runs in it (`*` among bytes, `//` among parts) against a
//! sequence without.

/// Whether the pattern fits the whole subject: `Some` fits one item as `fits` says, `None` any run.
///
/// Every stretch between two runs is of fixed length, so its leftmost place leaves the most room
/// for what follows and need never be reconsidered: each pair of items is compared at most once.
/// The last fit reported for an item of the pattern is the one that counts.
pub(super) fn align<P, S>(
    mut pattern: impl Iterator<Item = Option<P>> + Clone,
    mut subject: impl Iterator<Item = S> + Clone,
    mut fits: impl FnMut(P, S) -> bool,
) -> bool {
    let mut retry = None;
    loop {
        match pattern.next() {
            Some(None) => {
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
            None => {}
        }
        let Some((behind_run, after)) = &mut retry else { return false };
        if after.next().is_none() {
            return false;
        }
        pattern = behind_run.clone();
        subject = after.clone();
    }
}
