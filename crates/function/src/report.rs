//! The lines that Lambda writes around invocations, and its error bodies.
//!
//! It measures nothing. Source: Lambda developer guide, "Working with Lambda function logs";
//! the Runtime Interface Emulator.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use clock::port::Entropy;
use clock::time::WallTime;

/// Returns the line that opens an invocation's log.
pub(crate) fn start_line(request_id: &str) -> String {
    format!("START RequestId: {request_id} Version: $LATEST")
}

/// Returns the line that closes an invocation's log.
pub(crate) fn end_line(request_id: &str) -> String {
    format!("END RequestId: {request_id}")
}

/// What a report line tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) duration: Duration,
    pub(crate) memory_mb: u32,
    /// The most memory the process has had; `None` where it cannot be read any more.
    pub(crate) used_mb: Option<u64>,
    /// How long the instance took to start, for its first invocation alone.
    pub(crate) init: Option<Duration>,
    pub(crate) status: Status,
}

/// How an invocation ended, in its report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The runtime answered.
    Answered,
    /// The process was killed for taking too long.
    TimedOut,
    /// The process ended by itself.
    Exited,
}

/// Returns the line that sums an invocation up.
pub(crate) fn report_line(report: &Report<'_>) -> String {
    let Report {
        request_id,
        duration,
        memory_mb,
        used_mb,
        init,
        status,
    } = report;
    let millis = duration.as_secs_f64() * 1e3;
    let mut line = format!(
        "REPORT RequestId: {request_id}\tDuration: {millis:.2} ms\t\
         Billed Duration: {:.0} ms\tMemory Size: {memory_mb} MB\t",
        millis.ceil()
    );
    // Writing to a String cannot fail.
    if let Some(used) = used_mb {
        let _ = write!(line, "Max Memory Used: {used} MB\t");
    }
    if let Some(init) = init {
        let _ = write!(line, "Init Duration: {:.2} ms\t", init.as_secs_f64() * 1e3);
    }
    line.push_str(match status {
        Status::Answered => "",
        Status::TimedOut => "Status: timeout",
        Status::Exited => "Status: error\tError Type: Runtime.ExitError",
    });
    line
}

/// Returns the line of an instance that never asked for an invocation.
pub(crate) fn init_report_line(duration: Duration, status: &str) -> String {
    let millis = duration.as_secs_f64() * 1e3;
    format!("INIT_REPORT Init Duration: {millis:.2} ms\tPhase: init\tStatus: {status}")
}

/// Returns what a caller reads of an invocation that took too long.
pub(crate) fn timed_out_message(at: WallTime, request_id: &str, timeout: Duration) -> String {
    format!(
        "{} {request_id} Task timed out after {:.2} seconds",
        instant(at),
        timeout.as_secs_f64()
    )
}

/// Returns an error body as Lambda writes it.
pub(crate) fn error_body(error_type: &str, message: &str) -> Bytes {
    let mut body = String::with_capacity(48 + error_type.len() + message.len());
    body.push_str("{\"errorType\":\"");
    escape(error_type, &mut body);
    body.push_str("\",\"errorMessage\":\"");
    escape(message, &mut body);
    body.push_str("\"}");
    Bytes::from(body)
}

fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(into, "\\u{:04x}", u32::from(c));
            }
            c => into.push(c),
        }
    }
}

/// Returns a wall time as `2026-01-31T12:00:00.000Z`.
pub(crate) fn instant(at: WallTime) -> String {
    let format = |at: jiff::Timestamp| format!("{at:.3}");
    jiff::Timestamp::from_millisecond(at.as_millis()).map_or_else(|_| String::new(), format)
}

/// Returns a fresh name of a log stream, `2026/01/31/[$LATEST]` and 32 hexadecimal digits.
pub(crate) fn log_stream(at: WallTime, entropy: &dyn Entropy) -> String {
    let date = jiff::Timestamp::from_millisecond(at.as_millis())
        .unwrap_or_default()
        .strftime("%Y/%m/%d");
    format!(
        "{date}/[$LATEST]{:016x}{:016x}",
        entropy.random(),
        entropy.random()
    )
}

/// Returns a fresh request id: a random UUID.
/// Source: RFC 9562 §5.4.
pub(crate) fn request_id(entropy: &dyn Entropy) -> String {
    let high = (entropy.random() & !0xf000) | 0x4000;
    let low = (entropy.random() & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// Returns a fresh trace header that asks for no sampling.
/// Source: X-Ray developer guide, "Tracing header".
pub(crate) fn trace_id(at: WallTime, entropy: &dyn Entropy) -> String {
    format!(
        "Root=1-{:08x}-{:016x}{:08x};Parent={:016x};Sampled=0",
        at.as_secs(),
        entropy.random(),
        entropy.random() >> 32,
        entropy.random()
    )
}

#[cfg(test)]
mod tests;
