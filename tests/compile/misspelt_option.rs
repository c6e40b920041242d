//! An option that is spelt wrong is not ignored.

use tokio_osc::dispatch::Lane;

fn main() {
    let _ = Lane::new(64).worker(10);
}
