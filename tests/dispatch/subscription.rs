//! Subscriptions of a server: messages pulled by a loop of the program.

use futures::StreamExt;
use tokio_osc::{Args, Router, Server};

use super::{ended, feed, item, ms};

#[tokio::test]
async fn a_subscription_hears_its_pattern_in_order_and_ends_with_the_server() {
    let (sender, packets) = feed();
    let server = Server::new(Router::new().route("/meter/1", || {})).feed("test", packets);
    let meters = server.subscribe("/meter/*", 16).unwrap();
    let server = server.spawn();
    for n in 0..4 {
        sender.unbounded_send(item((format!("/meter/{n}"), n))).unwrap();
        sender.unbounded_send(item(("/other", n))).unwrap();
    }
    drop(sender);
    let stats = ended(server).await;
    assert_eq!((stats.matched, stats.unmatched), (4, 4));
    let heard: Vec<_> = meters.map(|(message, meta)| format!("{} {message}", meta.channel())).collect().await;
    assert_eq!(
        heard,
        ["test /meter/0 ,i 0", "test /meter/1 ,i 1", "test /meter/2 ,i 2", "test /meter/3 ,i 3"]
    );
}

#[tokio::test]
async fn a_subscription_that_is_not_read_keeps_the_newest_and_counts_the_rest() {
    let (sender, packets) = feed();
    let server = Server::new(Router::new().route("/n", |Args(_): Args<i32>| {})).feed("test", packets);
    let mut slow = server.subscribe("//", 3).unwrap();
    let server = server.spawn();
    for n in 0..1_000 {
        sender.unbounded_send(item(("/n", n))).unwrap();
    }
    drop(sender);
    let stats = ended(server).await;
    assert_eq!((stats.matched, stats.handled), (1_000, 2_000));
    assert_eq!(slow.missed(), 997);
    for n in 997..1_000 {
        assert_eq!(slow.next().await.unwrap().0.parse::<i32>().unwrap(), n);
    }
    assert!(slow.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_subscription_waits_for_the_next_message_and_is_removed_when_dropped() {
    let (sender, packets) = feed();
    let server = Server::new(Router::new()).feed("test", packets).spawn();
    let mut messages = server.subscribe("/a", 1).unwrap();
    tokio::spawn({
        let sender = sender.clone();
        async move {
            tokio::time::sleep(ms(50)).await;
            sender.unbounded_send(item(("/a", 1))).unwrap();
        }
    });
    assert_eq!(messages.next().await.unwrap().0.to_string(), "/a ,i 1");
    drop(messages);
    sender.unbounded_send(item(("/a", 2))).unwrap();
    drop(sender);
    let stats = ended(server).await;
    assert_eq!((stats.matched, stats.unmatched), (1, 1));
    assert!(Server::new(Router::new()).subscribe("/a[", 1).is_err());
}
