//! Recordings: packets as text, each with the time at which it came.
//!
//! ```text
//! # osc record 2026-11-30T21:14:40.123456Z
//! #time 0.000000                        seconds since the first packet
//! /synth/1/freq ,f 440
//! #time 0.250113
//! #bundle 0xeead7b8e5c45159e
//! /synth/1/gate ,T true
//! #end
//! ```
//!
//! Such a file is also input for `osc send URL -` and `osc encode`, which ignore the times. The
//! other form is that of liblo: see [`oscdump`].

mod oscdump;

use std::io::{self, BufRead, Write};
use std::time::{Duration, SystemTime};

use clap::ValueEnum;
use tokio_osc::packet::LineReader;
use tokio_osc::{Meta, Packet, TimeTag};

use crate::failure::{At as _, Failure};
use crate::time::Utc;

/// How a recording is written. Reading tells them apart.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Canonical lines, lossless
    #[default]
    Lines,
    /// As liblo's oscdump prints and its oscsendfile reads: messages only, bundles as their messages
    Oscdump,
}

/// Writes a recording.
pub(crate) struct Recorder<W> {
    out: W,
    format: Format,
    begin: Option<SystemTime>,
    /// Messages that liblo's form has no words for.
    pub(crate) left_out: u64,
}

impl<W: Write> Recorder<W> {
    pub(crate) fn new(out: W, format: Format) -> Self {
        Self { out, format, begin: None, left_out: 0 }
    }

    pub(crate) fn write(&mut self, packet: &Packet, meta: &Meta) -> io::Result<()> {
        if self.format == Format::Oscdump {
            return self.write_oscdump(packet, meta);
        }
        if self.begin.is_none() {
            writeln!(self.out, "# osc record {}", Utc(meta.received_at))?;
        }
        let begin = *self.begin.get_or_insert(meta.received_at);
        // The clock may have been set back: no packet comes before the first.
        let since = meta.received_at.duration_since(begin).unwrap_or_default();
        writeln!(self.out, "#time {}.{:06}\n{packet}", since.as_secs(), since.subsec_micros())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Messages of a bundle have its time tag, as `oscdump` prints them.
    fn write_oscdump(&mut self, packet: &Packet, meta: &Meta) -> io::Result<()> {
        let received = TimeTag::at(meta.received_at);
        let time = match packet {
            Packet::Bundle(bundle) if !bundle.time_tag().is_immediately() => bundle.time_tag(),
            _ => received,
        };
        for message in packet.as_ref().messages() {
            match oscdump::line(time, message) {
                Some(line) => writeln!(self.out, "{line}")?,
                None => self.left_out += 1,
            }
        }
        Ok(())
    }
}

/// Reads a recording of either form.
pub(crate) struct Player<R> {
    place: String,
    input: R,
    lines: LineReader,
    line: String,
    number: u64,
    /// Bytes read so far.
    pub(crate) position: u64,
    time: Duration,
    /// The first time of a file in liblo's form.
    begin: Option<TimeTag>,
}

impl<R: BufRead> Player<R> {
    pub(crate) fn new(place: String, input: R) -> Self {
        let lines = LineReader::new();
        Self {
            place,
            input,
            lines,
            line: String::new(),
            number: 0,
            position: 0,
            time: Duration::ZERO,
            begin: None,
        }
    }

    /// The next packet, and when it came after the first; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(Duration, Packet)>, Failure> {
        loop {
            self.line.clear();
            self.number += 1;
            let read = self.input.read_line(&mut self.line).at(self.here())?;
            if read == 0 {
                std::mem::take(&mut self.lines).finish().at(&self.place)?;
                return Ok(None);
            }
            self.position += read as u64;
            if let Some(seconds) = self.line.strip_prefix("#time ") {
                let seconds = seconds.split_ascii_whitespace().next().unwrap_or_default();
                let time = seconds.parse().ok().and_then(|time| Duration::try_from_secs_f64(time).ok());
                self.time = time.ok_or_else(|| {
                    Failure::at(self.here(), format!("#time takes seconds, not `{seconds}`"))
                })?;
            }
            let line = self.line.trim_end_matches(['\n', '\r']);
            if let Some((tag, rest)) = oscdump::time_tag(line) {
                let message = oscdump::message(rest).map_err(|what| Failure::at(self.here(), what))?;
                self.number_in_lines();
                return Ok(Some((self.time_of(tag), message.into())));
            }
            if let Some(packet) = self.lines.push(line).at(&self.place)? {
                return Ok(Some((self.time, packet)));
            }
        }
    }

    fn here(&self) -> String {
        format!("{}: line {}", self.place, self.number)
    }

    /// Keeps the line numbers of its errors right.
    fn number_in_lines(&mut self) {
        // A comment cannot fail.
        let _ = self.lines.push("#");
    }

    /// Time tags may go back, and "immediately" has no time: then at once.
    fn time_of(&mut self, tag: TimeTag) -> Duration {
        if !tag.is_immediately() {
            let begin = *self.begin.get_or_insert(tag);
            let ticks = u64::try_from(tag.signed_difference(begin)).unwrap_or_default();
            let nanos = (u128::from(ticks) * 1_000_000_000) >> 32;
            self.time = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        }
        self.time
    }
}
