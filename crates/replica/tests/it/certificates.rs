//! Links and certificates: who is let in, who is refused with which words, and what is left alone.
//!
//! What TLS itself decides is tested beside `net::tls::mutual`.

use std::sync::Arc;

use base::region::RegionName;
use bytes::BytesMut;
use clock::port::Clock;
use clock::time::WallTime;
use clock::wall::System;
use net::authority::{Authority, Leaf, Validity};
use net::tls::mutual::{Mutual, mutual};
use replica::greeting::{PROTOCOLS, certificate_name};
use replica::status::PeerStatus;
use replica_core::frame::Frame;
use replica_core::frame::greeting::Refusal;
use replica_core::link::handshake::{Dialled, Directory, Identity};
use replica_core::vector::Seq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::world::{World, patiently};

const HOUR: i64 = 3_600;

/// Makes what a region's links show, by the authority of this number, valid from and to these
/// seconds from now.
fn certificate(authority: u8, region: &str, (from, to): (i64, i64)) -> Arc<Mutual> {
    let authority = Authority::from_seed("shop", &[authority; 32]).expect("made");
    let now = System.wall().as_micros();
    let at = |secs: i64| WallTime::from_micros(now + secs * 1_000_000);
    let leaf = Leaf {
        subject: region.to_owned(),
        names: vec![certificate_name(&name(region))],
        validity: Some(Validity {
            from: at(from),
            to: at(to),
        }),
    };
    let mut own = authority.issue(&leaf).expect("signed");
    own.cert.push(authority.certificate().clone());
    let made = mutual(own, authority.certificate(), &PROTOCOLS, Arc::new(System));
    Arc::new(made.expect("configured"))
}

/// Makes what a region's links show that are as they should be.
pub(crate) fn certified(region: &RegionName) -> watch::Receiver<Arc<Mutual>> {
    watch::channel(certificate(1, region.as_str(), (-HOUR, HOUR))).1
}

fn name(text: &str) -> RegionName {
    RegionName::parse(text).expect("a region name")
}

fn problem(peer: &PeerStatus) -> String {
    peer.sending.line.problem.clone().unwrap_or_default()
}

/// Starts two regions, the second of which shows `shown`, and checks what each says of the other,
/// and that nothing passes.
async fn refused(shown: Arc<Mutual>, by_first: &str, by_second: &str) {
    let world = World::start_with(2, |number, config| {
        if number == 1 {
            config.tls = watch::channel(Arc::clone(&shown)).1;
        }
    });
    let world = world.await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.put("ann", "tea", "1").await;
    b.put("bob", "tea", "1").await;
    a.until(b, |peer| problem(peer).contains(by_first)).await;
    b.until(a, |peer| problem(peer).contains(by_second)).await;
    for (region, other) in [(a, b), (b, a)] {
        assert_eq!(region.tables.applied().at(other.id()), Seq(0));
        assert_eq!(region.tables.met(other.id()), None);
        assert!(!region.status(other).receiving.line.is_up());
    }
}

#[tokio::test]
async fn another_authority_is_refused_by_both() {
    let foreign = certificate(9, "eu-west-1", (-HOUR, HOUR));
    let words = "was not signed by this project's authority";
    refused(foreign, words, words).await;
}

