//! Whole planes on loopback sockets: they hear, lose and find each other, and vote on checks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base::region::{RegionId, RegionName};
use clock::wall::System;
use health::plane::{Follows, Handle, Place, Plane};
use health::roster::{Member, Roster};
use health_core::check::{
    CheckId, CheckKind, CheckSpec, Checks, EndpointCheck, FailureThreshold, HttpProbe, Interval,
    Protocol, Target,
};
use health_core::judge::{Because, RegionState};
use health_core::prober::Status;
use health_core::seal::Seal;
use health_core::view::HealthView;
use net::dial::Dialer;
use net::tasks::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

const NAMES: [&str; 3] = ["us-east-1", "eu-west-1", "ap-northeast-1"];
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Long enough for a machine that is busy building something else.
const PATIENCE: Duration = Duration::from_mins(1);

struct Region {
    views: watch::Receiver<Arc<HealthView>>,
    handle: Handle,
    address: SocketAddr,
    tasks: Tasks,
}

struct World {
    regions: Vec<Region>,
    roster: watch::Sender<Arc<Roster>>,
    checks: watch::Sender<Arc<Checks>>,
}

fn name(at: usize) -> RegionName {
    RegionName::parse(NAMES[at]).expect("a region")
}

fn id(at: usize) -> RegionId {
    name(at).id()
}

fn bind(at: usize, gossip: SocketAddr, follows: Follows, key: u8) -> Plane {
    let place = Place {
        region: id(at),
        gossip,
        seal: Seal::new("shop", &[key; 32]),
        dialer: Dialer::default(),
    };
    Plane::bind(place, follows, Arc::new(System), &System).expect("a free port")
}

fn start(plane: Plane) -> Region {
    let tasks = Tasks::new();
    Region {
        views: plane.views(),
        address: plane.local_addr(),
        handle: plane.run(&tasks),
        tasks,
    }
}

impl World {
    fn new() -> Self {
        let roster = watch::Sender::new(Arc::new(Roster::default()));
        let checks = watch::Sender::new(Arc::new(Checks::default()));
        let mut world = Self {
            regions: Vec::new(),
            roster,
            checks,
        };
        let free = SocketAddr::new(LOOPBACK, 0);
        let regions = (0..3).map(|at| start(bind(at, free, world.follows(), 1)));
        world.regions = regions.collect();
        let members = world.regions.iter().enumerate().map(|(at, region)| Member {
            region: name(at),
            gossip: region.address,
            endpoint: None,
            address: LOOPBACK,
        });
        world
            .roster
            .send_replace(Arc::new(Roster::new(members.collect())));
        world
    }

    fn follows(&self) -> Follows {
        Follows {
            roster: self.roster.subscribe(),
            checks: self.checks.subscribe(),
        }
    }

    /// Waits until region `at` sees what it should.
    async fn until(&mut self, at: usize, what: &str, holds: impl Fn(&HealthView) -> bool) {
        let views = &mut self.regions[at].views;
        let seen = timeout(PATIENCE, views.wait_for(|view| holds(view)))
            .await
            .map(|view| view.is_ok());
        let last = Arc::clone(&views.borrow());
        assert_eq!(seen, Ok(true), "{what} was never seen; last: {last:#?}");
    }

    async fn all_up(&mut self) {
        for at in 0..3 {
            self.until(at, "everybody up", |view| {
                let up = |at: usize| {
                    view.regions
                        .get(&id(at))
                        .is_some_and(|verdict| verdict.state == RegionState::Up)
                };
                (0..3).all(up) && view.quorum.held
            })
            .await;
        }
    }
}

fn because(view: &HealthView, at: usize) -> &Because {
    &view.regions[&id(at)].because
}

#[tokio::test]
async fn regions_hear_each_other_and_measure_the_way() {
    let mut world = World::new();
    world.all_up().await;
    world
        .until(0, "a measured way", |view| {
            (1..3).all(|at| view.regions[&id(at)].delay.is_some())
        })
        .await;
    let view = Arc::clone(&world.regions[0].views.borrow());
    let delay = view.regions[&id(1)].delay.expect("measured");
    // All three read one clock: their offset is no more than half the way.
    let rtt = i64::try_from(delay.rtt_min.as_micros()).expect("short");
    assert!(delay.offset.0.abs() <= rtt / 2 + 1, "{delay:?}");
}

