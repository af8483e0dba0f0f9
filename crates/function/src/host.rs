//! Runs the functions of a region: follows their snapshot, takes invocations.
//!
//! It authorises nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clock::port::{Clock, Entropy};
use clock::time::Moment;
use gateway_core::invoke::{FunctionName, Invoke, InvokeError};
use net::tasks::Tasks;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio_util::task::TaskTracker;

use crate::call::{Answer, Call, Ending};
use crate::code::{CodeSource, Codes, PrepareError};
use crate::dispatch::{Dispatch, Premises};
use crate::event::{Next, Tries};
use crate::instance::Work;
use crate::interpreter::{Interpreters, RuntimeRefused};
use crate::limits::{EVENT_AGE_MAX, EVENTS_MAX, IDLE_SWEEP, PAYLOAD_BYTES_MAX, STOP_GRACE};
use crate::locked::Locked;
use crate::log::LogLine;
use crate::pool::Ticket;
use crate::report;
use crate::spec::{Functions, Surroundings};

/// Runs the functions of a region. Cloning it gives another handle to the same.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

/// What a host is started with.
pub struct HostConfig {
    /// Where code is unpacked; its own directory, made if it is not there.
    pub code_dir: PathBuf,
    /// What functions find around them.
    pub surroundings: Surroundings,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Random bits.
    pub entropy: Arc<dyn Entropy>,
}

struct Inner {
    premises: Arc<Premises>,
    functions: watch::Receiver<Arc<Functions>>,
    applied: Locked<Applied>,
    events: Arc<Semaphore>,
    is_closing: AtomicBool,
}

#[derive(Default)]
struct Applied {
    snapshot: Arc<Functions>,
    dispatches: BTreeMap<FunctionName, Arc<Dispatch>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Instances hold the premises that hold their tasks; without this they would live on.
        self.premises.tasks.token().cancel();
    }
}

impl Host {
    /// Starts to follow `functions`. No process is started before it is needed.
    ///
    /// Errors: [`PrepareError`] when the code directory cannot be used.
    pub fn start(
        config: HostConfig,
        functions: watch::Receiver<Arc<Functions>>,
        source: impl CodeSource,
    ) -> Result<Self, PrepareError> {
        let search_path = config.surroundings.search_path.clone();
        let premises = Premises {
            codes: Codes::open(config.code_dir, source)?,
            interpreters: Interpreters::new(search_path),
            surroundings: config.surroundings,
            clock: config.clock,
            entropy: config.entropy,
            tasks: Tasks::new(),
            open: TaskTracker::new(),
        };
        let inner = Arc::new(Inner {
            premises: Arc::new(premises),
            functions: functions.clone(),
            applied: Locked::new(Applied::default()),
            events: Arc::new(Semaphore::new(EVENTS_MAX)),
            is_closing: AtomicBool::new(false),
        });
        let follower = Arc::downgrade(&inner);
        let mut functions = functions;
        inner.premises.tasks.spawn(async move {
            let mut sweep = tokio::time::interval(IDLE_SWEEP);
            loop {
                let is_tick = tokio::select! {
                    changed = functions.changed() => match changed {
                        Ok(()) => false,
                        Err(_) => return,
                    },
                    _ = sweep.tick() => true,
                };
                let Some(inner) = follower.upgrade() else {
                    return;
                };
                inner.refresh();
                if is_tick {
                    inner.dispatches().iter().for_each(Dispatch::tick);
                }
            }
        });
        Ok(Self(inner))
    }

    /// Checks that functions of `runtime` can be run here.
    ///
    /// Errors: [`RuntimeRefused`].
    pub async fn check_runtime(&self, runtime: &str) -> Result<(), RuntimeRefused> {
        self.0.premises.interpreters.check(runtime).await
    }

