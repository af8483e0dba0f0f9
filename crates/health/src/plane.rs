//! The running health plane of one region: one task around one core.
//!
//! It decides nothing. Each turn feeds the core one kind of input, performs what the core wants,
//! and sleeps until the core's next moment.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use base::region::RegionId;
use clock::port::{Clock, Entropy};
use health_core::check::Checks;
use health_core::gossip::{DATAGRAM_BYTES_MAX, Standing};
use health_core::health::{Attempt, Health, Input, InputError, Now, Output, Probe, Settings};
use health_core::limits::PROBES_INFLIGHT_MAX;
use health_core::observation::Outcome;
use health_core::replay::Incarnation;
use health_core::seal::Seal;
use health_core::view::HealthView;
use net::dial::Dialer;
use net::listen::{self, BindError};
use net::tasks::Tasks;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tracing::{debug, error, info, trace, warn};

use crate::limits::{BATCH_MAX, FAREWELL, WORDS_MAX};
use crate::probe::Prober;
use crate::roster::Roster;
use crate::stats::{Stats, count};

/// What follows the configuration while a plane runs.
#[derive(Clone, Debug)]
pub struct Follows {
    /// The regions.
    pub roster: watch::Receiver<Arc<Roster>>,
    /// The checks.
    pub checks: watch::Receiver<Arc<Checks>>,
}

/// A health plane whose socket is bound, before it speaks.
pub struct Plane {
    core: Health,
    socket: UdpSocket,
    address: SocketAddr,
    prober: Prober,
    dialer: Dialer,
    clock: Arc<dyn Clock>,
    follows: Follows,
    roster: Arc<Roster>,
    views: watch::Sender<Arc<HealthView>>,
    stats: Arc<Stats>,
}

/// A health plane could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not this machine's.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A bound socket does not say its address.
    #[error("read the address of the gossip socket")]
    Address(#[source] io::Error),
    /// There are too many regions.
    #[error(transparent)]
    Regions(#[from] InputError),
    /// TLS cannot be had.
    #[error("prepare TLS for health checks")]
    Tls(#[source] rustls::Error),
}

/// Where a plane stands and whom it belongs to.
#[derive(Clone, Debug)]
pub struct Place {
    /// The region it stands in.
    pub region: RegionId,
    /// Where it listens for gossip.
    pub gossip: SocketAddr,
    /// The seal of the project.
    pub seal: Seal,
    /// How others are reached.
    pub dialer: Dialer,
}

impl Plane {
    /// Binds the gossip socket; port 0 takes a free one.
    ///
    /// Errors: [`StartError`] when the address is taken or not this machine's.
    pub fn bind(
        place: Place,
        follows: Follows,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> Result<Self, StartError> {
        let socket = listen::udp(place.gossip)?;
        let address = socket.local_addr().map_err(StartError::Address)?;
        let now = read(&*clock);
        let roster = Arc::clone(&follows.roster.borrow());
        let settings = Settings {
            region: place.region,
            peers: roster.peers(place.region),
            seal: place.seal,
            incarnation: Incarnation(u64::try_from(now.wall.as_micros()).unwrap_or(1)),
            seed: entropy.random(),
        };
        let mut core = Health::try_new(now, settings)?;
        let first = first_view(&mut core);
        Ok(Self {
            core,
            socket,
            address,
            prober: Prober::try_new(place.dialer.clone()).map_err(StartError::Tls)?,
            dialer: place.dialer,
            clock,
            follows,
            roster,
            views: watch::Sender::new(first),
            stats: Arc::default(),
        })
    }

    /// Returns the address of the gossip socket.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the views, the first of which is there already.
    pub fn views(&self) -> watch::Receiver<Arc<HealthView>> {
        self.views.subscribe()
    }

    /// Returns the plane's counters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Runs, until the tasks are cancelled.
    pub fn run(self, tasks: &Tasks) -> Handle {
        let (words, heard) = mpsc::channel(WORDS_MAX);
        tasks.spawn(self.turn(heard));
        Handle { words }
    }

    async fn turn(mut self, mut words: mpsc::Receiver<Word>) {
        // Probes are this task's own: they end with it.
        let probes = Tasks::new();
        let (ended, mut ends) = mpsc::channel(PROBES_INFLIGHT_MAX);
        let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
        self.follow_checks();
        loop {
            self.perform(&probes, &ended);
            let now = read(&*self.clock);
            let due = self.core.poll_timeout();
            if due <= now.moment {
                self.core.handle_timeout(now);
                continue;
            }
            tokio::select! {
                readable = self.socket.readable() => match readable {
                    Ok(()) => self.hear(&mut buffer),
                    Err(error) => {
                        error!(%error, "gossip socket failed: the health plane ends");
                        return;
                    }
                },
                Some((attempt, outcome)) = ends.recv() => self.probed(attempt, outcome),
                Ok(()) = self.follows.checks.changed() => self.follow_checks(),
                Ok(()) = self.follows.roster.changed() => self.follow_roster(),
                Some(word) = words.recv() => self.obey(word),
                () = sleep(due - now.moment) => {}
            }
        }
    }

    /// Takes in what lies in the socket, up to a bound.
    fn hear(&mut self, buffer: &mut [u8]) {
        for _ in 0..BATCH_MAX {
            let (length, from) = match self.socket.try_recv_from(buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    debug!(%error, "receive gossip");
                    continue;
                }
            };
            count(&self.stats.received);
            let datagram = buffer.get(..length).unwrap_or_default();
            let now = read(&*self.clock);
            if let Err(error) = self.core.handle_input(now, Input::Datagram(datagram)) {
                count(&self.stats.refused);
                trace!(%from, %error, "gossip refused");
            }
        }
    }

    fn probed(&mut self, attempt: Attempt, outcome: Outcome) {
        count(&self.stats.probes);
        if !outcome.is_success() {
            count(&self.stats.failures);
        }
        self.feed(Input::Probed { attempt, outcome });
    }

    fn follow_checks(&mut self) {
        let checks = Arc::clone(&self.follows.checks.borrow_and_update());
        self.feed(Input::Checks(&checks));
    }

    fn follow_roster(&mut self) {
        self.roster = Arc::clone(&self.follows.roster.borrow_and_update());
        let peers = self.roster.peers(self.core.region());
        self.feed(Input::Peers(&peers));
    }

    fn obey(&mut self, word: Word) {
        match word {
            Word::Doubt(region) => self.feed(Input::Doubt(region)),
            Word::Stand(standing) => {
                info!(?standing, "region tells the others how it stands");
                self.feed(Input::Stand(standing));
            }
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        let now = read(&*self.clock);
        if let Err(error) = self.core.handle_input(now, input) {
            warn!(%error, "health plane refused its configuration");
        }
    }

    /// Performs everything that the core wants.
    fn perform(&mut self, probes: &Tasks, ended: &mpsc::Sender<(Attempt, Outcome)>) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Send { to, datagram } => self.send(to, &datagram),
                Output::Probe(probe) => self.probe(probe, probes, ended),
                Output::View(view) => self.publish(view),
            }
        }
    }

    /// Sends a datagram, or drops it: the next heartbeat says the same again.
    fn send(&self, to: RegionId, datagram: &[u8]) {
        let Some(member) = self.roster.member(to) else {
            return;
        };
        let target = self.dialer.route(member.gossip);
        match self.socket.try_send_to(datagram, target) {
            Ok(_) => count(&self.stats.sent),
            Err(error) => {
                count(&self.stats.unsent);
                trace!(%to, %error, "gossip not sent");
            }
        }
    }

    fn probe(&self, probe: Probe, probes: &Tasks, ended: &mpsc::Sender<(Attempt, Outcome)>) {
        let (prober, roster) = (self.prober.clone(), Arc::clone(&self.roster));
        let ended = ended.clone();
        probes.spawn(async move {
            let attempt = probe.attempt;
            let outcome = prober.run(probe, roster).await;
            if ended.send((attempt, outcome)).await.is_err() {
                debug!("a probe outlived its health plane");
            }
        });
    }

    fn publish(&self, view: Arc<HealthView>) {
        self.views.send_if_modified(|old| {
            if view.generation > old.generation {
                log_changes(old, &view);
            }
            *old = view;
            true
        });
    }
}

