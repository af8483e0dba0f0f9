//! One instance of a function: its process, its Runtime API, its time limits and its log.
//!
//! It chooses no work: [`crate::dispatch`] hands it over. All of an instance is one task, so
//! ending the task ends the process, its connections and its timers together.

pub(crate) mod api;
pub(crate) mod output;
pub(crate) mod process;
pub(crate) mod turn;

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::process::ExitStatus;
use std::sync::{Arc, OnceLock};
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use clock::time::Moment;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use futures_util::task::AtomicWaker;
use gateway_core::invoke::InvokeError;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::call::{Answer, Ending, LogWanted};
use crate::dispatch::Dispatch;
use crate::environment::{self, Place};
use crate::instance::output::Output;
use crate::instance::process::{Process, memory_peak_mb};
use crate::instance::turn::{Numbered, Readiness, Turn};
use crate::limits::{CONNECTIONS_MAX, INIT_MAX, MEMORY_READ_EVERY};
use crate::locked::Locked;
use crate::pool::{Ended, InstanceId};
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

/// How the life of an instance ended.
enum Gone {
    Stopped,
    TimedOut,
    Exited(io::Result<ExitStatus>),
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

/// Lives one instance through, from unpacking its code to the end of its process.
pub(crate) async fn live(seat: Arc<Seat>) {
    let farewell = Farewell(&seat);
    let ended = match start(&seat).await {
        Ok((process, listener)) => {
            let gone = serve(&seat, process, &listener).await;
            end(&seat, gone)
        }
        Err(error) => {
            seat.log(format!("{}: {}", error.0, error.1));
            Ended::Failed(Arc::new(StartError::Failed(error.0, error.1)))
        }
    };
    farewell.say(ended);
}

/// Tells the pool that an instance is gone, also when its task panics.
struct Farewell<'a>(&'a Arc<Seat>);

impl Farewell<'_> {
    fn say(self, ended: Ended<Arc<StartError>>) {
        self.0.dispatch.ended(self.0.id, ended);
    }
}

impl Drop for Farewell<'_> {
    fn drop(&mut self) {
        // After `say` this finds the instance gone and does nothing.
        let lost = StartError::Failed("Sandbox.Failure", "the instance was lost".to_owned());
        self.0
            .dispatch
            .ended(self.0.id, Ended::Failed(Arc::new(lost)));
    }
}

async fn start(seat: &Arc<Seat>) -> Result<(Process, TcpListener), (&'static str, String)> {
    let (premises, spec) = (seat.dispatch.premises(), &seat.spec);
    let code = premises.codes.prepare(spec.code, &*premises.entropy).await;
    let code = code.map_err(|error| ("Runtime.InvalidTaskConfig", chain(&error)))?;
    let entry = |error: String| ("Runtime.InvalidEntrypoint", error);
    let program = premises.interpreters.program(spec, &code.path).await;
    let program = program.map_err(|error| entry(chain(&error)))?;
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let internal = |error: String| ("Sandbox.Failure", error);
    let listener = net::listen::tcp(loopback).map_err(|error| internal(chain(&error)))?;
    let address = listener.local_addr();
    let address = address
        .map_err(|error| internal(chain(&error)))?
        .to_string();
    let place = Place {
        task_root: &code.path,
        runtime_api: &address,
        log_stream: &seat.stream,
    };
    let variables = environment::variables(spec, &premises.surroundings, place);
    let started = Process::start(&program, &code.path, &variables).await;
    let (process, output) =
        started.map_err(|error| entry(format!("start {}: {error}", program.path.display())))?;
    // Both are set here alone, once.
    let _ = seat.process_number.set(process.number());
    let _ = seat.output.set(Output::new(output, code));
    seat.state
        .with(|state| state.limit = Some(Instant::now() + INIT_MAX));
    Ok((process, listener))
}

async fn serve(seat: &Arc<Seat>, mut process: Process, listener: &TcpListener) -> Gone {
    let Some(output) = seat.output.get() else {
        return Gone::Stopped;
    };
    let mut connections = FuturesUnordered::new();
    let gone = loop {
        tokio::select! {
            status = process.wait() => break Gone::Exited(status),
            () = seat.stop.cancelled() => break Gone::Stopped,
            () = limit_reached(seat) => break Gone::TimedOut,
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                if let Ok((stream, _)) = accepted {
                    // Small answers leave at once; a socket that cannot promise it still works.
                    let _ = stream.set_nodelay(true);
                    connections.push(connection(seat, stream));
                }
            }
            Some(()) = connections.next() => {}
            () = output.readable() => output.drain(|line| seat.log(line)),
        }
    };
    match gone {
        Gone::TimedOut => process.kill().await,
        // A runtime that still answers may do so while it is asked to end.
        Gone::Stopped => {
            let mut stopping = pin!(process.stop());
            loop {
                tokio::select! {
                    () = &mut stopping => break,
                    Some(()) = connections.next() => {}
                }
            }
        }
        Gone::Exited(_) => drop(process),
    }
    gone
}