#[tokio::test]
async fn a_region_whose_task_ends_is_down_by_majority_and_comes_back() {
    let mut world = World::new();
    world.all_up().await;
    let address = world.regions[2].address;
    assert!(world.regions[2].tasks.shutdown(PATIENCE).await);
    for at in 0..2 {
        world
            .until(
                at,
                "the loss",
                |view| matches!(because(view, 2), Because::MissedBy(by) if by.len() == 2),
            )
            .await;
    }
    world.regions[2] = start(bind(2, address, world.follows(), 1));
    world.all_up().await;
}

#[tokio::test]
async fn a_region_that_leaves_is_out_by_its_own_word() {
    let mut world = World::new();
    world.all_up().await;
    world.regions[1].handle.drain().await;
    world
        .until(0, "the draining", |view| {
            *because(view, 1) == Because::Draining
        })
        .await;
    world.regions[1].handle.leave().await;
    for at in [0, 2] {
        world
            .until(at, "the leaving", |view| {
                *because(view, 1) == Because::Leaving && !view.serves(id(1))
            })
            .await;
    }
}

#[tokio::test]
async fn a_region_with_another_key_is_nobody() {
    let mut world = World::new();
    world.all_up().await;
    let address = world.regions[2].address;
    assert!(world.regions[2].tasks.shutdown(PATIENCE).await);
    let stranger = bind(2, address, world.follows(), 2);
    let stats = stranger.stats();
    world.regions[2] = start(stranger);
    world
        .until(0, "the loss", |view| {
            matches!(because(view, 2), Because::MissedBy(_))
        })
        .await;
    world.until(2, "no quorum", |view| !view.quorum.held).await;
    let totals = stats.totals();
    assert_eq!(totals.received, totals.refused);
}

/// Answers 200 to every request until it is told to answer 503.
async fn backend(tasks: &Tasks, status: watch::Receiver<&'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tasks.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            let mut request = [0; 1_024];
            drop(stream.read(&mut request).await);
            let status = *status.borrow();
            let response = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            drop(stream.write_all(response.as_bytes()).await);
        }
    });
    address
}

#[tokio::test]
async fn every_region_probes_and_votes_and_every_region_knows_it() {
    let mut world = World::new();
    let tasks = Tasks::new();
    let status = watch::Sender::new("200 OK");
    let backend = backend(&tasks, status.subscribe()).await;
    let check = CheckId::parse("shop").expect("short");
    let spec = CheckSpec {
        id: check.clone(),
        kind: CheckKind::Endpoint(EndpointCheck {
            protocol: Protocol::Http(HttpProbe::try_new("/health", None).expect("plain")),
            target: Target::Address(backend.ip()),
            port: backend.port(),
            interval: Interval::try_new(Duration::from_millis(100)).expect("allowed"),
            threshold: FailureThreshold::try_new(2).expect("allowed"),
        }),
        inverted: false,
        disabled: false,
    };
    let checks = Checks::try_new(1, vec![Arc::new(spec)]).expect("one check");
    world.checks.send_replace(Arc::new(checks));
    for (line, expect) in [
        ("200 OK", Status::Healthy),
        ("503 no", Status::Unhealthy),
        ("204 No Content", Status::Healthy),
    ] {
        status.send_replace(line);
        for at in 0..3 {
            world
                .until(at, line, |view| {
                    view.checks.get(&check).is_some_and(|verdict| {
                        let voted = verdict.votes.values();
                        verdict.votes.len() == 3
                            && voted.filter(|vote| vote.status == expect).count() == 3
                            && verdict.status == expect
                    })
                })
                .await;
        }
        let view = Arc::clone(&world.regions[0].views.borrow());
        let texts = view.checks[&check].votes.values();
        let code = &line[..3];
        assert!(
            texts
                .map(|vote| vote.last.outcome.to_string())
                .all(|text| text.contains(code)),
            "{view:#?}"
        );
    }
}
