//! Panics that are the caller's name the caller's line. The hook is the process's: one test.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use futures::stream;

use tokio_osc::{Client, Router, Server, Slip};

#[test]
fn the_line_of_the_caller_is_named() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(async { Client::udp("127.0.0.1:9").await.unwrap() });
    let server = || Server::new(Router::new()).feed("a", stream::pending());
    let mistakes: [(&dyn Fn(), &str); 5] = [
        (&|| drop(client.subscribe("/[")), "the pattern \"/[\" is not legal"),
        (&|| drop(client.request(("/a", 1), "/[")), "the pattern \"/[\" is not legal"),
        (&|| drop(server().feed("a", stream::pending())), "has the name \"a\" already"),
        (&|| drop(server().feed("b c", stream::pending())), "\"b c\""),
        (&|| drop(server().spawn()), "no reactor running"),
    ];
    for (mistake, text) in mistakes {
        let said = said_by(mistake);
        assert!(said.contains("tests/panics.rs") && said.contains(text), "{said}");
    }
    let said = said_by(&|| {
        drop(Client::reconnecting("127.0.0.1:9", Slip::new()).subscribe("/["));
    });
    assert!(said.contains("tests/panics.rs") && said.contains("the pattern \"/[\" is not legal"), "{said}");
}

/// What the hook is told of a panic.
fn said_by(mistake: &dyn Fn()) -> String {
    let said = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&said);
    std::panic::set_hook(Box::new(move |info| *kept.lock().unwrap() = info.to_string()));
    let panicked = catch_unwind(AssertUnwindSafe(mistake));
    drop(std::panic::take_hook());
    assert!(panicked.is_err());
    let said = said.lock().unwrap();
    said.clone()
}
