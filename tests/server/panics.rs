//! Panics that are the caller's name the caller's line.
#![cfg(feature = "net")]

use futures::stream;
use tokio_osc::{Client, Router, Server, Slip};

use crate::support::panicking::panic_of;

#[test]
fn the_line_of_the_caller_is_named() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(async { Client::udp("127.0.0.1:9").await.unwrap() });
    let server = || Server::new(Router::new()).feed("a", stream::pending());
    let mistakes: [(&dyn Fn(), &str); 6] = [
        (&|| drop(client.subscribe("/[")), "the pattern \"/[\" is not legal"),
        (&|| drop(client.request(("/a", 1), "/[")), "the pattern \"/[\" is not legal"),
        (&|| drop(server().feed("a", stream::pending())), "has the name \"a\" already"),
        (&|| drop(server().feed("b c", stream::pending())), "\"b c\""),
        (&|| drop(server().spawn()), "no reactor running"),
        (
            &|| drop(Client::reconnecting("127.0.0.1:9", Slip::new()).subscribe("/[")),
            "the pattern \"/[\" is not legal",
        ),
    ];
    for (mistake, text) in mistakes {
        let panicked = panic_of(mistake);
        assert!(panicked.file.ends_with("tests/server/panics.rs"), "{panicked:?}");
        assert!(panicked.message.contains(text), "{panicked:?}");
    }
}
