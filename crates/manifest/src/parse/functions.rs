//! `[functions.*]`: code, runtime, environment and bounds.
//!
//! Whether the code can be read is not asked here; see `surroundings`.

use std::time::Duration;

use crate::limits::{
    CONCURRENCY_MAX, ENVIRONMENT_BYTES_MAX, FUNCTION_MEMORY_MIB, FUNCTION_TIMEOUT,
};
use crate::model::{Function, Located};
use crate::parse::NamedFunction;
use crate::parse::section::{Entry, Section};
use crate::problem::Code;

pub(super) fn read(root: &Section<'_>) -> Vec<NamedFunction> {
    let example = "[functions.cart]";
    let Some(section) = root
        .entry("functions")
        .and_then(|entry| entry.names(example))
    else {
        return Vec::new();
    };
    let named = section.entries().into_iter().map(|entry| NamedFunction {
        name: entry.key.value.to_owned(),
        read: function(&entry),
    });
    named.collect()
}

fn function(entry: &Entry<'_>) -> Option<Function> {
    let name = entry.key.value;
    let shaped = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !shaped {
        entry.bad_name("function", "1 to 64 characters of a-z, A-Z, 0-9, - and _");
    }
    let section = entry.section(&KEYS, "[functions.cart]")?;
    let runtime = section
        .required("runtime", "runtime = \"provided.al2023\"")
        .and_then(|entry| runtime(&entry));
    let code = section
        .required("code", "code = \"target/lambda/cart/bootstrap\"")
        .and_then(|entry| path(&entry));
    let handler = section
        .entry("handler")
        .and_then(|entry| entry.text("handler = \"bootstrap\""))
        .map_or("bootstrap", |text| text.value);
    let timeout = section
        .entry("timeout")
        .and_then(|entry| entry.duration(FUNCTION_TIMEOUT, "timeout = \"10s\""));
    let memory = section.entry("memory").and_then(|entry| memory(&entry));
    let concurrency = section
        .entry("concurrency")
        .and_then(|entry| entry.integer((1, CONCURRENCY_MAX), "concurrency = 100"));
    Some(Function {
        name: name.to_owned(),
        runtime: runtime?,
        code: code?,
        handler: handler.to_owned(),
        environment: section
            .entry("environment")
            .map_or_else(Vec::new, |entry| environment(&entry)),
        timeout: timeout.unwrap_or(TIMEOUT_DEFAULT),
        memory_mib: memory.unwrap_or(MEMORY_MIB_DEFAULT),
        concurrency: concurrency.and_then(|number| u32::try_from(number).ok()),
    })
}

fn runtime(entry: &Entry<'_>) -> Option<String> {
    let text = entry.text("runtime = \"provided.al2023\"")?.value;
    if RUNTIMES.contains(&text) {
        return Some(text.to_owned());
    }
    let message = format!("runtime `{text}` is not offered");
    let fix = "use `provided.al2023`: any program that speaks the Lambda Runtime API";
    entry.problem(Code::Unsupported, message, "not offered", fix);
    None
}

/// Reads a path; it is resolved against the manifest's folder when it is opened.
pub(super) fn path(entry: &Entry<'_>) -> Option<Located<String>> {
    let text = entry.text("code = \"target/lambda/cart/bootstrap\"")?;
    if text.value.is_empty() || text.value.contains('\0') {
        let message = format!("`{}` is no path", entry.name);
        let fix = "give a path relative to this file's folder";
        entry.problem(Code::UnreadablePath, message, "not a path", fix);
        return None;
    }
    Some(Located {
        value: text.value.to_owned(),
        span: text.span,
    })
}

fn memory(entry: &Entry<'_>) -> Option<u32> {
    let mib = entry.mebibytes(FUNCTION_MEMORY_MIB, "memory = \"256 MiB\"")?;
    u32::try_from(mib).ok()
}

fn environment(entry: &Entry<'_>) -> Vec<(String, String)> {
    let example = "environment = { TABLE = \"carts\" }";
    let entries = entry.names(example).map(|s| s.entries());
    let mut variables = Vec::new();
    let mut bytes = 0;
    for variable in entries.unwrap_or_default() {
        let Some(text) = variable.text(example) else {
            continue;
        };
        let name = variable.key.value;
        bytes += name.len() + text.value.len();
        let shaped = 2 <= name.len()
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let wrong = if RESERVED.contains(&name) || name.starts_with("AWS_LAMBDA_") {
            Some("Lambda sets this variable itself: leave it out")
        } else if !shaped {
            Some("a variable's name is two or more letters, digits and _, a letter first")
        } else {
            None
        };
        match wrong {
            None => variables.push((name.to_owned(), text.value.to_owned())),
            Some(fix) => {
                let message = format!("variable `{name}` is refused by Lambda");
                let span = variable.key.span.clone();
                let ctx = variable.ctx;
                ctx.problem(Code::BadEnvironment, span, message, "not allowed", fix);
            }
        }
    }
    if ENVIRONMENT_BYTES_MAX < bytes {
        let message = format!("`{}` is larger than 4 KiB", entry.name);
        let fix = "keep large values in a table or a file of the code";
        let label = format!("{bytes} bytes in here");
        entry.problem(Code::BadEnvironment, message, &label, fix);
    }
    variables
}

const KEYS: [&str; 7] = [
    "runtime",
    "code",
    "handler",
    "environment",
    "timeout",
    "memory",
    "concurrency",
];

/// Runtimes that run here: the function brings its own program.
const RUNTIMES: [&str; 2] = ["provided.al2023", "provided.al2"];

/// Lambda's own default time limit.
/// Source: Lambda API reference, `CreateFunction`.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);

/// Lambda's own default memory.
/// Source: Lambda API reference, `CreateFunction`.
const MEMORY_MIB_DEFAULT: u32 = 128;

/// Variables that Lambda refuses to be given.
/// Source: Lambda developer guide, "Defined runtime environment variables".
const RESERVED: [&str; 12] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];
