//! OSC over a byte stream of your own: here a pipe within the process, and a Unix socket. A serial
//! port works alike.
//!
//! ```text
//! cargo run --example own_transport
//! ```

use tokio_osc::{Args, Channel, Client, LengthPrefix, Router, Server, Slip};

fn router() -> Router {
    Router::new().route("/add", |Args((a, b)): Args<(i32, i32)>| ("/sum", a + b))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (here, there) = tokio::io::duplex(1_024);
    let server = Server::new(router()).listen("pipe", Channel::io(here, LengthPrefix::new())).spawn();
    let client = Client::io(there, LengthPrefix::new());
    println!("over a pipe:        {}", client.request(("/add", (1, 2)), "/sum").await?);
    server.shutdown().await;

    #[cfg(unix)]
    {
        let path = std::env::temp_dir().join(format!("own-transport-{}.sock", std::process::id()));
        let server = Server::new(router()).listen("unix", Channel::unix(&path, Slip::new())?).spawn();
        let client = Client::unix(&path, Slip::new()).await?;
        println!("over a Unix socket: {}", client.request(("/add", (3, 4)), "/sum").await?);
        server.shutdown().await;
        std::fs::remove_file(path)?;
    }
    Ok(())
}
