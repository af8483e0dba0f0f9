//! Receives one peer's log and applies it: the task around `replica_core`'s receiver.
//!
//! It dials nobody: connections come from `listening`. What is being applied outlives them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use base::region::RegionName;
use clock::time::Moment;
use replica_core::link::copies::Fills;
use replica_core::link::receive::{ApplyFault, Input, Output, Receiver};
use store::port::Store;

use crate::connection::{Connection, EndError, Turn};
use crate::limits::REPORT_RECEIVING;
use crate::links::Shared;
use crate::status::{self, Failure};
use crate::watching::Event;

/// What is being applied and merged: at most one frame, and one page a copy.
type Work = FuturesUnordered<BoxFuture<'static, Input>>;

struct Receiving<S> {
    shared: Arc<Shared<S>>,
    peer: RegionName,
    receiver: Receiver,
    connection: Option<Connection>,
    work: Work,
    status: status::Receiving,
    reported: Moment,
}

/// Receives from `peer` for as long as the links run.
pub(crate) async fn run<S: Store>(
    shared: Arc<Shared<S>>,
    peer: RegionName,
    mut arrivals: mpsc::Receiver<Connection>,
) {
    let links = Arc::clone(&shared);
    let (mut fills, mut unreachable) = (links.fills.clone(), links.unreachable.clone());
    let mut progress = links.tables.progress();
    fills.mark_changed();
    let mut receiving = Receiving {
        receiver: Receiver::new(peer.id()),
        reported: shared.now().moment,
        connection: None,
        work: Work::new(),
        status: status::Receiving::default(),
        shared,
        peer,
    };
    loop {
        let turned = tokio::select! {
            turn = turn(&mut receiving.connection) => receiving.hear(turn),
            Some(connection) = arrivals.recv() => {
                receiving.up(connection).await;
                receiving.hear(Ok(Turn::Read))
            }
            Some(input) = receiving.work.next(), if !receiving.work.is_empty() => {
                // What was applied is told together with that it was.
                receiving.learn_local();
                receiving.take(input);
                Ok(())
            }
            Ok(()) = progress.changed() => {
                receiving.learn_local();
                Ok(())
            }
            Ok(()) = fills.changed() => {
                let fills = fills.borrow_and_update().as_ref().clone();
                receiving.fill(fills).await;
                Ok(())
            }
            Ok(()) = unreachable.changed() => {
                let unreachable = unreachable.borrow_and_update().as_ref().clone();
                receiving.take(Input::Relay(unreachable));
                Ok(())
            }
            () = links.sleep_until(receiving.receiver.poll_timeout()) => {
                receiving.receiver.handle_timeout(links.now());
                Ok(())
            }
        };
        let acted = match turned {
            Ok(()) => receiving.act().await,
            Err(error) => Err(error),
        };
        if let Err(error) = acted {
            receiving.down(&error).await;
        }
        if links.now().moment.since(receiving.reported) >= REPORT_RECEIVING {
            receiving.tell().await;
        }
    }
}

async fn turn(connection: &mut Option<Connection>) -> io::Result<Turn> {
    match connection {
        Some(connection) => connection.turn().await,
        None => std::future::pending().await,
    }
}

impl<S: Store> Receiving<S> {
    fn take(&mut self, input: Input) {
        self.receiver.handle_input(self.shared.now(), input);
    }

    fn learn_local(&mut self) {
        if self.connection.is_some() {
            self.take(Input::Local(self.shared.tables.local()));
        }
    }

    /// Takes over what is to be filled, from where it stands on disk: what was removed of it
    /// meanwhile is asked for again.
    async fn fill(&mut self, fills: Fills) {
        let kept = self.shared.tables.kept(self.peer.id()).await;
        let kept = kept.unwrap_or_else(|error| {
            warn!(%error, "replicas are filled from their first page");
            BTreeMap::new()
        });
        self.take(Input::Fill { fills, kept });
    }

    async fn up(&mut self, connection: Connection) {
        if self.connection.is_some() {
            self.down(&EndError::Replaced).await;
        }
        self.connection = Some(connection);
        self.learn_local();
        self.take(Input::Up);
        self.status.line.up(self.shared.now().wall);
        self.shared.tell(Event::Up(self.peer.id())).await;
        self.tell().await;
    }

