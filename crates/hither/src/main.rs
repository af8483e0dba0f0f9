//! The `hither` command.
//!
//! It parses arguments and calls the crates; it decides nothing.

#![expect(clippy::print_stdout, reason = "a command speaks on standard output")]

mod cli;

mod serve;

mod up;

mod demo;

mod status;

mod conflicts;

mod drain;

mod join;

mod verify;

mod testing;

mod check;

mod apply;

mod rollout;

mod laptop;

mod libraries;

mod chaos;

mod interrupt;

mod tenancy;

mod project;

mod progress;

mod authority;

mod http_get;

mod sample;

use std::io::IsTerminal;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, RegionCommand};

/// Threads that free each other's buffers, as those of requests and of the committer do, cost the
/// system's allocator a tenth of the processor.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if sample::is_asked_for() {
        return sample::run();
    }
    let cli = Cli::parse();
    init_log(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::from(error).context("start the runtime")),
    };
    let ended = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Up(args) => up::run(args).await,
            Command::Deploy(args) => rollout::run(args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Status(args) => status::run(args).await,
            Command::Conflicts(args) => conflicts::run(*args).await,
            Command::Region(command) => match command {
                RegionCommand::Drain(args) => drain::drain(args).await,
                RegionCommand::Undrain(args) => drain::undrain(args).await,
                RegionCommand::Invite(args) => join::invite(args).await,
                RegionCommand::Join(args) => join::join(args).await,
            },
            Command::Verify(args) => verify::run(*args).await,
            Command::Faults(args) => testing::faults(args).await,
            Command::Reset(args) => testing::reset(args).await,
            Command::Env(args) => status::env(args),
            Command::Check(args) => check::run(args),
        }
    });
    // A thread that waits for standard input waits as long as its other end is open.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// Prints what went wrong, the whole chain, and a hint where there is one.
fn fail(error: &anyhow::Error) -> ExitCode {
    // Standard error may be on the disk that is full.
    drop(writeln!(std::io::stderr(), "error: {error:#}"));
    ExitCode::FAILURE
}

/// Returns whether standard error shows colours, and its reader wants them.
pub(crate) fn is_colourful() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

fn init_log(cli: &Cli) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("HITHER_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(cli.command.log_level()));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_colourful())
        .with_writer(std::io::stderr)
        // A log that cannot be written, on a full disk, must not end what it tells of.
        .log_internal_errors(false)
        .init();
    libraries::listen();
}
