//! The newest value of each address, behind a handler that is slower than they come.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_osc::{Args, Captures, Message, Meta, Peer, Router, Server, on};

/// 3,000 messages on 20 addresses in a second, for a handler that takes 10 ms.
#[tokio::test(start_paused = true)]
async fn a_slow_handler_gets_each_address_s_last_value_and_none_older_than_250_ms() {
    let handled = Arc::new(Mutex::new(Vec::new()));
    let begin = Instant::now();
    let move_motor = {
        let handled = Arc::clone(&handled);
        move |Captures(fader): Captures<i32>, Args((n, sent)): Args<(i32, i64)>| {
            let age = begin.elapsed().saturating_sub(Duration::from_micros(sent.try_into().unwrap()));
            handled.lock().unwrap().push((fader, n, age));
            async { sleep(Duration::from_millis(10)).await }
        }
    };
    let router = Router::new().route("/fader/*", on(move_motor).latest());
    let faders = stream::unfold(0, move |n: i32| async move {
        let at = Duration::from_secs(1) * u32::try_from(n).unwrap() / 3_000;
        sleep_until(begin + at).await;
        let sent = i64::try_from(begin.elapsed().as_micros()).unwrap();
        let message = Message::new(format!("/fader/{}", n % 20), (n, sent)).unwrap();
        (n < 3_000).then(|| ((Ok(message.into()), Meta::from_peer(Peer::LOCAL)), n + 1))
    });
    let server = Server::new(router).feed("desk", faders).spawn();
    server.wait().await;
    let stats = server.shutdown().await;
    let handled = handled.lock().unwrap();
    let last: HashMap<i32, i32> = handled.iter().map(|&(fader, n, _)| (fader, n)).collect();
    assert_eq!(last, (0..20).map(|fader| (fader, 2_980 + fader)).collect());
    let oldest = handled.iter().map(|&(_, _, age)| age).max().unwrap();
    println!("{} of 3000 handled, the oldest after {oldest:?}", handled.len());
    assert!(oldest < Duration::from_millis(250), "{oldest:?}");
    assert_eq!(stats.handled + stats.overflowed, 3_000, "{stats}");
}
