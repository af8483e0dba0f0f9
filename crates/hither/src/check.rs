//! Reading a manifest, and telling every mistake in it at once.
//!
//! It finds no mistake itself: the crate `manifest` does.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use manifest::model::Manifest;
use manifest::problem::Problem;
use manifest::report::{Dress, render};
use manifest::surroundings::{Listening, ThisMachine, check_surroundings};

use crate::cli::CheckArgs;

/// Checks a manifest. Exits with 0 when it has no mistake, with 1 otherwise.
pub(crate) fn run(args: CheckArgs) -> anyhow::Result<ExitCode> {
    match read(&args.manifest, &Listening::Nothing)? {
        Some(manifest) => {
            let regions = manifest.regions.len();
            let domains = manifest.domains.len();
            println!(
                "{}: no mistakes; {regions} regions, {domains} domains",
                args.manifest.display()
            );
            Ok(ExitCode::SUCCESS)
        }
        None => Ok(ExitCode::FAILURE),
    }
}

/// Reads a manifest and checks it against this machine. Mistakes are printed; `None` then.
///
/// Errors: when the file cannot be read at all.
pub(crate) fn read(path: &Path, listening: &Listening) -> anyhow::Result<Option<Manifest>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("read {}; name another file with --manifest", path.display()))?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    Ok(parse(&text, &path.display().to_string(), folder, listening))
}

/// Parses a manifest's text and checks it against this machine.
pub(crate) fn parse(
    text: &str,
    name: &str,
    folder: &Path,
    listening: &Listening,
) -> Option<Manifest> {
    let (draft, mut problems) = manifest::parse::draft(text, name);
    if let Some(manifest) = &draft {
        let machine = ThisMachine::new(folder.to_owned());
        problems.extend(check_surroundings(manifest, listening, &machine));
    }
    if !problems.is_empty() {
        let dress = if crate::is_colourful() {
            Dress::Colour
        } else {
            Dress::Plain
        };
        eprint!("{}", render(&problems, dress));
    }
    draft.filter(|_| !problems.iter().any(Problem::is_error))
}
