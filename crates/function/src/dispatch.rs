//! The instances of one function: performs what its pool decides.
//!
//! It decides nothing itself; [`crate::pool`] does.

use std::collections::BTreeMap;
use std::sync::Arc;

use clock::port::{Clock, Entropy};
use clock::time::Moment;
use gateway_core::invoke::InvokeError;
use net::tasks::Tasks;
use tokio_util::task::TaskTracker;

use crate::call::{Answer, Ending};
use crate::code::Codes;
use crate::instance::life::live;
use crate::instance::{Seat, StartError, Work};
use crate::interpreter::Interpreters;
use crate::limits::INSTANCES_DEFAULT;
use crate::locked::Locked;
use crate::log::Log;
use crate::pool::{Ended, InstanceId, Output, Pool, Refusal, Ticket};
use crate::spec::{FunctionSpec, Surroundings};

/// What all functions of a region share.
pub(crate) struct Premises {
    pub(crate) surroundings: Surroundings,
    pub(crate) codes: Codes,
    pub(crate) interpreters: Interpreters,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) tasks: Tasks,
    /// The invocations that are not answered yet.
    pub(crate) open: TaskTracker,
}

/// One function: its pool, its instances, its log.
pub(crate) struct Dispatch {
    premises: Arc<Premises>,
    spec: Locked<Arc<FunctionSpec>>,
    pool: Locked<Pool<Box<Work>, Arc<StartError>>>,
    seats: Locked<BTreeMap<InstanceId, Arc<Seat>>>,
    log: Log,
}

impl Dispatch {
    pub(crate) fn new(premises: Arc<Premises>, spec: Arc<FunctionSpec>) -> Arc<Self> {
        Arc::new(Self {
            premises,
            pool: Locked::new(Pool::new(bound(&spec))),
            spec: Locked::new(spec),
            seats: Locked::new(BTreeMap::new()),
            log: Log::new(),
        })
    }

    pub(crate) fn premises(&self) -> &Premises {
        &self.premises
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    pub(crate) fn spec(&self) -> Arc<FunctionSpec> {
        self.spec.with(|spec| Arc::clone(spec))
    }

    /// Takes an invocation. Its answer goes to whoever holds the other end of its reply.
    pub(crate) fn submit(self: &Arc<Self>, work: Box<Work>) -> Ticket {
        let bytes = work.payload.len() as u64;
        self.act(|pool, now| pool.invoke(now, work, bytes))
    }

    /// Forgets an invocation that still waits. Returns whether it did.
    pub(crate) fn cancel(self: &Arc<Self>, ticket: Ticket) -> bool {
        self.act(|pool, _| pool.cancel(ticket))
    }

    /// Takes the function as it was changed.
    pub(crate) fn change(self: &Arc<Self>, changed: Arc<FunctionSpec>) {
        let bound = bound(&changed);
        let old = self
            .spec
            .with(|spec| std::mem::replace(spec, Arc::clone(&changed)));
        if changed.is_served_by(&old) {
            self.act(|pool, now| pool.resize(now, bound));
        } else {
            self.act(|pool, now| pool.renew(now, bound));
        }
    }

    /// Ends all instances, after what they are doing: the function was deleted.
    pub(crate) fn close(self: &Arc<Self>) {
        self.act(|pool, _| pool.close());
    }

    /// Lets time do its work.
    pub(crate) fn tick(self: &Arc<Self>) {
        self.act(Pool::tick);
    }

    /// Returns how many instances there are.
    pub(crate) fn instances(&self) -> usize {
        self.pool.with(|pool| pool.live())
    }

    pub(crate) fn ready(self: &Arc<Self>, id: InstanceId) {
        self.act(|pool, now| pool.ready(now, id));
    }

    pub(crate) fn answered(self: &Arc<Self>, id: InstanceId) {
        self.act(|pool, now| pool.answered(now, id));
    }

    pub(crate) fn ended(self: &Arc<Self>, id: InstanceId, how: Ended<Arc<StartError>>) {
        let known = self.seats.with(|seats| seats.remove(&id));
        if known.is_some() {
            self.act(|pool, now| pool.ended(now, id, how));
        }
    }

    fn act<R>(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut Pool<Box<Work>, Arc<StartError>>, Moment) -> R,
    ) -> R {
        let now = self.premises.clock.now();
        let (result, outputs) = self.pool.with(|pool| {
            let result = decide(pool, now);
            (result, pool.take_outputs())
        });
        for output in outputs {
            self.perform(output);
        }
        result
    }

    fn perform(self: &Arc<Self>, output: Output<Box<Work>, Arc<StartError>>) {
        match output {
            Output::Start(id) => {
                let stop = self.premises.tasks.token().child_token();
                let seat = Arc::new(Seat::new(id, Arc::clone(self), self.spec(), stop));
                self.seats.with(|seats| seats.insert(id, Arc::clone(&seat)));
                self.premises.tasks.spawn_draining(live(seat));
            }
            Output::Assign(id, work) => {
                let seat = self.seats.with(|seats| seats.get(&id).cloned());
                let assigned = match seat {
                    Some(seat) => seat.assign(work),
                    None => Err(work),
                };
                if let Err(work) = assigned {
                    let bytes = work.payload.len() as u64;
                    self.act(|pool, now| pool.give_back(now, work, bytes));
                }
            }
            Output::Stop(id) => {
                if let Some(seat) = self.seats.with(|seats| seats.get(&id).cloned()) {
                    seat.stop();
                }
            }
            Output::Refuse(work, refusal) => refuse(*work, refusal),
            Output::Wake(at) => {
                let (this, now) = (Arc::clone(self), self.premises.clock.now());
                self.premises.tasks.spawn(async move {
                    tokio::time::sleep(at.since(now)).await;
                    this.tick();
                });
            }
        }
    }
}

fn refuse(work: Work, refusal: Refusal<Arc<StartError>>) {
    let answer = match refusal {
        Refusal::Throttled => Err(InvokeError::Throttled),
        Refusal::Removed => Err(InvokeError::NotFound),
        Refusal::NotStarted(error) => Ok(Answer {
            payload: error.body(&work.request_id),
            request_id: work.request_id,
            ending: Ending::NotStarted,
            log_tail: None,
        }),
    };
    // Who asked may have given up; then nobody reads the answer.
    let _ = work.reply.send(answer);
}

fn bound(spec: &FunctionSpec) -> usize {
    usize::try_from(spec.concurrency.unwrap_or(INSTANCES_DEFAULT)).unwrap_or(usize::MAX)
}
