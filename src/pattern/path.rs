//! Matching of whole patterns: parts against the names of an address, or against the parts of another
//! pattern.

use std::ops::Range;

use super::align::align;
use super::{Part, Parts};
use crate::types::Text;

/// Returns `true` if the names of an address match the parts.
pub(super) fn matches(parts: Parts<'_>, address: &[u8]) -> bool {
    align(parts.map(one_level), spans(address), |part, span| part.matches(name(address, &span)))
}

/// Returns the names of the address that match each part that is not literal. If `below` is set, the pattern
/// ends with `//`, whose two parts are one capture.
pub(super) fn captures<'a>(parts: &Parts<'_>, below: bool, address: &'a [u8]) -> Option<Vec<Text<'a>>> {
    let mut places: Vec<Range<usize>> = parts.clone().map(|_| 0..0).collect();
    let fits = |(index, part): (usize, Part<'_>), span: Range<usize>| {
        let fits = part.matches(name(address, &span));
        if let Some(place) = places.get_mut(index).filter(|_| fits) {
            *place = span;
        }
        fits
    };
    let levels = parts.clone().enumerate().map(|(index, part)| one_level(part).map(|part| (index, part)));
    if !align(levels, spans(address), fits) {
        return None;
    }
    let mut captured: Vec<Range<usize>> = Vec::new();
    let mut behind = 1;
    for (index, part) in parts.clone().enumerate() {
        let place = places.get(index).cloned().unwrap_or_default();
        match part {
            Part::Literal(_) => behind = place.end.saturating_add(1),
            Part::Any | Part::Segment(_) => {
                behind = place.end.saturating_add(1);
                captured.push(place);
            }
            Part::Descend => {
                let next = places.get(index.saturating_add(1)).map_or(behind, |next| next.start);
                captured.push(behind..behind.max(next.saturating_sub(1)));
            }
        }
    }
    if below {
        let last = captured.pop().unwrap_or_default();
        captured.last_mut()?.end = last.end;
    }
    Some(captured.iter().map(|span| Text::new(name(address, span))).collect())
}

/// Returns `true` if the names of some address match both. Every part must be satisfiable.
///
/// Row by row as in `segment`: the places of the second pattern that the first one's parts so far
/// can reach, where a `//` is a place that may be left at once or stayed at.
pub(crate) fn overlap<'a>(parts: impl IntoIterator<Item = Part<'a>>, other: &[Part<'_>]) -> bool {
    let empty = || vec![false; other.len().saturating_add(1)];
    let mut row = empty();
    insert(&mut row, 0, other);
    for part in parts {
        let reached = std::mem::replace(&mut row, empty());
        if part == Part::Descend {
            let first = reached.iter().position(|&is_reached| is_reached).unwrap_or(reached.len());
            row.iter_mut().skip(first).for_each(|place| *place = true);
            continue;
        }
        for (place, &theirs) in other.iter().enumerate() {
            if reached.get(place) != Some(&true) {
                continue;
            }
            if theirs == Part::Descend {
                insert(&mut row, place, other);
            } else if part.overlaps(theirs) {
                insert(&mut row, place.saturating_add(1), other);
            }
        }
    }
    row.last() == Some(&true)
}

/// Adds a place, and the next one if a `//` is between them.
fn insert(row: &mut [bool], place: usize, parts: &[Part<'_>]) {
    let steps = if parts.get(place) == Some(&Part::Descend) { 2 } else { 1 };
    row.iter_mut().skip(place).take(steps).for_each(|reached| *reached = true);
}

fn one_level(part: Part<'_>) -> Option<Part<'_>> {
    (part != Part::Descend).then_some(part)
}

/// The positions of the names of an address. Empty if it does not begin with `/`.
pub(crate) fn spans(address: &[u8]) -> impl Iterator<Item = Range<usize>> + Clone {
    let mut rest = address.strip_prefix(b"/");
    let end = address.len();
    std::iter::from_fn(move || {
        let names = rest?;
        let start = end.saturating_sub(names.len());
        let length = names.iter().position(|&byte| byte == b'/').unwrap_or(names.len());
        rest = names.get(length..).and_then(|behind| behind.strip_prefix(b"/"));
        Some(start..start.saturating_add(length))
    })
}

fn name<'a>(address: &'a [u8], span: &Range<usize>) -> &'a [u8] {
    address.get(span.clone()).unwrap_or_default()
}
