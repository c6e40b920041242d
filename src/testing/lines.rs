//! Packets compared as text: the expected lines beside the actual ones.

use std::fmt::{Display, Write as _};

/// Maximum width of the left column. Longer lines push the right column aside.
const WIDEST: usize = 60;

/// Asserts that two lists of packets print the same [canonical lines](crate::packet). Each side is a list of
/// anything with `Display`: packets, messages, [`Recorded`] messages, text. A bundle prints several lines.
///
/// ```
/// use tokio_osc::testing::assert_lines;
/// use tokio_osc::{Args, Router};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let router = Router::new().route("/ping", |Args(n): Args<i32>| ("/pong", n));
/// assert_lines(router.call(("/ping", 7)).await, ["/pong ,i 7"]);
/// # }
/// ```
///
/// # Panics
/// Panics if they differ, and prints both sides beside each other:
///
/// ```text
///   found              expected
///   /a ,i 1            /a ,i 1
/// ≠ /b ,f 0.5          /b ,d 0.5
/// ≠                    /c ,
/// ```
///
/// [`Recorded`]: crate::testing::Recorded
#[track_caller]
pub fn assert_lines(
    found: impl IntoIterator<Item = impl Display>,
    expected: impl IntoIterator<Item = impl Display>,
) {
    let (found, expected) = (lines(found), lines(expected));
    assert!(found == expected, "the lines differ\n{}", side_by_side(&found, &expected));
}

fn lines(packets: impl IntoIterator<Item = impl Display>) -> Vec<String> {
    let texts = packets.into_iter().map(|packet| packet.to_string());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// A row for each line, marked where the two are not the same.
fn side_by_side(found: &[String], expected: &[String]) -> String {
    let longest = found.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    let width = longest.clamp("found".len(), WIDEST) + 4;
    let mut table = format!("  {:width$}expected\n", "found");
    for row in 0..found.len().max(expected.len()) {
        let (left, right) = (found.get(row), expected.get(row));
        let mark = if left == right { ' ' } else { '≠' };
        let text = |line: Option<&String>| line.cloned().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{mark} {:width$}{}", text(left), text(right));
    }
    table
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Bundle, TimeTag};

    #[test]
    fn a_bundle_is_as_many_lines_as_it_prints() {
        let bundle = Bundle::at(TimeTag::IMMEDIATELY).with(("/a", 1)).build().unwrap();
        assert_lines([bundle], ["#bundle 0x0000000000000001", "/a ,i 1", "#end"]);
        assert_lines([""; 0], [""; 0]);
    }

    #[test]
    fn lines_that_differ_stand_beside_each_other() {
        let table = side_by_side(&lines(["/a ,i 1", "/b ,f 0.5"]), &lines(["/a ,i 1\n/b ,d 0.5", "/c ,"]));
        assert_eq!(
            table,
            "  found        expected\n  /a ,i 1      /a ,i 1\n≠ /b ,f 0.5    /b ,d 0.5\n≠              /c ,\n"
        );
    }

    #[test]
    #[should_panic(expected = "the lines differ\n  found")]
    fn lines_that_differ_fail_the_test() {
        assert_lines(["/a ,"], ["/b ,"]);
    }
}