async fn connection(seat: &Arc<Seat>, stream: tokio::net::TcpStream) {
    let service =
        service_fn(|request| async { Ok::<_, Infallible>(api::answer(seat, request).await) });
    let served = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, stream = %seat.stream, "a runtime's connection broke");
    }
}

/// Waits until the instance has used up its time, whatever it is doing.
async fn limit_reached(seat: &Seat) {
    let mut sleep = pin!(tokio::time::sleep(Duration::ZERO));
    let mut armed: Option<Instant> = None;
    poll_fn(|ctx| {
        seat.alarm.register(ctx.waker());
        loop {
            let Some(limit) = seat.state.with(|state| state.limit) else {
                return Poll::Pending;
            };
            // A timer that is set for an earlier moment stays: when it fires, the limit of that
            // moment counts. So the timer moves once a time limit, not once an invocation.
            if armed.is_none_or(|armed| limit < armed) {
                sleep.as_mut().reset(limit);
                armed = Some(limit);
            }
            ready!(sleep.as_mut().poll(ctx));
            armed = None;
            if limit <= Instant::now() {
                return Poll::Ready(());
            }
        }
    })
    .await;
}

/// Closes what the instance leaves, and says how it ended.
fn end(seat: &Seat, gone: Gone) -> Ended<Arc<StartError>> {
    seat.drain_output();
    if let Some(output) = seat.output.get() {
        output.finish(|line| seat.log(line));
    }
    let ((running, readiness), reported) = seat
        .state
        .with(|state| (state.turn.end(), state.init_error.take()));
    let lived = seat.dispatch.premises().clock.now() - seat.born;
    let (error_type, message, ending) = match &gone {
        Gone::TimedOut => {
            let limit = match readiness {
                Readiness::WasReady => seat.spec.timeout,
                Readiness::NeverReady => INIT_MAX,
            };
            let limit = limit.as_secs_f64();
            let message = format!("Task timed out after {limit:.2} seconds");
            ("Sandbox.Timedout", message, Ending::TimedOut)
        }
        Gone::Exited(status) => ("Runtime.ExitError", exit_message(status), Ending::Exited),
        Gone::Stopped => {
            let message = "the instance was stopped".to_owned();
            ("Sandbox.Failure", message, Ending::Exited)
        }
    };
    if let Some(running) = running {
        let message = format!("RequestId: {} Error: {message}", running.request_id());
        if !matches!(gone, Gone::TimedOut) {
            seat.log(message.clone());
        }
        seat.finish(running, report::error_body(error_type, &message), ending);
    } else if readiness == Readiness::NeverReady {
        let status = match (&gone, &reported) {
            (_, Some(_)) | (Gone::Exited(_), None) => "error",
            (Gone::TimedOut, None) => "timeout",
            (Gone::Stopped, None) => "stopped",
        };
        seat.log(report::init_report_line(lived, status));
    }
    match (gone, readiness, reported) {
        (_, Readiness::NeverReady, Some(body)) => {
            Ended::Failed(Arc::new(StartError::Reported(body)))
        }
        (Gone::Stopped, _, _) | (Gone::TimedOut, Readiness::WasReady, _) => Ended::Asked,
        (Gone::TimedOut, Readiness::NeverReady, None) | (Gone::Exited(_), _, _) => {
            Ended::Failed(Arc::new(StartError::Failed(error_type, message)))
        }
    }
}

fn exit_message(status: &io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
            (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
            (None, Some(signal)) => {
                let name = nix::sys::signal::Signal::try_from(signal);
                let name = name.map_or_else(|_| signal.to_string(), |s| s.as_str().to_owned());
                format!("Runtime exited with error: signal: {name}")
            }
            (None, None) => "Runtime exited".to_owned(),
        },
        Err(error) => format!("Runtime exited, and its status is unknown: {error}"),
    }
}

/// Returns an error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
