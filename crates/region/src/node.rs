//! A node: all parts of one region in one process.
//!
//! It starts them in the order in which they need each other, and stops them in reverse.
//!
//! ```text
//! store ─► tables ─► control ─► snapshots ─► health · dns · functions · gateway · API endpoint
//!                └─► links ◄─────────────────────┘ reach
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use base::name::TableId;
use clock::port::{Clock, Entropy};
use clock::wall::System;
use control::access::directory::Directory;
use control::control::{Control, ControlError, Reach};
use function::host::{Host, HostConfig};
use function::spec::Surroundings;
use gateway::gateway::{Addresses, Drained, Gateway, Parts};
use health::plane::{Follows, Handle, Place, Plane};
use health_core::seal::Seal;
use health_core::view::HealthView;
use net::dial::Dialer;
use net::listen;
use net::tasks::Tasks;
use net::tls::{self, Alpn, Trust};
use replica::links::{self, Links};
use replica::status::LinkStatus;
use replica_core::link::copies::Fill;
use rustls::RootCertStore;
use store::port::{BUFFERED_MAX, Durability, StoreError};
use store_fjall::engine::{FjallStore, Memory};
use table::tables::{OpenError, Tables};

use crate::admin::Admin;
use crate::bodies::Room;
use crate::buckets;
use crate::config::{self, Access, NodeConfig};
use crate::credentials;
use crate::draining::{self, UnderWay};
use crate::expiry;
use crate::forward::Forwarder;
use crate::identity;
use crate::limits::{DRAIN_GRACE, DRAIN_LEAST, INTRODUCTION_LOOK};
use crate::ports::{self, Code};
use crate::retention;
use crate::server::{self, Endpoint};
use crate::sessions;
use crate::views::{self, DnsViews, GatewayViews};

/// A running node.
pub struct Node {
    api: SocketAddr,
    tasks: Arc<Tasks>,
    /// Ends after all else: what stops still writes.
    base: Arc<Tasks>,
    gateway: Gateway,
    functions: Host,
    health: Handle,
    links: Links<FjallStore>,
    failure: watch::Receiver<Option<Failure>>,
}

/// Why a node must not serve on: others serve what this region would refuse, or lose.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// Its store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its data is not what the other regions know.
    #[error(transparent)]
    Data(#[from] replica::status::Failure),
}

