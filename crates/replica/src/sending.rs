//! Dials one peer, for ever, and sends it the log: the task around `replica_core`'s sender.
//!
//! It decides nothing but when to dial again.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tracing::{debug, error, info, warn};

use base::region::RegionName;
use clock::time::{Moment, WallTime};
use replica_core::delays::Flying;
use replica_core::frame::Frame;
use replica_core::limits::{REDIAL, REDIAL_REFUSED};
use replica_core::link::Now;
use replica_core::link::send::{CopyRead, Input, LogRead, Output, Sender};
use store::port::Store;

use crate::connection::{Connection, EndError, Turn};
use crate::greeting::{self, GreetError, Purpose};
use crate::limits::{CONNECT_PATIENCE, LASTING, REPORT_SENDING};
use crate::links::Shared;
use crate::status;
use crate::watching::Event;

/// Reads of the log and of tables that are under way: at most one of each.
type Work = FuturesUnordered<BoxFuture<'static, Input>>;

struct Sending<S> {
    shared: Arc<Shared<S>>,
    peer: RegionName,
    sender: Sender,
    flying: Flying,
    status: status::Sending,
    reported: Moment,
}

/// Dials `peer` and sends for as long as the links run.
pub(crate) async fn run<S: Store>(shared: Arc<Shared<S>>, peer: RegionName, address: SocketAddr) {
    let never = Notify::new();
    let links = Arc::clone(&shared);
    let came = links.came.get(&peer).unwrap_or(&never);
    let mut sending = Sending {
        sender: Sender::new(shared.region().clone()),
        flying: Flying::new(shared.region().id()),
        reported: shared.now().moment,
        status: status::Sending::default(),
        shared,
        peer,
    };
    let (least, most) = REDIAL;
    let mut wait = least;
    loop {
        let started = links.now().moment;
        let refused = match sending.dial(address).await {
            Ok(connection) => {
                let refused = sending.talk_to_the_end(connection).await;
                if links.now().moment.since(started) >= LASTING {
                    wait = least;
                }
                refused
            }
            Err(error) => {
                let refused = error.is_refusal();
                sending.down(error.to_string()).await;
                refused
            }
        };
        // A failed attempt that took long has waited already.
        let rest = if refused {
            REDIAL_REFUSED
        } else {
            jittered(&links, wait)
        };
        let due = (started + rest).max(links.now().moment + least / 2);
        tokio::select! {
            () = links.sleep_until(Some(due)) => {}
            () = came.notified() => {}
        }
        wait = (wait * 2).min(most);
    }
}

/// Returns between half and all of `wait`, so that regions do not dial in step.
fn jittered<S>(shared: &Shared<S>, wait: Duration) -> Duration {
    let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(micros / 2 + shared.entropy.random() % (micros / 2 + 1))
}

impl<S: Store> Sending<S> {
    async fn dial(&self, address: SocketAddr) -> Result<Connection, GreetError> {
        let shared = &self.shared;
        let stream = shared.dialer.connect(address, CONNECT_PATIENCE).await?;
        let (identity, tls) = (shared.identity(), shared.tls());
        let (peer, who) = (self.peer.clone(), (&identity, &*tls));
        greeting::dial(stream, peer, who, &shared.tables, Purpose::Log).await
    }

    /// Returns whether the two refuse each other.
    async fn talk_to_the_end(&mut self, mut connection: Connection) -> bool {
        info!(peer = %self.peer, "a link is made: sending");
        self.status.line.up(self.shared.now().wall);
        let Err(error) = self.talk(&mut connection).await;
        connection.flush_now();
        self.status.line.count(connection.take_traffic());
        self.sender.handle_input(self.shared.now(), Input::Down);
        self.down(error.to_string()).await;
        !self.shared.note_end(&self.peer, &error).await
    }

    async fn talk(&mut self, connection: &mut Connection) -> Result<Infallible, EndError> {
        let shared = Arc::clone(&self.shared);
        let mut progress = shared.tables.progress();
        let mut work = Work::new();
        self.learn_local();
        self.sender.handle_input(shared.now(), Input::Up);
        // What the peer asks for may have come together with its welcome.
        self.hear(connection)?;
        self.report(connection).await;
        loop {
            let acked = self.act(connection, &work)?;
            let is_due = shared.now().moment.since(self.reported) >= REPORT_SENDING;
            if acked && is_due {
                self.report(connection).await;
            }
            tokio::select! {
                turn = connection.turn() => if turn? == Turn::Read {
                    self.hear(connection)?;
                },
                Some(input) = work.next(), if !work.is_empty() => {
                    self.sender.handle_input(shared.now(), input);
                }
                Ok(()) = progress.changed() => self.learn_local(),
                () = shared.sleep_until(self.sender.poll_timeout()) => {
                    self.learn_local();
                    self.sender.handle_timeout(shared.now());
                    self.report(connection).await;
                }
            }
        }
    }

