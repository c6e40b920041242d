//! Ctrl-C: an orderly end.

use std::pin::Pin;

use futures::FutureExt;
use tokio::signal::ctrl_c;

use crate::failure::Failure;

pub(crate) struct Interrupt {
    pressed: Pin<Box<dyn Future<Output = std::io::Result<()>>>>,
}

impl Interrupt {
    /// Handles Ctrl-C from now on.
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut pressed: Pin<Box<dyn Future<Output = _>>> = Box::pin(ctrl_c());
        // The first poll installs the handler.
        match pressed.as_mut().now_or_never() {
            Some(Err(error)) => Err(Failure::at("Ctrl-C", error)),
            _ => Ok(Self { pressed }),
        }
    }

    /// Waits for Ctrl-C. Must not be called again after it was pressed.
    pub(crate) async fn pressed(&mut self) {
        // Without a handler the signal ends the program by itself.
        if self.pressed.as_mut().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
