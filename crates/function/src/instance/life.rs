//! The life of an instance: started, served until it is over, ended with everything it had.
//!
//! It knows no HTTP; [`crate::instance::api`] answers what the process asks.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::process::ExitStatus;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::call::Ending;
use crate::environment::{self, Place};
use crate::instance::output::Output;
use crate::instance::process::Process;
use crate::instance::turn::{Numbered, Readiness};
use crate::instance::{Seat, StartError, api};
use crate::limits::{CONNECTIONS_MAX, INIT_MAX};
use crate::pool::Ended;
use crate::report;

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

/// How the life of an instance ended.
enum Gone {
    Stopped,
    TimedOut,
    Exited(io::Result<ExitStatus>),
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
