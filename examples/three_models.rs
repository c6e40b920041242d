//! Three ways to run the same instrument: everything in the caller's loop; I/O in the background and handlers where the
//! owner polls; everything in the background. It runs each, prints which thread ran what, and ends.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_osc::dispatch::{Inbox, Lane};
use tokio_osc::packet::Overflow;
use tokio_osc::tools::FrameLoop;
use tokio_osc::{Args, Bundle, Captures, Channel, Client, Router, Server, ServerHandle, State, TimeTag, on};

const FRAME: Duration = Duration::from_micros(16_667);
const BUDGET: Duration = Duration::from_millis(2);

fn main() -> Result<(), Box<dyn Error>> {
    in_the_callers_loop()?;
    handlers_where_the_owner_polls()?;
    in_the_background()
}

/// Like osc4py3's `as_eventloop`: everything on this thread.
fn in_the_callers_loop() -> Result<(), Box<dyn Error>> {
    println!("1. Everything in the caller's loop: FrameLoop");
    let mut frames = FrameLoop::new()?;
    let main = thread::current().id();
    let voice = move |Captures(n): Captures<u8>, Args(hz): Args<f32>| {
        println!("   voice {n}: {hz} Hz, {}", whose(main));
    };
    let (server, client) = frames.block_on(serve(Router::new().route("/synth/*/freq", voice)))??;
    for frame in 0..8_u8 {
        if frame == 0 {
            client.try_send(("/synth/1/freq", 440.0_f32))?;
            client.try_send(Bundle::at(TimeTag::after(FRAME * 5)).with(("/synth/2/freq", 220.0_f32)))?;
        }
        let progress = frames.process(BUDGET)?;
        println!("   frame {frame}: {} turns of tasks", progress.steps);
        thread::sleep(FRAME); // here the frame would be drawn
    }
    print!("{}", frames.block_on(server.shutdown())?);
    Ok(())
}

/// Like osc4py3's `as_comthreads`: sockets and time tags in the background, handlers in `process`.
fn handlers_where_the_owner_polls() -> Result<(), Box<dyn Error>> {
    println!("2. I/O in the background, handlers where the owner polls: Inbox");
    let main = thread::current().id();
    let mut inbox = Inbox::new(1_024).overflow(Overflow::DropOldest);
    let voice = inbox.on(move |synth: &mut Synth, Captures(n): Captures<usize>, Args(hz): Args<f32>| {
        println!("   voice {n}: {hz} Hz, {}", whose(main));
        if let Some(pitch) = synth.pitch.get_mut(n) {
            *pitch = hz;
        }
    });
    let runtime = Runtime::new()?;
    let (server, client) = runtime.block_on(serve(Router::new().route("/synth/*/freq", voice)))?;
    runtime.block_on(client.send(("/synth/1/freq", 440.0_f32)))?;
    let later = Bundle::at(TimeTag::after(FRAME * 5)).with(("/synth/2/freq", 220.0_f32));
    runtime.block_on(client.send(later))?;
    let mut synth = Synth::default();
    for frame in 0..8_u8 {
        let progress = inbox.process(&mut synth, BUDGET);
        println!("   frame {frame}: {} calls", progress.steps);
        thread::sleep(FRAME);
    }
    println!("   the synth plays {:?}", synth.pitch);
    print!("{}", runtime.block_on(server.shutdown()));
    Ok(())
}

/// It belongs to the main thread, and needs neither a lock nor an `Arc`.
#[derive(Debug, Default)]
struct Synth {
    pitch: [f32; 4],
}

/// Like osc4py3's `as_allthreads`, with `execthreadscount` 0, 1 and 4.
fn in_the_background() -> Result<(), Box<dyn Error>> {
    println!("3. Everything in the background: spawn");
    let main = thread::current().id();
    let one_at_a_time = Lane::new(256);
    let router = Router::with_state(AtomicU32::new(0))
        .route("/synth/*/freq", move |State(hits): State<AtomicU32>, Args(hz): Args<f32>| {
            hits.fetch_add(1, Relaxed);
            println!("   inline, before the next message: {hz} Hz, {}", whose(main));
        })
        .route(
            "/disk/save",
            on(async |Args(name): Args<String>| {
                tokio::time::sleep(FRAME).await;
                println!("   in a lane, one at a time: saved {name}");
            })
            .on_lane(&one_at_a_time),
        )
        .route(
            "/web/get",
            on(async |Args(what): Args<String>| {
                tokio::time::sleep(FRAME).await;
                println!("   four at a time, in any order: got {what}");
            })
            .concurrent(4),
        );
    Runtime::new()?.block_on(async {
        let (server, client) = serve(router).await?;
        for name in ["a", "b"] {
            client.send(("/disk/save", name)).await?;
            client.send(("/web/get", name)).await?;
            client.send(("/synth/1/freq", 440.0_f32)).await?;
        }
        while server.stats().handled < 6 {
            tokio::time::sleep(FRAME).await;
        }
        print!("{}", server.shutdown().await);
        Ok(())
    })
}

/// A server on a port of its own, and a client of it.
async fn serve<S: Send + Sync + 'static>(
    router: Router<S>,
) -> Result<(ServerHandle, Client), Box<dyn Error>> {
    let channel = Channel::udp("127.0.0.1:0").await?;
    let client = Client::udp(channel.local_addr()?).await?;
    Ok((Server::new(router).listen("udp", channel).spawn(), client))
}

fn whose(main: ThreadId) -> &'static str {
    if thread::current().id() == main { "on the main thread" } else { "on another thread" }
}
