//! A state that is in an `Arc` already is given to `with_shared`.

use std::sync::Arc;
use tokio_osc::{Router, State};

struct App;

fn main() {
    let _ = Router::with_state(Arc::new(App)).route("/hit", |_: State<App>| {});
}
