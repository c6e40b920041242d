//! Where to listen and where to send: every form in every constructor, and the error where that fails.
#![cfg(feature = "net")]

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use futures::StreamExt;
use tokio_osc::channel::BindError;
use tokio_osc::client::ClientState;
use tokio_osc::{Broadcast, Channel, Client, Endpoint, Multicast, Slip};

use crate::support::{LOOPBACK, unused_address};

/// The forms of an address.
fn forms(port: u16) -> Vec<Endpoint> {
    let text = format!("127.0.0.1:{port}");
    let address: SocketAddr = text.parse().unwrap();
    vec![
        address.into(),
        (&address).into(),
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into(),
        (Ipv4Addr::LOCALHOST, port).into(),
        (IpAddr::from(Ipv4Addr::LOCALHOST), port).into(),
        ([127, 0, 0, 1], port).into(),
        ("127.0.0.1", port).into(),
        ("localhost", port).into(),
        ("localhost".to_owned(), port).into(),
        text.as_str().into(),
        (&text).into(),
        text.into(),
        [address].as_slice().into(),
    ]
}

#[tokio::test]
async fn every_constructor_takes_every_form() {
    for form in forms(0) {
        let mut udp = Channel::udp(&form).await.unwrap();
        let mut tcp = Channel::tcp(&form, Slip::new()).await.unwrap();
        let (udp_port, tcp_port) = (udp.local_addr().unwrap().port(), tcp.local_addr().unwrap().port());
        for form in forms(udp_port) {
            Client::udp(&form).await.unwrap().send(("/a", ())).await.unwrap();
            udp.next().await.unwrap().0.unwrap();
        }
        let client = Client::tcp(forms(tcp_port).pop().unwrap(), Slip::new()).await.unwrap();
        client.send(("/a", ())).await.unwrap();
        tcp.next().await.unwrap().0.unwrap();
    }
    let port = Channel::udp(LOOPBACK).await.unwrap().local_addr().unwrap().port();
    Multicast::new(("239.1.2.3", port)).interface(Ipv4Addr::LOCALHOST).join().unwrap();
    Broadcast::new(format!("127.255.255.255:{port}")).bind().unwrap();
}

#[tokio::test]
async fn a_url_names_the_transport_of_the_constructor() {
    let channel = Channel::udp("osc.udp://127.0.0.1:0/").await.unwrap();
    let url = format!("osc.udp://{}/", channel.local_addr().unwrap());
    Client::udp(&url).await.unwrap();
    Channel::tcp("osc.tcp+slip://127.0.0.1:0/", Slip::new()).await.unwrap();
    Channel::udp("osc.udp://localhost:0/?family=ipv4").await.unwrap();

    let other = "another transport, or options: open it with `Endpoint::bind` or `Endpoint::client`";
    for (error, url) in [
        (Client::tcp(&url, Slip::new()).await.unwrap_err(), url.as_str()),
        (Channel::udp("osc.tcp://127.0.0.1:0/").await.unwrap_err(), "osc.tcp://127.0.0.1:0/"),
        (Client::udp("127.0.0.1:9?ttl=4").await.unwrap_err(), "osc.udp://127.0.0.1:9/?ttl=4"),
        (Client::udp("osc.unix:///run/osc").await.unwrap_err(), "osc.unix:///run/osc"),
    ] {
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::InvalidInput, format!("`{url}`: {other}")));
    }
}