#[tokio::test]
async fn a_certificate_of_another_region_is_refused_by_both() {
    let other = certificate(1, "ap-northeast-1", (-HOUR, HOUR));
    let dialled = "is for DnsName(\"ap-northeast-1.link.hither.internal\"), not for \
                   eu-west-1.link.hither.internal";
    refused(
        other,
        dialled,
        "its certificate is not that of region eu-west-1",
    )
    .await;
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused_as_such() {
    let late = certificate(1, "eu-west-1", (-9 * HOUR, -3 * HOUR));
    let told = "our certificate does not count at this time: a clock is wrong";
    refused(late, "its certificate counts no more since 108", told).await;
    let early = certificate(1, "eu-west-1", (3 * HOUR, 9 * HOUR));
    refused(early, "one of the two clocks is wrong", told).await;
}

#[tokio::test]
async fn another_project_of_the_same_authority_is_refused() {
    let world = World::start_with(2, |number, config| {
        config.project.push_str(["", "2"][number]);
    });
    let world = world.await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.until(b, |peer| problem(peer).contains("another project"))
        .await;
    assert_eq!(a.tables.met(b.id()), None);
}

#[tokio::test]
async fn what_does_not_speak_tls_is_hung_up_on_and_changes_nothing() {
    let world = World::start(2).await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.until(b, |peer| peer.sending.line.is_up()).await;
    let garbage: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        &[0xff; 4096],
        &[0; 64],
        &[0, 0, 0, 9, 99, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        &[22, 3, 1, 0, 5, 1, 2, 3, 4, 5],
    ];
    for bytes in garbage {
        let mut stream = TcpStream::connect(world.addresses[0])
            .await
            .expect("connected");
        stream.write_all(bytes).await.expect("written");
        let mut answer = Vec::new();
        let _reset = patiently(stream.read_to_end(&mut answer)).await;
        assert!(answer.len() < 16, "an alert at most: {answer:?}");
    }
    assert!(
        a.status(b).receiving.line.is_up(),
        "the links are as before"
    );
    b.put("ann", "tea", "1").await;
    a.until_applied(b).await;
}

#[tokio::test]
async fn a_build_without_tls_is_told_the_formats_in_its_own_words() {
    let world = World::start(1).await;
    let older = Identity::new("shop", name("eu-west-1"), Directory::default()).with_formats(3..=3);
    let (_, hello) = Dialled::begin(&older, name("us-east-1"));
    let mut stream = TcpStream::connect(world.addresses[0])
        .await
        .expect("connected");
    let mut bytes = BytesMut::new();
    hello.encode(&mut bytes);
    stream.write_all(&bytes).await.expect("written");
    let mut answer = BytesMut::new();
    while patiently(stream.read_buf(&mut answer)).await.expect("read") > 0 {}
    let refusal = Refusal::Format { min: 5, max: 6 };
    let told = Frame::take(&mut answer, 1_024).expect("a frame");
    assert_eq!(told, Some(Frame::Refuse(refusal)));
    assert_eq!(world.regions[0].tables.met(name("eu-west-1").id()), None);
}

#[tokio::test]
async fn a_renewed_certificate_is_for_the_next_connection() {
    let (renewing, renewed) = watch::channel(certificate(1, "eu-west-1", (-HOUR, HOUR)));
    let world = World::start_with(2, |number, config| {
        if number == 1 {
            config.tls = renewed.clone();
        }
    });
    let world = world.await;
    let (a, b) = (&world.regions[0], &world.regions[1]);
    a.until(b, |peer| peer.sending.line.is_up()).await;
    b.until(a, |peer| peer.sending.line.is_up()).await;
    renewing.send_replace(certificate(9, "eu-west-1", (-HOUR, HOUR)));
    a.put("ann", "tea", "1").await;
    b.until_applied(a).await;
    b.put("ann", "tea", "2").await;
    a.until_applied(b).await;
    let is_up = |peer: &PeerStatus| peer.sending.line.is_up() && peer.receiving.line.is_up();
    assert!(
        is_up(&a.status(b)) && is_up(&b.status(a)),
        "no link was dropped"
    );
    world.break_links(0, 1);
    a.until(b, |peer| !peer.sending.line.is_up()).await;
    world.heal_links(0, 1);
    a.until(b, |peer| problem(peer).contains("this project's authority"))
        .await;
    renewing.send_replace(certificate(1, "eu-west-1", (-HOUR, HOUR)));
    a.put("ann", "tea", "3").await;
    b.until_applied(a).await;
}

#[tokio::test]
async fn a_handshake_that_stands_still_is_ended() {
    let world = World::start(1).await;
    let mut stream = TcpStream::connect(world.addresses[0])
        .await
        .expect("connected");
    stream.write_all(&[22, 3, 1]).await.expect("written");
    let read = patiently(stream.read(&mut [0; 1])).await;
    assert!(!matches!(read, Ok(1..)), "it is hung up on: {read:?}");
}
