//! `hither demo`: three regions on this machine, the five steps, and the story of a bad day.
//!
//! It uses nothing that a user could not: signed AWS calls, DNS queries and HTTPS requests.

mod figures;

mod hint;

mod load;

mod narrator;

mod query;

mod report;

mod shopper;

mod story;

mod tables;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use deploy::execute::State;
use manifest::model::Manifest;
use manifest::surroundings::Listening;
use wan::links::Links;

use crate::apply::{self, Target};
use crate::check;
use crate::cli::DemoArgs;
use crate::demo::narrator::Narrator;
use crate::demo::report::Report;
use crate::interrupt;
use crate::laptop::{Laptop, Restart};
use crate::progress::Lines;
use crate::sample;
use crate::up;

/// The demo's manifest: what a newcomer's own would look like.
const MANIFEST: &str = include_str!("demo/hither.toml");

/// Runs the demo. Exits with 0 when everything that it claims has held.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let lines = if args.json {
        Lines::Hidden
    } else {
        Lines::Shown
    };
    let narrator = Narrator::new(lines);
    let mut report = Report::default();
    let state = tempfile::Builder::new().prefix("hither-demo-").tempdir();
    let state = state.context("make a directory for the demo's data")?;
    let mut stage = None;
    let told = tell(state.path(), &narrator, &mut stage, &mut report).await;
    report.error = told.err().map(|error| format!("{error:#}"));
    if args.json {
        println!("{}", report.json());
    } else {
        narrator.line(&report.verdict());
    }
    if let Some(error) = report.error {
        let has_logs = stage.as_ref().is_some_and(|(_, laptop)| laptop.has_logs());
        if let Some((_, laptop)) = stage {
            laptop.stop().await;
        }
        if !has_logs {
            // What is left tells nothing: it goes with `state`.
            bail!(error);
        }
        let kept = state.keep();
        bail!("{error}\nhint: the regions' logs are in {}", kept.display());
    }
    let (manifest, mut laptop) = stage.context("a story that was told had a stage")?;
    if !args.once {
        let hint = hint::lines(&manifest, &laptop)?.join("\n");
        // Standard output holds the report alone where a machine reads it.
        if args.json {
            eprintln!("{hint}");
        } else {
            println!("{hint}");
        }
        tokio::select! {
            ended = interrupt::wait() => ended?,
            ended = laptop.supervise(Restart::OnFailure) => ended?,
        }
    }
    laptop.stop().await;
    Ok(if report.held() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Starts the regions, which are left on `stage`, and tells the story into `report`.
///
/// Errors: those of what could not be told; what was told before is in the report.
async fn tell(
    folder: &Path,
    narrator: &Narrator,
    stage: &mut Option<(Manifest, Laptop)>,
    report: &mut Report,
) -> anyhow::Result<()> {
    write_app(folder)?;
    let manifest_file = folder.join("hither.toml");
    std::fs::write(&manifest_file, MANIFEST).context("write the demo's manifest")?;
    let name = manifest_file.display().to_string();
    let manifest = check::parse(MANIFEST, &name, folder, &Listening::Laptop)
        .context("start the demo: see above; another demo may be running")?;
    narrator.heading("Three regions, each a process of its own, joined at the speed of light");
    let links = Links::public()?;
    let laptop = Laptop::prepare(&manifest, &manifest_file, folder, links, Vec::new())?;
    let (manifest, laptop) = stage.insert((manifest, laptop));
    laptop.start(&narrator.progress).await?;
    for region in laptop.names() {
        let site = laptop.site(&region)?;
        narrator.line(&format!("{region} at {}", site.address));
    }
    narrator.heading("The five steps, as signed calls to each region's AWS-compatible endpoint");
    let target = Target::laptop(laptop, apply::development_key())?;
    up::put_clients(manifest, &target).await?;
    let mut deployment = narrator.deployment();
    apply::apply(manifest, folder, &target, |event| {
        if let State::Calling(command) = &event.state {
            report.steps.push(report::Step {
                number: event.step.number(),
                region: event.region.to_string(),
                command: command.clone(),
            });
        }
        deployment.tell(&event);
    })
    .await?;
    drop(deployment);
    story::tell(manifest, laptop, narrator, report).await
}

/// Writes the sample app's package: a `bootstrap` that becomes the app.
fn write_app(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let app = folder.join("cart");
    std::fs::create_dir_all(&app).context("make the app's directory")?;
    let file = app.join("bootstrap");
    std::fs::write(&file, sample::bootstrap()).context("write the app's bootstrap")?;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&file, mode).context("make the app's bootstrap executable")
}