/// A node could not be started. Nothing of it is left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Directory(#[from] store_fjall::directory::DirectoryError),
    /// The tables cannot be read.
    #[error(transparent)]
    Tables(#[from] OpenError),
    /// The resources cannot be read.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// An address is taken or not this machine's.
    #[error(transparent)]
    Bind(#[from] listen::BindError),
    /// The DNS server cannot start.
    #[error(transparent)]
    Dns(#[from] dns::server::StartError),
    /// The gateway cannot start.
    #[error(transparent)]
    Gateway(#[from] gateway::gateway::StartError),
    /// The health plane cannot start.
    #[error(transparent)]
    Health(#[from] health::plane::StartError),
    /// Functions cannot run.
    #[error(transparent)]
    Functions(#[from] function::code::PrepareError),
    /// The node's certificate cannot be made.
    #[error(transparent)]
    Identity(#[from] identity::IdentityError),
    /// TLS cannot be had.
    #[error("set up TLS")]
    Tls(#[from] rustls::Error),
    /// The roots that backends are verified by cannot be read.
    #[error("use the system's roots")]
    Certificate(#[from] tls::CertificateError),
    /// Development mode was asked for where others could reach it.
    #[error(
        "serve the AWS APIs on {0} without credentials: that is for loopback only; start with \
         --credentials FILE, or listen on 127.0.0.1"
    )]
    OpenDoor(SocketAddr),
}

impl Node {
    /// Starts every part and returns once all of them serve.
    ///
    /// Errors: [`StartError`].
    pub async fn start(config: NodeConfig) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(System);
        let entropy: Arc<dyn Entropy> = Arc::new(System);
        check_door(&config)?;
        let own = config.project.own().clone();
        // Bound first: a taken port is told before anything is opened.
        let api = listen::tcp(own.api)?;
        let second = config.dynamodb.map(listen::tcp).transpose()?;
        let store = open_store(&config)?;
        let (base, tasks) = (Arc::new(Tasks::new()), Arc::new(Tasks::new()));
        let (told, failure) = watch::channel(None);
        watch_over(&store, &base, told.clone());
        let commits = store.commits();
        let (control, reach) = open_control(store, &config, &clock, &entropy).await?;
        let following = control.clone();
        base.spawn(async move { following.follow().await });
        start_keeping(&config, &control, &clock, &tasks);

        let (plane, health) = start_health(&config, &control, &clock, &entropy, &tasks)?;
        let chance = (&clock, &entropy);
        let links = start_links(&config, &control, (reach, &health), chance, &base)?;
        tasks.spawn(views::doubt_broken(links.status(), plane.clone()));
        watch_links(links.status(), &base, told);
        let dns = start_dns(&own, &control, &health, entropy.as_ref(), &tasks)?;
        let functions = start_functions(&config, &control, &clock, &entropy, &tasks)?;
        let gateway = start_gateway(
            &config,
            (&control, &health),
            (&clock, &entropy),
            &functions,
            &tasks,
        )?;
        let directory = follow_directory(&control, &tasks);
        let live = (ports::live(&health, dns.views.clone()), links.delays());
        let status = crate::status::Sources {
            control: control.clone(),
            health,
            links: links.status(),
            dns,
            functions: functions.clone(),
            comparer: links.comparer(),
            invitations: links.invitations(),
            commits,
            failure: failure.clone(),
            under_way: UnderWay::new(gateway.counts()),
        };
        let facades = ports::facades(&config, &control, &functions, live, &clock);
        let endpoint = Arc::new(Endpoint {
            seen: sessions::seen(&control, &status.health),
            front: ports::front(&config, directory, Arc::clone(&clock), entropy.as_ref()),
            region: config.project.region.clone(),
            forwarder: forwarder(&config),
            admin: Admin::new(status, &facades.dynamodb, &config, (&clock, &entropy)),
            facades,
            room: Room::new(),
        });
        server::serve([Some(api), second], &endpoint, &tasks);
        tracing::info!(region = %config.project.region, api = %own.api, "serving");
        Ok(Self {
            api: own.api,
            tasks,
            base,
            gateway,
            functions,
            health: plane,
            links,
            failure,
        })
    }

    /// Returns where the AWS APIs answer.
    pub fn api(&self) -> SocketAddr {
        self.api
    }

    /// Waits until the node's store has failed, to write or to read, or its data turns out not to
    /// be what the other regions know, and returns why.
    ///
    /// It is to be stopped then.
    pub async fn failed(&self) -> Failure {
        let mut failure = self.failure.clone();
        match failure.wait_for(Option::is_some).await {
            Ok(found) => found.clone().unwrap_or(Failure::Store(StoreError::Closed)),
            Err(_) => std::future::pending().await,
        }
    }

    /// Stops: tells the others, drains requests, then the functions, then the links.
    ///
    /// Returns whether all requests were answered in time.
    pub async fn stop(self) -> bool {
        let has_failed = self.failure.borrow().is_some();
        let deadline = tokio::time::Instant::now() + DRAIN_GRACE;
        // Whatever comes late in the order has a moment even where the time is up.
        let left = || (deadline - tokio::time::Instant::now()).max(DRAIN_LEAST);
        self.health.leave().await;
        let drained = self.gateway.drain(left()).await == Drained::Clean;
        let answered = self.functions.shutdown(left()).await;
        let ended = self.tasks.shutdown(left()).await;
        // What a failed store did not take will never reach the others.
        let grace = if has_failed { Duration::ZERO } else { left() };
        self.links.drain(grace).await;
        self.base.shutdown(left()).await;
        drained && answered && ended
    }
}

fn check_door(config: &NodeConfig) -> Result<(), StartError> {
    let doors = [Some(config.project.own().api), config.dynamodb];
    let open = doors
        .into_iter()
        .flatten()
        .find(|door| !door.ip().is_loopback());
    match (open, &config.access) {
        (Some(door), Access::Development) => Err(StartError::OpenDoor(door)),
        (Some(_) | None, Access::Keys(_)) | (None, Access::Development) => Ok(()),
    }
}

type Failed = watch::Sender<Option<Failure>>;

/// Watches for the store's failure.
fn watch_over(store: &FjallStore, tasks: &Tasks, told: Failed) {
    let failed = store.failed();
    tasks.spawn(async move {
        let error = failed.await;
        tracing::error!(%error, "the region's store has failed");
        told.send_replace(Some(error.into()));
    });
}

/// Watches for what other regions say of this region's data.
fn watch_links(mut links: watch::Receiver<Arc<LinkStatus>>, tasks: &Tasks, told: Failed) {
    tasks.spawn(async move {
        let failed = links.wait_for(|links| links.failure.is_some()).await;
        let failure = failed.ok().and_then(|links| links.failure.clone());
        if let Some(failure) = failure {
            told.send_replace(Some(failure.into()));
        }
    });
}

/// Opens what the node keeps its data in, with the memory that it may take.
fn open_store(config: &NodeConfig) -> Result<FjallStore, StartError> {
    let memory = Memory {
        cache: config.cache,
        ..Memory::default()
    };
    Ok(FjallStore::open(&config.data_dir.join("data"), memory)?)
}

/// Opens the tables in a store, and the resources in them.
async fn open_control(
    store: FjallStore,
    config: &NodeConfig,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<(Control<FjallStore>, watch::Sender<Arc<Reach>>), StartError> {
    let regions = config.project.regions.iter();
    let options = table::tables::Options {
        region: config.project.region.id(),
        members: regions.map(|region| region.name.id()).collect(),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        durability: match config.durability {
            config::Durability::Disk => Durability::Disk,
            config::Durability::Async => Durability::Buffered,
        },
    };
    if options.durability == Durability::Buffered {
        tracing::warn!(
            "durability is async: writes are acknowledged before they are on disk, and a power \
             loss takes those of the last {} ms",
            BUFFERED_MAX.as_millis()
        );
    }
    let tables = Tables::open(store, options).await?;
    let (reach, reached) = watch::channel(Arc::<Reach>::default());
    let options = control::control::Options {
        project: config.project.clone(),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        reach: reached,
    };
    Ok((Control::open(tables, options).await?, reach))
}

fn forwarder(config: &NodeConfig) -> Forwarder {
    let endpoints = views::endpoints(&config.project);
    Forwarder::new(endpoints, config.dialer.clone(), &config.project.key)
}

/// Starts what removes old items and races, and writes exports.
fn start_keeping(
    config: &NodeConfig,
    control: &Control<FjallStore>,
    clock: &Arc<dyn Clock>,
    tasks: &Arc<Tasks>,
) {
    retention::start(tasks, control.tables(), clock);
    expiry::start(tasks, control.tables(), clock);
    buckets::start(tasks, control, &config.data_dir);
}

/// Returns the dialer for targets that users name: integrations and health checks.
///
/// Where callers must sign, they may not reach what listens on this machine alone. A project on
/// loopback has nowhere else to be.
fn dialer_for_users(config: &NodeConfig) -> Dialer {
    let mut addresses = config
        .project
        .regions
        .iter()
        .flat_map(|region| &region.addresses);
    let on_loopback = addresses.any(std::net::IpAddr::is_loopback);
    match config.access {
        Access::Keys(_) if !on_loopback => config.dialer.clone().guarded(),
        Access::Keys(_) | Access::Development => config.dialer.clone(),
    }
}

type Health = watch::Receiver<Arc<HealthView>>;

fn start_health(
    config: &NodeConfig,
    control: &Control<FjallStore>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    tasks: &Tasks,
) -> Result<(Handle, Health), StartError> {
    let roster = Arc::new(views::roster(&config.project));
    let (keep, roster) = watch::channel(roster);
    let follower = control.follower();
    let first = views::checks(control, 1).unwrap_or_default();
    let (sender, checks) = watch::channel(Arc::new(first));
    let mut generation = 1;
    let source = control.clone();
    views::follow(tasks, follower, sender, move || {
        // The roster is fixed while a node runs; its sender lives as long as this task.
        let _ = &keep;
        generation += 1;
        views::checks(&source, generation)
    });
    let place = Place {
        region: config.project.region.id(),
        gossip: config.project.own().gossip,
        seal: Seal::new(&config.project.name, &config.project.key.0),
        dialer: dialer_for_users(config),
    };
    let follows = Follows { roster, checks };
    let plane = Plane::bind(place, follows, Arc::clone(clock), entropy.as_ref())?;
    let views = plane.views();
    let plane = plane.run(tasks);
    draining::start(tasks, control, &plane);
    Ok((plane, views))
}

/// Follows whether what all regions share has come here: which replicas are to be filled cannot be
/// said before, and no resource changes when it has.
fn follow_introduction(control: &Control<FjallStore>, tasks: &Arc<Tasks>) -> watch::Receiver<bool> {
    let tables = control.tables().clone();
    let (told, introduced) = watch::channel(tables.is_introduced());
    tasks.spawn(async move {
        loop {
            let mut progress = tables.progress();
            while !tables.is_introduced() {
                if progress.changed().await.is_err() {
                    return;
                }
            }
            told.send_if_modified(|told| !std::mem::replace(told, true));
            // Seldom: a directory that takes a lost one's place after it has heard from a peer.
            while tables.is_introduced() {
                tokio::time::sleep(INTRODUCTION_LOOK).await;
            }
            told.send_replace(false);
        }
    });
    introduced
}

fn start_links(
    config: &NodeConfig,
    control: &Control<FjallStore>,
    (reach, health): (watch::Sender<Arc<Reach>>, &Health),
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
    tasks: &Arc<Tasks>,
) -> Result<Links<FjallStore>, StartError> {
    let follower = control.follower();
    let (sender, fillings) = watch::channel(Arc::new(control.fillings()));
    let source = control.clone();
    let introduced = follow_introduction(control, tasks);
    views::follow_with(tasks, follower, introduced, sender, move || {
        Some(source.fillings())
    });
    let (filled, mut done) = mpsc::channel::<(TableId, Fill)>(64);
    let marking = control.clone();
    tasks.spawn(async move {
        while let Some((table, fill)) = done.recv().await {
            if let Err(error) = marking.filled(table, &fill).await {
                tracing::error!(%table, %error, "a filled replica could not be marked active");
            }
        }
    });
    let region = &config.project.region;
    let others = config
        .project
        .regions
        .iter()
        .filter(|other| other.name != *region);
    let links = Links::start(
        control.tables().clone(),
        links::Config {
            project: config.project.name.clone(),
            region: region.clone(),
            tls: identity::of_links(&config.project, clock, tasks)?,
            welcome: identity::welcome(&config.project),
            listener: listen::tcp(config.project.own().link)?,
            peers: others
                .map(|other| (other.name.clone(), other.link))
                .collect(),
            dialer: config.dialer.clone(),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            fills: fillings,
            filled,
        },
    );
    let (status, view) = (links.status(), health.clone());
    let (links_now, health_now) = (status.clone(), view.clone());
    // Nobody has said anything yet: no change counts as having reached those who may be there.
    let first = views::reach(&links_now.borrow(), &health_now.borrow());
    reach.send_replace(Arc::new(first));
    views::derive(tasks, status, view, reach, move || {
        let links: Arc<LinkStatus> = Arc::clone(&links_now.borrow());
        Some(views::reach(&links, &health_now.borrow()))
    });
    Ok(links)
}

fn start_dns(
    own: &control::project::Region,
    control: &Control<FjallStore>,
    health: &Health,
    entropy: &dyn Entropy,
    tasks: &Arc<Tasks>,
) -> Result<ports::DnsParts, StartError> {
    let mut follower = control.follower();
    let mut views = DnsViews::new(control.clone(), health.clone());
    let first = views.next().expect("the first view is not refused");
    let (sender, receiver) = watch::channel(first);
    let server = dns::server::Server::bind(own.dns, receiver.clone(), entropy)?;
    let mut verdicts = health.clone();
    tasks.spawn(async move {
        loop {
            let changed = tokio::select! {
                changed = follower.changed() => {
                    follower.look();
                    views.reload();
                    changed
                }
                changed = verdicts.changed() => changed.is_ok(),
            };
            if !changed {
                return;
            }
            if let Some(view) = views.next() {
                sender.send_replace(view);
            }
            follower.published();
        }
    });
    let stats = server.stats();
    let (owner, verdicts) = (Arc::clone(tasks), health.clone());
    tasks.spawn(async move {
        // Queries wait in the sockets meanwhile: an early answer could name a dead region.
        views::until_known(verdicts).await;
        server.run(&owner);
    });
    Ok(ports::DnsParts {
        stats,
        views: receiver,
    })
}

/// Keeps who may use the project.
fn follow_directory(
    control: &Control<FjallStore>,
    tasks: &Tasks,
) -> watch::Receiver<Arc<Directory>> {
    let follower = control.follower();
    let (sender, directory) = watch::channel(Arc::new(Directory::read(control)));
    let source = control.clone();
    views::follow(tasks, follower, sender, move || {
        Some(Directory::read(&source))
    });
    directory
}

fn start_functions(
    config: &NodeConfig,
    control: &Control<FjallStore>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    tasks: &Tasks,
) -> Result<Host, StartError> {
    let follower = control.follower();
    let (sender, functions) = watch::channel(Arc::new(views::functions(control)));
    let source = control.clone();
    views::follow(tasks, follower, sender, move || {
        Some(views::functions(&source))
    });
    let (access_key_id, secret_access_key) = credentials::function_keys(&config.project.key);
    let surroundings = Surroundings {
        region: config.project.region.clone(),
        endpoint_url: format!("http://{}", config.project.own().api),
        access_key_id,
        secret_access_key,
        session_token: None,
        search_path: config.search_path.clone(),
    };
    let host = HostConfig {
        code_dir: config.data_dir.join("code"),
        surroundings,
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
    };
    Ok(Host::start(host, functions, Code(control.clone()))?)
}

fn start_gateway(
    config: &NodeConfig,
    (control, health): (&Control<FjallStore>, &Health),
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
    functions: &Host,
    tasks: &Tasks,
) -> Result<Gateway, StartError> {
    let project = &config.project;
    let (own, authority) = identity::of_gateway(&project.name, &project.key, &project.region)?;
    let views = GatewayViews {
        control: control.clone(),
        health: health.clone(),
        own: Arc::new(own),
    };
    let follower = control.follower();
    let (sender, snapshots) = watch::channel(Arc::new(views.make()));
    let make = move || Some(views.make());
    views::follow_with(tasks, follower, health.clone(), sender, make);
    let region = config.project.own();
    let addresses = Addresses {
        https: region.https,
        http: region.http,
    };
    let mut peers = RootCertStore::empty();
    peers.add(authority)?;
    let backends = match config.backend_roots.as_slice() {
        [] => RootCertStore::empty(),
        pem => tls::roots(pem)?,
    };
    let parts = Parts {
        region: config.project.region.clone(),
        seen: sessions::seen(control, health),
        functions: Arc::new(functions.clone()),
        dialer: dialer_for_users(config),
        server_tls: tls::client_config(Trust::Roots(backends), Alpn::Http1)?,
        peer_tls: tls::client_config(Trust::Roots(peers), Alpn::Http1)?,
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
    };
    Ok(Gateway::start(addresses, parts, snapshots)?)
}