    /// Runs a function once and returns what came of it, also where that is an error.
    ///
    /// Errors: [`InvokeError`] where the function did not run to an end.
    pub async fn invoke_with(&self, call: Call) -> Result<Answer, InvokeError> {
        let dispatch = self.0.dispatch_of(&call.function)?;
        if PAYLOAD_BYTES_MAX.as_len() < call.payload.len() {
            let message = format!("the payload is larger than {PAYLOAD_BYTES_MAX}");
            return Err(InvokeError::Crashed(message));
        }
        let patience = call.deadline.since(self.0.premises.clock.now());
        let (reply, answer) = oneshot::channel();
        let work = self.0.work(call, reply);
        let waiting = Waiting {
            ticket: dispatch.submit(Box::new(work)),
            dispatch: Some(dispatch),
        };
        match tokio::time::timeout(patience, answer).await {
            Ok(answer) => {
                waiting.over();
                // The sender is dropped without an answer only where its instance was lost.
                answer.unwrap_or(Err(InvokeError::Unavailable))
            }
            Err(_) if waiting.withdraw() => Err(InvokeError::Throttled),
            Err(_) => Err(InvokeError::TimedOut),
        }
    }

    /// Accepts an invocation whose answer nobody waits for, and runs it later.
    ///
    /// It lives in memory: a restart of the region forgets those accepted and not ended. One
    /// that fails is tried again after one and after two minutes, one that cannot be run until
    /// it is six hours old.
    ///
    /// Shape: the number of the invocation.
    /// Errors: [`InvokeError::NotFound`]; [`InvokeError::Throttled`] where too many are accepted.
    pub fn accept(&self, mut call: Call) -> Result<String, InvokeError> {
        let inner = &self.0;
        inner.dispatch_of(&call.function)?;
        let permit = Arc::clone(&inner.events).try_acquire_owned();
        let permit = permit.map_err(|_| InvokeError::Throttled)?;
        let entropy = &*inner.premises.entropy;
        let request_id = call.request_id.take();
        let request_id = request_id.unwrap_or_else(|| report::request_id(entropy));
        call.request_id = Some(request_id.clone());
        call.deadline = inner.premises.clock.now() + EVENT_AGE_MAX;
        // Between its tries it keeps nothing of a host that nobody holds any more.
        let host = Arc::downgrade(inner);
        inner.premises.tasks.spawn(async move {
            let mut tries = Tries::default();
            while let Some(host) = host.upgrade().map(Self) {
                let outcome = host.invoke_with(call.clone()).await;
                let next = tries.ended(&outcome);
                let now = host.0.premises.clock.now();
                drop(host);
                let is_late = |pause| call.deadline <= now + pause;
                match next {
                    Next::Done => break,
                    Next::After(pause) if !is_late(pause) => tokio::time::sleep(pause).await,
                    Next::After(_) | Next::GivenUp => {
                        let (function, why) = (&call.function, outcome.map(|a| a.ending));
                        tracing::warn!(%function, ?why, "an asynchronous invocation is given up");
                        break;
                    }
                }
            }
            drop(permit);
        });
        Ok(request_id)
    }

    /// Returns at most `count` lines of a function's log from the line numbered `from` on.
    ///
    /// Errors: [`InvokeError::NotFound`].
    pub fn log(
        &self,
        function: &FunctionName,
        from: u64,
        count: usize,
    ) -> Result<Vec<LogLine>, InvokeError> {
        let dispatch = self.0.dispatch_of(function)?;
        Ok(dispatch.log().read(from, count))
    }

    /// Returns a channel that shows the number the next line of a function's log will have.
    ///
    /// Errors: [`InvokeError::NotFound`].
    pub fn watch_log(&self, function: &FunctionName) -> Result<watch::Receiver<u64>, InvokeError> {
        Ok(self.0.dispatch_of(function)?.log().watch())
    }

    /// Returns how many instances each function has.
    pub fn instances(&self) -> BTreeMap<FunctionName, usize> {
        let dispatches = self.0.dispatches();
        let counted =
            |dispatch: &Arc<Dispatch>| (dispatch.spec().name.clone(), dispatch.instances());
        dispatches.iter().map(counted).collect()
    }

    /// Takes no more invocations, waits at most `grace` for those that run, and ends all
    /// processes. Returns whether all had been answered.
    pub async fn shutdown(&self, grace: Duration) -> bool {
        self.0.is_closing.store(true, Ordering::Release);
        let premises = &self.0.premises;
        premises.open.close();
        let drained = tokio::time::timeout(grace, premises.open.wait()).await;
        let ended = premises.tasks.shutdown(STOP_GRACE * 2).await;
        drained.is_ok() && ended
    }
}

