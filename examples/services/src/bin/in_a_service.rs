//! An HTTP server and an OSC server in one process, with shared state, and a lighting console over TCP that receives each
//! change, even after it was switched off and on. Ctrl-C shuts all of it down.
//!
//! ```text
//! cargo run -p tokio-osc-services --bin in_a_service                       tries itself, and ends
//! cargo run -p tokio-osc-services --bin in_a_service -- 127.0.0.1:8080 127.0.0.1:9000 127.0.0.1:3032
//! osc send osc.udp://127.0.0.1:9000/ /fader/3 f 0.5
//! curl http://127.0.0.1:8080/fader/3
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_osc::{Args, Captures, Channel, Client, Message, Router, Server, ServerHandle, Slip, State};

/// The shared state: the faders, and the console that receives their changes.
struct App {
    faders: Mutex<BTreeMap<u32, f32>>,
    console: Client,
}

impl App {
    fn set(&self, n: u32, level: f32) {
        self.faders.lock().unwrap_or_else(PoisonError::into_inner).insert(n, level);
        // It never waits: packets that the console cannot receive now wait in a bounded queue.
        if let Err(error) = self.console.try_send((format!("/fader/{n}"), level)) {
            eprintln!("the console misses fader {n}: {error}");
        }
    }

    fn get(&self, n: u32) -> Option<f32> {
        self.faders.lock().unwrap_or_else(PoisonError::into_inner).get(&n).copied()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [http, osc, console] = args.as_slice() else { return try_itself().await };
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            // The service may have failed already.
            let _ = stop.send(());
        }
    });
    serve(TcpListener::bind(http).await?, Channel::udp(osc).await?, console, stopped).await
}

/// Runs until the shutdown. Then both servers finish their requests.
async fn serve(
    http: TcpListener,
    osc: Channel,
    console: &str,
    stopped: oneshot::Receiver<()>,
) -> Result<(), Box<dyn Error>> {
    println!("http://{}/fader/1", http.local_addr()?);
    println!("osc.udp://{}/fader/1", osc.local_addr()?);
    let console = Client::reconnecting(console, Slip::new()).on_connect(("/hello", "mixer")).spawn()?;
    let app = Arc::new(App { faders: Mutex::default(), console });

    let router = Router::with_shared(Arc::clone(&app)).route("/fader/*", set_fader);
    let osc = Server::new(router).listen("udp", osc).spawn();
    let web =
        axum::Router::new().route("/fader/{n}", get(get_fader).put(put_fader)).with_state(Arc::clone(&app));
    let (stop, http_stopped) = oneshot::channel::<()>();
    let graceful = async move { drop(http_stopped.await) };
    let http = tokio::spawn(axum::serve(http, web).with_graceful_shutdown(graceful).into_future());

    // An error means that nothing can stop it any more.
    stopped.await?;
    drop(stop);
    let stats = osc.shutdown().await;
    println!("the OSC server has stopped, {} messages handled", stats.handled);
    http.await??;
    println!("the HTTP server has stopped");
    if let Err(error) = app.console.close().await {
        eprintln!("the console has not heard everything: {error}");
    }
    Ok(())
}

/// Sets a fader, and replies with its value.
fn set_fader(State(app): State<App>, Captures(n): Captures<u32>, Args(level): Args<f32>) -> (String, f32) {
    app.set(n, level);
    (format!("/fader/{n}"), level)
}

async fn get_fader(Shared(app): Shared<Arc<App>>, Path(n): Path<u32>) -> Result<String, StatusCode> {
    app.get(n).map(|level| level.to_string()).ok_or(StatusCode::NOT_FOUND)
}

async fn put_fader(Shared(app): Shared<Arc<App>>, Path(n): Path<u32>, level: String) -> StatusCode {
    match level.trim().parse() {
        Ok(level) => {
            app.set(n, level);
            StatusCode::NO_CONTENT
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// The service, a console, and a client of both servers, in one program.
async fn try_itself() -> Result<(), Box<dyn Error>> {
    let (http, osc) = (TcpListener::bind("127.0.0.1:0").await?, Channel::udp("127.0.0.1:0").await?);
    let (tell, mut heard) = mpsc::channel(8);
    let channel = Channel::tcp("127.0.0.1:0", Slip::new()).await?;
    let console_at = channel.local_addr()?.to_string();
    let first = console(channel, tell.clone());
    let desk = Client::udp(osc.local_addr()?).await?;
    let web = http.local_addr()?;

    let (stop, stopped) = oneshot::channel();
    let use_it = async {
        desk.request(("/fader/3", 0.5_f32), "/fader/3").await?;
        println!("by HTTP fader 3 is at {}", fetch(web, "/fader/3").await?);
        heard.recv().await;

        first.shutdown().await;
        println!("the console is off; fader 4 moves");
        desk.request(("/fader/4", 0.25_f32), "/fader/4").await?;
        let second = console(Channel::tcp(&*console_at, Slip::new()).await?, tell);
        heard.recv().await;
        // The service has not failed: it would not answer.
        let _ = stop.send(());
        Ok::<_, Box<dyn Error>>(second)
    };
    let (served, console) = tokio::join!(serve(http, osc, &console_at, stopped), use_it);
    console?.shutdown().await;
    served
}

/// A console that prints its messages.
fn console(channel: Channel, heard: mpsc::Sender<()>) -> ServerHandle {
    let router = Router::with_state(heard)
        .route("/hello", || println!("the console is on, and the service is there"))
        .route("/fader/*", |heard: State<mpsc::Sender<()>>, message: Message| {
            println!("the console hears {message}");
            // The receiver may be gone.
            let _ = heard.try_send(());
        });
    Server::new(router).listen("tcp", channel).spawn()
}

async fn fetch(http: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(http).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.rsplit("\r\n").next().unwrap_or_default().to_owned())
}
