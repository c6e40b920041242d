//! Panics that are the caller's name the caller's line. The hook is the process's: one test.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use tokio_osc::{Client, Slip};

#[tokio::test]
async fn a_wrong_pattern_is_named_at_the_line_of_the_caller() {
    let client = Client::udp("127.0.0.1:9").await.unwrap();
    let builder = Client::reconnecting("127.0.0.1:9", Slip::new());
    let said = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&said);
    std::panic::set_hook(Box::new(move |info| kept.lock().unwrap().push(info.to_string())));
    let panicked = [
        catch_unwind(AssertUnwindSafe(|| drop(client.subscribe("/[")))),
        catch_unwind(AssertUnwindSafe(|| drop(client.request(("/a", 1), "/[")))),
        catch_unwind(AssertUnwindSafe(|| drop(builder.subscribe("/[")))),
    ];
    let _ = std::panic::take_hook();
    assert!(panicked.iter().all(Result::is_err));
    assert_eq!(said.lock().unwrap().len(), 3);
    for text in &*said.lock().unwrap() {
        assert!(
            text.contains("tests/panics.rs") && text.contains("the pattern \"/[\" is not legal"),
            "{text}"
        );
    }
}
