//! A handler may be called on any thread.

use std::rc::Rc;
use tokio_osc::Router;

fn main() {
    let shared = Rc::new(1);
    let _ = Router::new().route("/hit", move || drop(Rc::clone(&shared)));
}
