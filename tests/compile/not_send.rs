//! A handler that awaits may move between threads.

use std::rc::Rc;
use tokio_osc::Router;

fn main() {
    let _ = Router::new().route("/wait", async || {
        let local = Rc::new(1);
        std::future::ready(()).await;
        drop(local);
    });
}
