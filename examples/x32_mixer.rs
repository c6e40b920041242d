//! A remote control of a Behringer X32: it reads the model of the console, follows its faders and meters, and keeps its
//! subscription alive. Without an address it uses a simulated mixer, whose seconds last 20 ms.
//!
//! ```text
//! cargo run --example x32_mixer
//! cargo run --example x32_mixer -- 192.168.1.64:10023
//! cargo test --example x32_mixer                         the mixer, without a socket
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, interval, sleep};
use tokio_osc::channel::Outlet;
use tokio_osc::{Args, Bytes, Captures, Channel, Client, Error, Meta, Peer, Router, Server, State};

#[tokio::main]
async fn main() -> Result<(), Error> {
    if let Some(address) = std::env::args().nth(1) {
        return follow(&Client::udp(address).await?, Duration::from_secs(1)).await;
    }
    let second = Duration::from_millis(20);
    let channel = Channel::udp("127.0.0.1:0").await?;
    let (address, outlet) = (channel.local_addr()?, channel.outlet());
    let mixer = Arc::new(Mixer::new(second));
    let server = Server::new(router(&mixer)).listen("mixer", channel).spawn();
    let live = tokio::spawn(play(mixer, outlet));

    follow(&Client::udp(address).await?, second).await?;
    live.abort();
    server.shutdown().await;
    Ok(())
}

/// The remote control. It runs for 25 seconds, longer than a subscription lasts.
async fn follow(mixer: &Client, second: Duration) -> Result<(), Error> {
    let info = mixer.request(("/info", ()), "/info").timeout(second * 5).retries(2).await?;
    let (_, name, model, version): (&str, &str, &str, &str) = info.parse()?;
    println!("{name} is an {model}, version {version}");

    let mut faders = mixer.subscribe("/ch/*/mix/fader");
    let mut meters = mixer.subscribe("/meters/1");
    let _remote = mixer.keep_alive(second * 9, ("/xremote", ()))?;
    let _metered = mixer.keep_alive(second * 9, ("/meters", "/meters/1"))?;
    mixer.send(("/ch/01/mix/fader", 0.75_f32)).await?;
    mixer.send(("/ch/01/mix/fader", ())).await?;

    let (mut blobs, mut loudest) = (0, 0.0_f32);
    let end = sleep(second * 25);
    tokio::pin!(end);
    loop {
        tokio::select! {
            Some(fader) = faders.recv() => println!("{} is at {:.2}", fader.address(), fader.parse::<f32>()?),
            Some(meter) = meters.recv() => {
                blobs += 1;
                loudest = levels(meter.parse()?).into_iter().fold(loudest, f32::max);
            }
            () = &mut end => break,
        }
    }
    println!("{blobs} meters, the loudest at {loudest:.2}");
    Ok(())
}

/// The values of a meter blob, which are little-endian behind their count.
fn levels(blob: &[u8]) -> Vec<f32> {
    let values = blob.get(4..).unwrap_or_default().chunks_exact(4);
    values.map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]])).collect()
}

/// A mixer that drops each remote control ten seconds after its last message.
struct Mixer {
    second: Duration,
    faders: Mutex<BTreeMap<String, f32>>,
    remotes: Mutex<HashMap<Peer, Instant>>,
}

impl Mixer {
    fn new(second: Duration) -> Self {
        Self { second, faders: Mutex::default(), remotes: Mutex::default() }
    }

    fn remember(&self, peer: Peer) {
        let until = Instant::now() + self.second * 10;
        self.remotes.lock().unwrap_or_else(PoisonError::into_inner).insert(peer, until);
    }

    fn remembered(&self) -> Vec<Peer> {
        let mut remotes = self.remotes.lock().unwrap_or_else(PoisonError::into_inner);
        remotes.retain(|_, until| *until > Instant::now());
        remotes.keys().copied().collect()
    }
}

fn router(mixer: &Arc<Mixer>) -> Router<Mixer> {
    Router::with_shared(Arc::clone(mixer))
        .route("/info", || ("/info", ("V2.07", "the fake mixer", "X32", "4.06")))
        .route("/ch/*/mix/fader", fader)
        .route("/xremote", |mixer: State<Mixer>, meta: Meta| mixer.remember(meta.peer))
        .route("/meters", |mixer: State<Mixer>, meta: Meta| mixer.remember(meta.peer))
}

/// Sets the fader with a level, and replies with its level without one.
fn fader(
    State(mixer): State<Mixer>,
    Captures(channel): Captures<String>,
    Args((level,)): Args<(Option<f32>,)>,
) -> Option<(String, f32)> {
    let mut faders = mixer.faders.lock().unwrap_or_else(PoisonError::into_inner);
    let at = faders.entry(channel.clone()).or_default();
    match level {
        Some(level) => *at = level,
        None => return Some((format!("/ch/{channel}/mix/fader"), *at)),
    }
    None
}

/// Sends meters to all subscribed remote controls, and moves a fader after 15 seconds.
async fn play(mixer: Arc<Mixer>, outlet: Outlet) -> Result<(), Error> {
    let mut ticks = interval(mixer.second / 2);
    for tick in 0_u8.. {
        ticks.tick().await;
        let blob: Vec<u8> = [1_u32.to_le_bytes(), 0.5_f32.to_le_bytes()].concat();
        for remote in mixer.remembered() {
            outlet.send_to(remote, ("/meters/1", Bytes::from(blob.clone()))).await?;
            if tick == 30 {
                outlet.send_to(remote, ("/ch/02/mix/fader", 0.25_f32)).await?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fader_is_where_it_was_put() {
        let router = router(&Arc::new(Mixer::new(Duration::from_secs(1))));
        assert!(router.call(("/ch/01/mix/fader", 0.75_f32)).await.is_empty());
        let replies = router.call(("/ch/01/mix/fader", ())).await;
        assert_eq!(replies[0].to_string(), "/ch/01/mix/fader ,f 0.75");
    }

    #[tokio::test(start_paused = true)]
    async fn a_remote_control_is_forgotten_after_ten_seconds() {
        let mixer = Arc::new(Mixer::new(Duration::from_secs(1)));
        let report = router(&mixer).call(("/xremote", ())).report().await;
        assert_eq!((report.handled, mixer.remembered()), (1, vec![Peer::LOCAL]));
        tokio::time::advance(Duration::from_secs(11)).await;
        assert!(mixer.remembered().is_empty());
    }

    #[test]
    fn a_meter_blob_is_little_endian() {
        assert_eq!(levels(b"\x01\0\0\0\0\0\0\x3f"), [0.5]);
        assert!(levels(b"\x01").is_empty());
    }
}