/// What a running plane can be told.
#[derive(Clone, Debug)]
pub struct Handle {
    words: mpsc::Sender<Word>,
}

#[derive(Debug)]
enum Word {
    Doubt(RegionId),
    Stand(Standing),
}

impl Handle {
    /// Says that a connection to `region` broke, so that its endpoint is asked at once. Without
    /// it the plane would wait for the region's silence. Dropped when the plane is busy.
    pub fn doubt(&self, region: RegionId) {
        // A full queue means that the plane has better news to come; its own timers go on.
        drop(self.words.try_send(Word::Doubt(region)));
    }

    /// Tells all regions to send nothing more here; this region goes on with what it has.
    pub async fn drain(&self) {
        self.stand(Standing::Draining).await;
    }

    /// Takes a draining back.
    pub async fn serve(&self) {
        self.stand(Standing::Serving).await;
    }

    /// Tells all regions that this one ends, and returns when it has been said often enough.
    pub async fn leave(&self) {
        self.stand(Standing::Leaving).await;
        sleep(FAREWELL).await;
    }

    async fn stand(&self, standing: Standing) {
        if self.words.send(Word::Stand(standing)).await.is_err() {
            debug!("the health plane has ended");
        }
    }
}

fn read(clock: &dyn Clock) -> Now {
    Now {
        moment: clock.now(),
        wall: clock.wall(),
    }
}

/// Takes the view that every core begins with.
fn first_view(core: &mut Health) -> Arc<HealthView> {
    std::iter::from_fn(|| core.poll_output())
        .find_map(|output| match output {
            Output::View(view) => Some(view),
            Output::Send { .. } | Output::Probe(_) => None,
        })
        .expect("a core's first output is its first view")
}

fn log_changes(old: &HealthView, view: &HealthView) {
    for (region, verdict) in &view.regions {
        let before = old.regions.get(region).map(|verdict| verdict.state);
        if before != Some(verdict.state) {
            let (state, because) = (verdict.state, &verdict.because);
            info!(%region, ?state, %because, "region verdict");
        }
    }
    for (check, verdict) in &view.checks {
        let before = old.checks.get(check).map(|verdict| verdict.status);
        if before.is_some_and(|before| before != verdict.status) {
            let (status, because) = (verdict.status, &verdict.because);
            info!(%check, ?status, %because, "health check verdict");
        }
    }
    if old.quorum.held != view.quorum.held {
        let quorum = view.quorum;
        info!(
            held = quorum.held,
            heard = quorum.heard,
            of = quorum.of,
            "quorum"
        );
    }
}