#[tokio::test]
async fn an_error_of_opening_names_the_transport_and_address() {
    let udp = Channel::udp(LOOPBACK).await.unwrap();
    let tcp = Channel::tcp(LOOPBACK, Slip::new()).await.unwrap();
    let (udp_at, tcp_at) = (udp.local_addr().unwrap(), tcp.local_addr().unwrap());
    let closed = unused_address();

    let says = |error: BindError, kind, text: String| {
        assert_eq!((error.kind(), error.io_error().kind(), error.to_string()), (kind, kind, text.clone()));
        assert_eq!(format!("{error:?}"), text);
        assert!(format!("{error:#?}").starts_with("BindError {"), "{error:#?}");
        assert_eq!(io::Error::from(error).to_string(), text);
    };
    let in_use = ErrorKind::AddrInUse;
    says(
        Channel::udp(udp_at).await.unwrap_err(),
        in_use,
        format!("cannot listen on udp {udp_at}: address already in use"),
    );
    says(
        Channel::tcp(tcp_at, Slip::new()).await.unwrap_err(),
        in_use,
        format!("cannot listen on tcp {tcp_at}: address already in use"),
    );
    says(
        Client::tcp(closed, Slip::new()).await.unwrap_err(),
        ErrorKind::ConnectionRefused,
        format!("cannot connect to tcp {closed}: connection refused: is the other side listening?"),
    );
    says(
        Broadcast::new(("stage.local", 9)).bind().unwrap_err(),
        ErrorKind::InvalidInput,
        "`stage.local:9`: one IP address is needed here, not a name".to_owned(),
    );
    says(
        Multicast::new("nonsense").client().unwrap_err(),
        ErrorKind::InvalidInput,
        "`nonsense` has no port, HOST:PORT is needed".to_owned(),
    );
    let unknown = Client::udp("no.such.host.invalid:9").await.unwrap_err().to_string();
    assert!(unknown.starts_with("cannot find the host `no.such.host.invalid`: "), "{unknown}");
}

#[cfg(unix)]
#[tokio::test]
async fn an_error_of_opening_a_unix_socket_names_the_path() {
    let path = std::env::temp_dir().join(format!("osc-opening-{}", std::process::id()));
    let error = Client::unix(&path, Slip::new()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot connect to unix {}: no such file or directory", path.display())
    );
    let error = Channel::unix_datagram(path.join("a")).unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot listen on unix {}", path.display())), "{error}");
}

#[tokio::test]
async fn a_reconnecting_client_names_the_peer_that_refuses() {
    let closed = unused_address();
    let client = Client::reconnecting(closed, Slip::new()).spawn().unwrap();
    let mut states = client.states();
    let reason = loop {
        if let ClientState::Waiting { reason, .. } = states.next().await.unwrap() {
            break reason;
        }
    };
    let text = format!("cannot connect to tcp {closed}: connection refused: is the other side listening?");
    assert_eq!(reason.to_string(), text);
}

/// As Carla and Non Session Manager write them.
#[tokio::test]
async fn a_path_in_a_url_is_kept_and_printed_and_changes_nothing_else() {
    let channel = Channel::udp("osc.udp://127.0.0.1:0/Carla").await.unwrap();
    let url = format!("osc.udp://{}/Carla", channel.local_addr().unwrap());
    let endpoint: Endpoint = url.parse().unwrap();
    assert_eq!((endpoint.to_string(), endpoint.prefix(), endpoint.path()), (url.clone(), "/Carla", None));
    assert_eq!(endpoint.at(([127, 0, 0, 1], 9).into()).to_string(), "osc.udp://127.0.0.1:9/Carla");
    assert_ne!(endpoint, Endpoint::from(channel.local_addr().unwrap()));
    Client::udp(&url).await.unwrap();
    endpoint.client().await.unwrap();

    for text in [
        "osc.tcp://stage.local:9000/a/b/",
        "osc.tcp+slip://[::1]:9000/Quad%201?end=single",
        "osc.udp://127.0.0.1:9000/Carla?ttl=4",
        "osc.udp://127.0.0.1:9000/",
    ] {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!(endpoint.to_string(), text);
        assert_eq!(endpoint.to_string().parse::<Endpoint>().unwrap(), endpoint);
    }
    assert_eq!("osc.tcp://127.0.0.1:9/Quad%201".parse::<Endpoint>().unwrap().prefix(), "/Quad 1");
    assert_eq!(Endpoint::from("127.0.0.1:9000/").prefix(), "");
    assert!("osc.udp://127.0.0.1:9000/%zz".parse::<Endpoint>().is_err());
}
