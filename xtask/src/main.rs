//! The project's own tasks: test, tidy, lint, ci, model, bench, fuzz, faults.
//!
//! It is never in the release graph. What the tasks need beyond a Rust toolchain and what
//! [`needs`] lists they install into `target/tools`, pinned.
#![expect(
    clippy::print_stdout,
    reason = "a task talks to the person who started it"
)]

mod bench;
mod ci;
mod faults;
mod fuzz;
mod lint;
mod model;
mod needs;
mod run;
mod test;
mod tidy;
mod tools;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["test", filter @ ..] => test::test(filter),
        ["tidy"] => tidy::tidy(),
        ["lint"] => lint::lint(),
        ["ci"] => ci::ci(),
        ["model"] => model::model(),
        ["tools"] => tools::tools(),
        ["bench", name] => bench::bench(name, "", bench::Form::Table),
        ["bench", name, "--json"] => bench::bench(name, "", bench::Form::Json),
        ["bench", name, "--only", part] => bench::bench(name, part, bench::Form::Table),
        ["bench", name, "--only", part, "--json"] => bench::bench(name, part, bench::Form::Json),
        ["bench-ceiling", address] => bench::serve_ceiling(address),
        ["faults", name] => faults::faults(name, &[]),
        ["faults", name, "--rounds", rounds] => faults::faults(name, &["--rounds", rounds]),
        ["fuzz", name] => fuzz::fuzz(name, fuzz::BUDGET_SECS),
        ["fuzz", name, secs] => fuzz::fuzz(name, secs),
        ["fuzz-keep", name] => fuzz::keep(name),
        ["help" | "-h" | "--help"] | [] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("error: unknown task\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(run::Verdict::Passed) => ExitCode::SUCCESS,
        Ok(run::Verdict::Failed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the root of the work tree.
fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

const USAGE: &str = "\
cargo xtask test            every test: unit, property, simulation, end to end
cargo xtask test FILTER     the tests whose names contain FILTER

cargo xtask tidy            sizes, layers, module docs, sources and forbidden words
cargo xtask lint            rustfmt, clippy, cargo-deny, typos, taplo
cargo xtask ci              lint, then test: what .ci/run does
cargo xtask model           the facts of AWS's models, and the page of operations made from them
cargo xtask bench smoke     figures beside DynamoDB Local, Knot and nginx; --json for machines
cargo xtask bench dynamodb  every kind of request beside DynamoDB Local, dynoxide, dynalite
                            and what HTTP and the disk allow; a part of it with --only,
                            such as --only ours,GetItem,items=10000,connections=16
cargo xtask bench replication  how soon a write is there, what replicas cost, a minute's cut, a
                            new replica, Cassandra; --only visible,rate,partition,copy,cassandra
cargo xtask faults NAME     real regions harmed, by a ledger of what was acknowledged: kill, power,
                            eio, rot, full, clocks, freeze, or all; --rounds N
cargo xtask fuzz NAME [S]   libFuzzer on one target, or on `all`, for S seconds each (60)
cargo xtask fuzz-keep NAME  add the few found inputs that reach the most to fuzz/corpus
cargo xtask tools           install the pinned tools and say where they are";
