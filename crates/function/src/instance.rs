//! One instance of a function: its process, its Runtime API, its time limits and its log.
//!
//! It chooses no work: [`crate::dispatch`] hands it over. All of an instance is one task, so
//! ending the task ends the process, its connections and its timers together.

pub(crate) mod api;
pub(crate) mod life;
pub(crate) mod output;
pub(crate) mod process;
pub(crate) mod turn;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use clock::time::Moment;
use futures_util::task::AtomicWaker;
use gateway_core::invoke::InvokeError;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::call::{Answer, Ending, LogWanted};
use crate::dispatch::Dispatch;
use crate::instance::output::Output;
use crate::instance::process::memory_peak_mb;
use crate::instance::turn::{Numbered, Turn};
use crate::limits::MEMORY_READ_EVERY;
use crate::locked::Locked;
use crate::pool::InstanceId;
use crate::report::{self, Report, Status};
use crate::spec::FunctionSpec;

/// One invocation on its way to an instance.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    pub(crate) client_context: Option<String>,
    pub(crate) trace_id: String,
    pub(crate) log: LogWanted,
    pub(crate) reply: oneshot::Sender<Result<Answer, InvokeError>>,
    /// Held until the work is answered, so that a shutdown can wait for it.
    pub(crate) open: TaskTrackerToken,
}

/// An invocation that an instance has.
#[derive(Debug)]
pub(crate) struct Running {
    work: Box<Work>,
    begun: Moment,
    deadline_ms: i64,
    log_from: u64,
}

impl Numbered for Running {
    fn request_id(&self) -> &str {
        &self.work.request_id
    }
}

/// Why an instance never came to its first invocation.
#[derive(Debug)]
pub(crate) enum StartError {
    /// The runtime reported its own error.
    Reported(Bytes),
    /// What went wrong, by Lambda's name for it and in words.
    Failed(&'static str, String),
}

impl StartError {
    /// Returns the error body for the invocation `request_id`.
    pub(crate) fn body(&self, request_id: &str) -> Bytes {
        match self {
            Self::Reported(body) => body.clone(),
            Self::Failed(error_type, message) => {
                let message = format!("RequestId: {request_id} Error: {message}");
                report::error_body(error_type, &message)
            }
        }
    }
}

/// The place of one instance: what its task, its Runtime API and its pool share.
pub(crate) struct Seat {
    id: InstanceId,
    dispatch: Arc<Dispatch>,
    spec: Arc<FunctionSpec>,
    stream: Arc<str>,
    born: Moment,
    state: Locked<State>,
    /// Wakes the runtime's request for its next invocation.
    wake: Notify,
    /// Wakes the instance's task, which then looks at its time limit.
    alarm: AtomicWaker,
    stop: CancellationToken,
    output: OnceLock<Output>,
    process_number: OnceLock<i32>,
}

struct State {
    turn: Turn<Running>,
    limit: Option<Instant>,
    /// How long the start took; taken by the first report.
    init: Option<Duration>,
    was_ready: bool,
    init_error: Option<Bytes>,
    memory: Option<(Moment, u64)>,
}

impl Seat {
    pub(crate) fn new(
        id: InstanceId,
        dispatch: Arc<Dispatch>,
        spec: Arc<FunctionSpec>,
        stop: CancellationToken,
    ) -> Self {
        let premises = dispatch.premises();
        let stream = report::log_stream(premises.clock.wall(), &*premises.entropy);
        Self {
            id,
            spec,
            stream: Arc::from(stream),
            born: premises.clock.now(),
            state: Locked::new(State {
                turn: Turn::new(),
                limit: None,
                init: None,
                was_ready: false,
                init_error: None,
                memory: None,
            }),
            wake: Notify::new(),
            alarm: AtomicWaker::new(),
            stop,
            output: OnceLock::new(),
            process_number: OnceLock::new(),
            dispatch,
        }
    }

    /// Hands over an invocation; given back where the instance does not wait for one.
    pub(crate) fn assign(&self, work: Box<Work>) -> Result<(), Box<Work>> {
        let clock = &self.dispatch.premises().clock;
        let (begun, wall) = (clock.now(), clock.wall());
        let timeout_ms = i64::try_from(self.spec.timeout.as_millis()).unwrap_or(i64::MAX);
        let start_line = report::start_line(&work.request_id);
        // What the process wrote before this belongs before it.
        self.drain_output();
        self.state.with(|state| {
            let running = Running {
                work,
                begun,
                deadline_ms: wall.as_millis().saturating_add(timeout_ms),
                log_from: self.dispatch.log().next(),
            };
            state.turn.assign(running).map_err(|back| back.work)?;
            state.limit = Some(Instant::now() + self.spec.timeout);
            self.log(start_line);
            Ok::<_, Box<Work>>(())
        })?;
        self.wake.notify_one();
        self.alarm.wake();
        Ok(())
    }

    /// Asks the instance to end.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Notes that the runtime asks for an invocation for the first time, or again.
    fn became_ready(&self) {
        let now = self.dispatch.premises().clock.now();
        self.state.with(|state| {
            if !state.was_ready {
                state.was_ready = true;
                state.init = Some(now - self.born);
            }
        });
        self.dispatch.ready(self.id);
    }

    fn log(&self, text: String) {
        let at = self.dispatch.premises().clock.wall();
        self.dispatch.log().push(at, &self.stream, text);
    }

    fn drain_output(&self) {
        if let Some(output) = self.output.get() {
            output.drain(|line| self.log(line));
        }
    }

    /// Closes an invocation: its log, its report, its answer.
    fn finish(&self, running: Running, payload: Bytes, ending: Ending) {
        let Running {
            work,
            begun,
            deadline_ms: _,
            log_from,
        } = running;
        let clock = &self.dispatch.premises().clock;
        let (now, wall) = (clock.now(), clock.wall());
        self.drain_output();
        let status = match ending {
            Ending::Returned | Ending::Reported | Ending::TooLarge => Status::Answered,
            Ending::TimedOut => {
                let timeout = self.spec.timeout;
                self.log(report::timed_out_message(wall, &work.request_id, timeout));
                Status::TimedOut
            }
            Ending::Exited | Ending::NotStarted => Status::Exited,
        };
        self.log(report::end_line(&work.request_id));
        let used_mb = self.memory_peak(now);
        self.log(report::report_line(&Report {
            request_id: &work.request_id,
            duration: now - begun,
            memory_mb: self.spec.memory_mb,
            used_mb,
            init: self.state.with(|state| state.init.take()),
            status,
        }));
        let log_tail = match work.log {
            LogWanted::None => None,
            LogWanted::Tail => Some(self.dispatch.log().tail(log_from, &self.stream)),
        };
        // Who asked may have given up; then nobody reads the answer.
        let _ = work.reply.send(Ok(Answer {
            request_id: work.request_id,
            payload,
            ending,
            log_tail,
        }));
        drop(work.open);
    }

    fn memory_peak(&self, now: Moment) -> Option<u64> {
        let known = self.state.with(|state| state.memory);
        let fresh = |(at, _): &(Moment, u64)| now.since(*at) < MEMORY_READ_EVERY;
        if let Some((_, peak)) = known.filter(fresh) {
            return Some(peak);
        }
        let read = memory_peak_mb(*self.process_number.get()?);
        if let Some(peak) = read {
            self.state.with(|state| state.memory = Some((now, peak)));
        }
        // A process that is gone is reported with what it was last seen to use.
        read.or_else(|| known.map(|(_, peak)| peak))
    }
}