impl Invoke for Host {
    async fn invoke(
        &self,
        function: &FunctionName,
        payload: Bytes,
        deadline: Moment,
    ) -> Result<Bytes, InvokeError> {
        let call = Call::new(function.clone(), payload, deadline);
        let answer = self.invoke_with(call).await?;
        match answer.ending {
            Ending::Returned => Ok(answer.payload),
            Ending::TimedOut => Err(InvokeError::TimedOut),
            Ending::NotStarted => {
                let why = String::from_utf8_lossy(&answer.payload);
                tracing::warn!(%function, %why, "a function cannot be started");
                Err(InvokeError::Unavailable)
            }
            Ending::Reported | Ending::TooLarge | Ending::Exited => {
                let message = String::from_utf8_lossy(&answer.payload).into_owned();
                Err(InvokeError::Crashed(message))
            }
        }
    }
}

impl Inner {
    fn work(&self, call: Call, reply: Reply) -> Work {
        let (clock, entropy) = (&*self.premises.clock, &*self.premises.entropy);
        let fresh_id = || report::request_id(entropy);
        let fresh_trace = || report::trace_id(clock.wall(), entropy);
        Work {
            request_id: call.request_id.unwrap_or_else(fresh_id),
            payload: call.payload,
            client_context: call.client_context,
            trace_id: call.trace_id.unwrap_or_else(fresh_trace),
            log: call.log,
            reply,
            open: self.premises.open.token(),
        }
    }

    fn dispatch_of(&self, function: &FunctionName) -> Result<Arc<Dispatch>, InvokeError> {
        if self.is_closing.load(Ordering::Acquire) {
            return Err(InvokeError::Unavailable);
        }
        // The snapshot may be newer than what the follower has seen: a function that was just
        // created can be invoked at once.
        self.refresh();
        self.applied
            .with(|applied| applied.dispatches.get(function).cloned())
            .ok_or(InvokeError::NotFound)
    }

    fn dispatches(&self) -> Vec<Arc<Dispatch>> {
        self.applied
            .with(|applied| applied.dispatches.values().cloned().collect())
    }

    /// Brings the dispatches to the newest snapshot.
    fn refresh(&self) {
        let wanted: BTreeSet<_> = self.applied.with(|applied| {
            // Read under the lock: one that was read before and applied after a newer one would
            // take functions away that are there.
            let snapshot = Arc::clone(&self.functions.borrow());
            if Arc::ptr_eq(&applied.snapshot, &snapshot) {
                return BTreeSet::new();
            }
            applied.dispatches.retain(|name, dispatch| {
                let stays = snapshot.by_name.contains_key(name);
                if !stays {
                    dispatch.close();
                }
                stays
            });
            for (name, spec) in &snapshot.by_name {
                match applied.dispatches.get(name) {
                    Some(dispatch) if dispatch.spec() != *spec => dispatch.change(Arc::clone(spec)),
                    Some(_) => {}
                    None => {
                        let premises = Arc::clone(&self.premises);
                        let dispatch = Dispatch::new(premises, Arc::clone(spec));
                        applied.dispatches.insert(name.clone(), dispatch);
                    }
                }
            }
            applied.snapshot = Arc::clone(&snapshot);
            snapshot.by_name.values().map(|spec| spec.code).collect()
        });
        // An empty snapshot is also what a region has that has not read its functions yet.
        if wanted.is_empty() {
            return;
        }
        for unused in self.premises.codes.sweep(&wanted) {
            self.premises.tasks.spawn(async move {
                if let Err(error) = tokio::fs::remove_dir_all(&unused).await {
                    tracing::warn!(%error, path = %unused.display(), "cannot remove unused code");
                }
            });
        }
    }
}

type Reply = oneshot::Sender<Result<Answer, InvokeError>>;

/// An invocation that somebody waits for. Dropping it withdraws one that has not begun.
struct Waiting {
    ticket: Ticket,
    dispatch: Option<Arc<Dispatch>>,
}

impl Waiting {
    fn over(mut self) {
        self.dispatch = None;
    }

    /// Takes the invocation back. Returns whether it had not begun.
    fn withdraw(mut self) -> bool {
        let dispatch = self.dispatch.take();
        dispatch.is_some_and(|dispatch| dispatch.cancel(self.ticket))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(dispatch) = self.dispatch.take() {
            dispatch.cancel(self.ticket);
        }
    }
}
