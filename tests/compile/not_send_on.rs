//! A handler with options may move between threads, too.

use std::rc::Rc;
use tokio_osc::{Router, on};

fn main() {
    let _ = Router::new().route("/wait", on(async || {
        let local = Rc::new(1);
        std::future::ready(()).await;
        drop(local);
    }).on_task(8));
}
