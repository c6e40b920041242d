//! The datagrams of a socket, one by one, also where the system gives a run of them at a time.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;

use super::link::Link;
use super::offload::Run;
use crate::codec::MAX_DATAGRAM;

pub(super) struct Intake {
    buffer: Box<[u8]>,
    /// Bytes of the largest datagram that is taken; of a larger one there is a byte more.
    max: usize,
    run: Option<Run>,
    /// The first byte of the run that was not handed out.
    at: usize,
}

impl Intake {
    pub(super) fn new(link: &Link, max: usize) -> Self {
        let room = if link.runs { MAX_DATAGRAM } else { max };
        Self { buffer: vec![0; room + 1].into_boxed_slice(), max, run: None, at: 0 }
    }

    /// The largest datagram that is taken.
    pub(super) const fn max(&self) -> usize {
        self.max
    }

    /// Where the next datagram lies in the buffer, and who has sent it.
    pub(super) fn try_next(&mut self, link: &Link) -> io::Result<(Range<usize>, SocketAddr)> {
        let run = if let Some(run) = self.run {
            run
        } else {
            self.at = 0;
            link.receive(&mut self.buffer)?
        };
        let end = run.len.min(self.at.saturating_add(run.size));
        let datagram = self.at..end;
        self.run = (end < run.len).then_some(run);
        self.at = end;
        Ok((datagram, run.from))
    }

    /// The bytes of a datagram; `None` if it is too large.
    pub(super) fn datagram(&self, place: Range<usize>) -> Option<&[u8]> {
        self.buffer.get(place).filter(|datagram| datagram.len() <= self.max)
    }
}
