//! Machines that join with a token: who is given the project's key, and who is told why not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::region::RegionName;
use clock::port::Clock;
use clock::wall::System;
use net::authority::Authority;
use net::tls::mutual::Fault;
use net::tls::pinned::Pin;
use replica::joining::invitations::Welcome;
use replica::joining::token::Token;
use replica::joining::{JoinError, join};
use replica::links::Links;
use store::memory::MemStore;

use crate::world::{World, patiently};

const SECRET: [u8; 32] = [5; 32];

fn name(text: &str) -> RegionName {
    RegionName::parse(text).expect("a region name")
}

/// Invites Ireland, and returns a token that says so.
fn invite(world: &World, links: &Links<MemStore>, life: Duration) -> Token {
    let guest = name("eu-west-1");
    let invitations = links.invitations();
    invitations.invite(System.now(), guest.clone(), life, SECRET);
    let authority = Authority::from_seed("shop", &[1; 32]).expect("made");
    Token {
        authority: Pin::of(authority.certificate()),
        secret: SECRET,
        host: name("us-east-1"),
        guest,
        address: world.addresses[0].to_string(),
    }
}

async fn come(token: &Token, address: SocketAddr) -> Result<Welcome, JoinError> {
    join(token, address, Arc::new(System)).await
}

fn refusal(joined: Result<impl Sized, JoinError>) -> String {
    match joined {
        Err(JoinError::Refused { words, .. }) => words,
        Err(other) => panic!("it is no refusal: {other}"),
        Ok(_) => panic!("it was let in"),
    }
}

#[tokio::test]
async fn a_token_gives_the_key_once() {
    let world = World::start(2).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    let token = invite(&world, &a.links, Duration::from_mins(1));
    let wrong = Token {
        secret: [6; 32],
        ..token.clone()
    };
    let words = refusal(patiently(come(&wrong, world.addresses[0])).await);
    assert!(words.contains("does not count here"), "{words}");
    let welcome = patiently(come(&token, world.addresses[0])).await;
    let welcome = welcome.expect("let in");
    assert_eq!((welcome.project.as_str(), welcome.key), ("shop", [1; 32]));
    let words = refusal(patiently(come(&token, world.addresses[0])).await);
    assert!(words.contains("it was used"), "{words}");
    // Links are as they were.
    a.put("ann", "tea", "1").await;
    b.until_applied(a).await;
}

#[tokio::test]
async fn a_token_ends() {
    let world = World::start(1).await;
    let token = invite(&world, &world.regions[0].links, Duration::ZERO);
    let words = refusal(patiently(come(&token, world.addresses[0])).await);
    assert_eq!(words, "the token's time is over: make another");
}

#[tokio::test]
async fn whoever_answers_in_the_regions_place_hears_no_secret() {
    let world = World::start(2).await;
    let links = &world.regions[0].links;
    let token = invite(&world, links, Duration::from_mins(1));
    // Another project's authority.
    let other = Authority::from_seed("shop", &[2; 32]).expect("made");
    let pinned = Token {
        authority: Pin::of(other.certificate()),
        ..token.clone()
    };
    let joined = patiently(come(&pinned, world.addresses[0])).await;
    assert!(
        matches!(
            &joined,
            Err(JoinError::Other {
                fault: Fault::Authority,
                ..
            })
        ),
        "{joined:?}"
    );
    // Another region of the same project.
    let joined = patiently(come(&token, world.addresses[1])).await;
    assert!(
        matches!(
            &joined,
            Err(JoinError::Other {
                fault: Fault::Name { .. },
                ..
            })
        ),
        "{joined:?}"
    );
    let joined = patiently(come(&token, world.addresses[0])).await;
    assert!(joined.is_ok(), "the token was not used up: {joined:?}");
}

#[tokio::test]
async fn a_token_alone_opens_no_link() {
    let world = World::start(1).await;
    let token = invite(&world, &world.regions[0].links, Duration::from_mins(1));
    // Who says that it joins, and then speaks as a peer would.
    let config = net::tls::pinned::client(token.authority, b"hither-join", Arc::new(System));
    let config = config.expect("configured");
    let stream = tokio::net::TcpStream::connect(world.addresses[0]).await;
    let domain = rustls::pki_types::ServerName::try_from("us-east-1.link.hither.internal");
    let connector = tokio_rustls::TlsConnector::from(config);
    let stream = connector.connect(domain.expect("a name"), stream.expect("connected"));
    let mut stream = patiently(stream).await.expect("TLS stands");
    let said = [b"\x00\x00\x00\x40hthr".as_slice(), &[0; 400]].concat();
    let mut heard = Vec::new();
    patiently(async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        stream.write_all(&said).await.expect("written");
        stream.shutdown().await.expect("ended");
        // Hung up on, or told: no frame of a link.
        let _ended = stream.read_to_end(&mut heard).await;
    })
    .await;
    assert_eq!(heard.get(..2), Some([1, 1].as_slice()), "{heard:?}");
    let words = String::from_utf8_lossy(&heard[3..]);
    assert!(words.contains("it joins in format 0"), "{words}");
}
