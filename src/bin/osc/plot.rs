//! `osc dump --plot`: the numbers of an address as a chart of characters.

use std::collections::VecDeque;
use std::io::IsTerminal as _;

use tokio_osc::packet::{ArgRef, PacketRef};
use tokio_osc::{Packet, Pattern};

use crate::select::names;

/// Maximum number of values in the chart.
const WIDTH: usize = 72;
/// Lines of the chart, without its title.
const HEIGHT: usize = 10;
/// A column of up to 8 eighths of a line.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub(crate) struct Plot {
    address: Pattern,
    values: VecDeque<f64>,
    count: u64,
    /// Whether values have arrived since it was drawn.
    is_changed: bool,
    is_drawn: bool,
}

impl Plot {
    pub(crate) fn of(address: Pattern) -> Self {
        Self { address, values: VecDeque::with_capacity(WIDTH), count: 0, is_changed: false, is_drawn: false }
    }

    /// Takes the first number of each message of the address.
    pub(crate) fn take(&mut self, packet: &Packet) {
        let packet: PacketRef<'_> = packet.as_ref();
        for message in packet.messages().filter(|message| names(&self.address, *message)) {
            let Some(value) = message.args().find_map(number) else { continue };
            if self.values.len() == WIDTH {
                self.values.pop_front();
            }
            self.values.push_back(value);
            self.count += 1;
            self.is_changed = true;
        }
    }

    /// The chart. On a terminal it replaces the previous one.
    pub(crate) fn redraw(&mut self) -> String {
        if !self.is_changed || !std::io::stdout().is_terminal() {
            return String::new();
        }
        self.is_changed = false;
        let up = if self.is_drawn { format!("\x1b[{}A\x1b[J", HEIGHT + 1) } else { String::new() };
        self.is_drawn = true;
        up + &self.chart()
    }

    /// What is still to be drawn at the end.
    pub(crate) fn end(&mut self) -> String {
        if std::io::stdout().is_terminal() { self.redraw() } else { self.chart() }
    }

    /// The bottom line is the smallest value, the top line the greatest.
    fn chart(&self) -> String {
        let Some(last) = self.values.back() else { return format!("{}  no values\n", self.address) };
        let low = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut text =
            format!("{}  last {last}  low {low}  high {high}  values {}\n", self.address, self.count);
        for line in (0..HEIGHT).rev() {
            let column =
                |value: &f64| EIGHTHS.get(eighths(*value, low, high).saturating_sub(line * 8).min(8));
            let row: String = self.values.iter().filter_map(column).collect();
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }
}

/// The height of a value in eighths, at least 1: every value can be seen.
fn eighths(value: f64, low: f64, high: f64) -> usize {
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    let steps = (HEIGHT * 8 - 1) as f64;
    let share = if high > low { (value - low) / (high - low) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, reason = "between 1 and the height")]
    let height = (share * steps).round() as usize + 1;
    height
}

fn number(arg: ArgRef<'_>) -> Option<f64> {
    let value = match arg {
        ArgRef::Int32(value) => f64::from(value),
        #[expect(clippy::cast_precision_loss, reason = "a chart has 80 steps")]
        ArgRef::Int64(value) => value as f64,
        // The decimal that is meant: 0.61, not 0.6100000143051147.
        ArgRef::Float32(value) => value.to_string().parse().ok()?,
        ArgRef::Float64(value) => value,
        ArgRef::Bool(value) => f64::from(u8::from(value)),
        _ => return None,
    };
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_greatest_value_fills_the_height_and_the_smallest_can_be_seen() {
        let mut plot = Plot::of("/level".parse().unwrap());
        for value in [0.0_f32, 0.5, 1.0, f32::NAN] {
            plot.take(&tokio_osc::Message::new("/level", value).unwrap().into());
        }
        plot.take(&tokio_osc::Message::new("/other", 7).unwrap().into());
        let chart = plot.end();
        let lines: Vec<&str> = chart.lines().collect();
        assert_eq!(lines[0], "/level  last 1  low 0  high 1  values 3");
        assert_eq!((lines.len(), lines[1], lines[HEIGHT]), (HEIGHT + 1, "  █", "▁██"));
    }
}
