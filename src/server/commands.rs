//! Commands of the handle for the loop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures::task::AtomicWaker;

use super::Shutdown;
use super::channels::{ChannelRecord, ReadHalf};
use crate::lock::lock;

pub(super) enum Command {
    Open(ReadHalf),
    Close(Arc<ChannelRecord>),
    End(Shutdown),
}

/// The pending commands.
pub(super) struct Commands {
    /// Whether there are commands. Checked often.
    news: AtomicBool,
    /// `None` after the loop has ended.
    asked: Mutex<Option<Asked>>,
    task: Arc<AtomicWaker>,
}

#[derive(Default)]
struct Asked {
    commands: Vec<Command>,
    /// Whether all channels have ended. Then only the shutdown can be requested.
    over: bool,
}

impl Commands {
    pub(super) fn new(task: Arc<AtomicWaker>) -> Self {
        Self { news: AtomicBool::new(false), asked: Mutex::new(Some(Asked::default())), task }
    }

    /// Sends a command. Returns `false` if the loop can no longer execute it.
    pub(super) fn give(&self, command: Command) -> bool {
        let mut asked = self.asked();
        let Some(asked) = asked.as_mut().filter(|asked| !asked.over || matches!(command, Command::End(_)))
        else {
            return false;
        };
        asked.commands.push(command);
        self.news.store(true, Ordering::Release);
        self.task.wake();
        true
    }

    pub(super) fn take(&self) -> Vec<Command> {
        // The plain load first: this is asked in each pass, and a swap would be a locked instruction.
        if !self.news.load(Ordering::Relaxed) || !self.news.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        self.asked().as_mut().map(|asked| std::mem::take(&mut asked.commands)).unwrap_or_default()
    }

    /// Refuses further channels, unless there are pending commands.
    pub(super) fn are_over(&self) -> bool {
        let mut asked = self.asked();
        let Some(asked) = &mut *asked else { return true };
        // Under the lock: a command that was given before is done first, one that comes after is refused.
        asked.over |= asked.commands.is_empty();
        asked.over
    }

    /// Ends the commands. Pending ones are dropped outside of the lock.
    pub(super) fn close(&self) {
        let left = self.asked().take();
        drop(left);
    }

    fn asked(&self) -> MutexGuard<'_, Option<Asked>> {
        lock(&self.asked)
    }
}