    async fn down(&mut self, error: &EndError) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        connection.flush_now();
        self.status.line.count(connection.take_traffic());
        self.take(Input::Down);
        if self.status.line.down(error.to_string()) {
            warn!(peer = %self.peer, %error, "no link: receiving");
        }
        self.shared.tell(Event::Down(self.peer.id())).await;
        self.tell().await;
        self.shared.note_end(&self.peer, error).await;
    }

    fn hear(&mut self, turn: io::Result<Turn>) -> Result<(), EndError> {
        if turn? == Turn::Wrote {
            return Ok(());
        }
        self.take(Input::Heard);
        while let Some(connection) = &mut self.connection
            && let Some(frame) = connection.frame()?
        {
            self.take(Input::Frame(frame));
        }
        Ok(())
    }

    /// Does what the receiver wants done.
    async fn act(&mut self) -> Result<(), EndError> {
        while let Some(output) = self.receiver.poll_output() {
            match output {
                Output::Send(frame) => {
                    if let Some(connection) = &mut self.connection {
                        connection.post(&frame);
                        // Acknowledgements are small and few: only a peer that does not read
                        // lets them pile up.
                        if !connection.has_room() {
                            return Err(EndError::Deaf);
                        }
                    }
                }
                Output::Apply { .. }
                | Output::Merge { .. }
                | Output::Skip { .. }
                | Output::Repaid { .. } => {
                    self.work_on(output);
                }
                Output::Heard(beat) => {
                    let peer = self.peer.id();
                    let tables = &self.shared.tables;
                    tables.note_horizon(peer, beat.head, beat.horizon);
                    let (durable, stable) = (beat.durable, beat.stable);
                    let event = Event::Heard {
                        peer,
                        durable,
                        stable,
                    };
                    self.shared.tell(event).await;
                    if self.receiver.needs_resync().is_some() {
                        let shared = self.shared.tables.shared_with(peer);
                        self.take(Input::Shared(shared));
                    }
                }
                Output::Filled { table, portion } => {
                    let source = self.peer.id();
                    let event = Event::Filled {
                        table,
                        portion,
                        source,
                    };
                    self.shared.tell(event).await;
                }
                Output::TooOld { first } => {
                    let peer = self.peer.clone();
                    self.shared.fail(Failure::TooOld { peer, first }).await;
                }
                Output::Close(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn work_on(&self, output: Output) {
        let tables = self.shared.tables.clone();
        let source = self.peer.id();
        match output {
            Output::Apply {
                ticket,
                origin,
                after,
                to,
                records,
            } => self.work.push(Box::pin(async move {
                let result = tables.apply(origin, after, to, records).await;
                let result = result.map_err(|error| {
                    let fault = ApplyFault::from(&error);
                    if fault == ApplyFault::Store {
                        error!(%origin, %after, %to, %error, "cannot apply records");
                    }
                    fault
                });
                Input::Applied { ticket, result }
            })),
            Output::Merge { table, arrived } => self.work.push(Box::pin(async move {
                let ticket = arrived.ticket;
                let merged = tables.merge_page(source, table, arrived).await;
                let merged = merged.unwrap_or_else(|error| {
                    error!(%table, %error, "cannot merge a copied page");
                    false
                });
                Input::Merged { ticket, merged }
            })),
            Output::Skip { ticket, to, owed } => {
                let peer = self.peer.clone();
                self.work.push(Box::pin(async move {
                    let skipped = tables.skip(peer.id(), to, owed).await;
                    match &skipped {
                        Ok(()) => info!(%peer, %to, "a log goes on behind what was copied of it"),
                        Err(error) => error!(%peer, %to, %error, "cannot skip in a log"),
                    }
                    let skipped = skipped.is_ok();
                    Input::Skipped { ticket, skipped }
                }));
            }
            Output::Repaid { table, items } => {
                let peer = self.peer.clone();
                self.work.push(Box::pin(async move {
                    match tables.repay(peer.id(), table, items).await {
                        Ok(()) => info!(%peer, %table, "what a lost directory wrote has come"),
                        Err(error) => error!(%peer, %table, %error, "cannot note what has come"),
                    }
                    Input::Local(tables.local())
                }));
            }
            Output::Send(_)
            | Output::Heard(_)
            | Output::Filled { .. }
            | Output::TooOld { .. }
            | Output::Close(_) => debug_assert!(false, "nothing else is worked on"),
        }
    }

    async fn tell(&mut self) {
        let now = self.shared.now();
        self.reported = now.moment;
        if let Some(connection) = &mut self.connection {
            self.status.line.count(connection.take_traffic());
        }
        let receiver = &mut self.receiver;
        self.status.latencies = receiver.latencies(now);
        let parked: BTreeMap<_, _> = receiver
            .parked()
            .map(|(origin, parked)| (origin, parked.why))
            .collect();
        for (origin, why) in &parked {
            if !self.status.parked.contains_key(origin) {
                warn!(peer = %self.peer, %origin, %why, "records rest");
            }
        }
        self.status.parked = parked;
        let needs_resync = receiver.needs_resync();
        if let Some(first) = needs_resync.filter(|_| self.status.needs_resync.is_none()) {
            warn!(peer = %self.peer, %first, "records are gone: its tables are copied instead");
        }
        self.status.needs_resync = needs_resync;
        self.status.filling = receiver.copies().progress();
        let event = Event::Receiving(self.peer.clone(), Box::new(self.status.clone()));
        self.shared.tell(event).await;
    }
}