    fn learn_local(&mut self) {
        let local = self.shared.tables.local();
        let now = self.shared.now();
        self.sender.handle_input(now, Input::Local(local));
    }

    fn hear(&mut self, connection: &mut Connection) -> Result<(), EndError> {
        self.sender.handle_input(self.shared.now(), Input::Heard);
        while let Some(frame) = connection.frame()? {
            let now = self.shared.now();
            let mut acked = None;
            if let Frame::Ack(ack) = &frame {
                acked = Some(ack.sample.wall);
            }
            self.sender.handle_input(now, Input::Frame(frame));
            if let Some(said) = acked {
                self.note_delays(now, said);
            }
        }
        Ok(())
    }

    /// Notes how late what the peer has applied was when it said so, by its clock at `said`.
    fn note_delays(&mut self, now: Now, said: WallTime) {
        // Before its clock is known, its word counts from when it came.
        let ahead = self.sender.clock().ahead();
        let said = ahead.map_or(now.wall.as_micros(), |ahead| {
            said.as_micros().saturating_sub(ahead)
        });
        let own = self.sender.applied().at(self.shared.region().id());
        let late = self.flying.applied(own, said);
        self.shared.delays.note(now.wall, self.peer.id(), late);
    }

    /// Does what the sender wants done, as far as there is room. Returns whether the peer has
    /// acknowledged something.
    fn act(&mut self, connection: &mut Connection, work: &Work) -> Result<bool, EndError> {
        let mut acked = false;
        while connection.has_room()
            && let Some(output) = self.sender.poll_output(self.shared.now())
        {
            match output {
                Output::Send(mut frame) => {
                    if let Frame::Data(data) = &frame {
                        self.flying.sent(data);
                    }
                    frame.lower(connection.format());
                    connection.post(&frame);
                }
                Output::ReadLog { .. } | Output::ReadCopy { .. } => self.read(output, work),
                Output::Acked => {
                    // Whoever acknowledges has admitted our directory.
                    self.shared.tables.note_welcome(self.peer.id());
                    acked = true;
                }
                Output::NeedsResync { first } => {
                    warn!(peer = %self.peer, %first, "the peer needs a copy of all tables");
                }
                Output::Close(error) => return Err(error.into()),
            }
        }
        Ok(acked)
    }

    fn read(&self, output: Output, work: &Work) {
        let tables = self.shared.tables.clone();
        let peer = self.peer.id();
        match output {
            Output::ReadLog {
                ticket,
                origin,
                after,
                bytes_max,
            } => work.push(Box::pin(async move {
                let read = tables.log_for(peer, origin, after, bytes_max).await;
                let read = read.unwrap_or_else(|error| {
                    error!(%origin, %after, %error, "cannot read a log");
                    LogRead::Failed
                });
                Input::LogRead { ticket, read }
            })),
            Output::ReadCopy {
                ticket,
                table,
                after,
                items,
                bytes_max,
            } => work.push(Box::pin(async move {
                let read = tables
                    .copy_for(peer, table, after, (items, bytes_max))
                    .await;
                let read = read.unwrap_or_else(|error| {
                    error!(%table, %error, "cannot read a table to copy it");
                    CopyRead::Failed
                });
                Input::CopyRead { ticket, read }
            })),
            Output::Send(_) | Output::Acked | Output::NeedsResync { .. } | Output::Close(_) => {
                debug_assert!(false, "only reads are read");
            }
        }
    }

    async fn report(&mut self, connection: &mut Connection) {
        self.reported = self.shared.now().moment;
        self.status.line.count(connection.take_traffic());
        self.tell().await;
    }

    async fn down(&mut self, problem: String) {
        if self.status.line.down(problem.clone()) {
            warn!(peer = %self.peer, problem, "no link: sending");
        } else {
            debug!(peer = %self.peer, problem, "still no link: sending");
        }
        self.tell().await;
    }

    async fn tell(&mut self) {
        let sender = &self.sender;
        self.status.rtt = sender.clock().rtt();
        self.status.clock_ahead = sender.clock().ahead();
        self.status.applied.clone_from(sender.applied());
        self.status.durable.clone_from(sender.durable());
        self.status.backlog = sender.backlog();
        self.status.copying = sender.copying();
        self.status.needs_resync = sender.needs_resync();
        let event = Event::Sending(self.peer.clone(), Box::new(self.status.clone()));
        self.shared.tell(event).await;
    }
}
