//! One process, an HTTP server and an OSC server, sharing state; Ctrl-C shuts both down gracefully.
//!
//! ```text
//! cargo run --example in_a_service -- 127.0.0.1:8080 127.0.0.1:9000
//! osc send osc.udp://127.0.0.1:9000/ /fader/3 f 0.5
//! curl http://127.0.0.1:8080/fader/3
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_osc::{Args, Captures, Channel, Router, Server, State};

/// What both know: the faders of a mixer.
#[derive(Debug, Default)]
struct Faders(Mutex<BTreeMap<u32, f32>>);

impl Faders {
    fn set(&self, n: u32, level: f32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(n, level);
    }

    fn get(&self, n: u32) -> Option<f32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&n).copied()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut address = || args.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let faders = Arc::new(Faders::default());

    let http = TcpListener::bind(address()).await?;
    println!("http://{}/fader/1", http.local_addr()?);
    let osc = Channel::udp(address()).await?;
    println!("osc.udp://{}/fader/1", osc.local_addr()?);

    let router = Router::with_state(Arc::clone(&faders)).route("/fader/*", set_fader);
    let osc = Server::new(router).listen("udp", osc).spawn();

    let app = axum::Router::new().route("/fader/{n}", get(get_fader).put(put_fader)).with_state(faders);
    let (stop, mut stopped) = watch::channel(false);
    let graceful = async move { drop(stopped.wait_for(|stop| *stop).await) };
    let http = tokio::spawn(axum::serve(http, app).with_graceful_shutdown(graceful).into_future());

    tokio::signal::ctrl_c().await?;
    stop.send_replace(true);
    let stats = osc.shutdown().await;
    println!("the OSC server has stopped, {} messages handled", stats.handled);
    http.await??;
    println!("the HTTP server has stopped");
    Ok(())
}

/// The answer tells the sender what is set now.
async fn set_fader(
    State(faders): State<Arc<Faders>>,
    Captures(n): Captures<u32>,
    Args(level): Args<f32>,
) -> (String, f32) {
    faders.set(n, level);
    (format!("/fader/{n}"), level)
}

async fn get_fader(Shared(faders): Shared<Arc<Faders>>, Path(n): Path<u32>) -> Result<String, StatusCode> {
    faders.get(n).map(|level| level.to_string()).ok_or(StatusCode::NOT_FOUND)
}

async fn put_fader(Shared(faders): Shared<Arc<Faders>>, Path(n): Path<u32>, level: String) -> StatusCode {
    match level.trim().parse() {
        Ok(level) => {
            faders.set(n, level);
            StatusCode::NO_CONTENT
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}
