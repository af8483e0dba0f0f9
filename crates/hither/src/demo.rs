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

use std::process::ExitCode;

use anyhow::{Context, bail};

use manifest::surroundings::Listening;
use wan::links::Links;

use crate::apply::{self, Target};
use crate::check;
use crate::cli::DemoArgs;
use crate::demo::narrator::Narrator;
use crate::interrupt;
use crate::laptop::{Laptop, Restart};
use crate::sample;
use crate::up;

/// The demo's manifest: what a newcomer's own would look like.
const MANIFEST: &str = include_str!("demo/hither.toml");

/// Runs the demo. Exits with 0 when everything that it claims has held.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let narrator = Narrator::new(args.json);
    let state = tempfile::Builder::new().prefix("hither-demo-").tempdir();
    let state = state.context("make a directory for the demo's data")?;
    let folder = state.path();
    write_app(folder)?;
    let manifest_file = folder.join("hither.toml");
    std::fs::write(&manifest_file, MANIFEST).context("write the demo's manifest")?;
    let name = manifest_file.display().to_string();
    let manifest = check::parse(MANIFEST, &name, folder, &Listening::Laptop)
        .context("start the demo: see above; another demo may be running")?;

    narrator.heading("Three regions, each a process of its own, joined at the speed of light");
    let links = Links::public()?;
    let mut laptop = Laptop::start(&manifest, &manifest_file, folder, links, Vec::new()).await?;
    for region in laptop.names() {
        let site = laptop.site(&region)?;
        narrator.line(&format!("{region} at {}", site.address));
    }
    let told = tell_story(&manifest, &mut laptop, &narrator).await;
    let report = match told {
        Ok(report) => report,
        Err(error) => {
            let kept = state.keep();
            laptop.stop().await;
            bail!(
                "{error:#}\nhint: the regions' logs are in {}",
                kept.display()
            );
        }
    };
    if args.json {
        println!("{}", report.json());
    } else {
        narrator.line(&report.verdict());
    }
    if !args.once {
        hint::tell(&manifest, &laptop)?;
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

async fn tell_story(
    manifest: &manifest::model::Manifest,
    laptop: &mut Laptop,
    narrator: &Narrator,
) -> anyhow::Result<report::Report> {
    narrator.heading("The five steps, as signed calls to each region's AWS-compatible endpoint");
    let folder = laptop.state_dir.clone();
    let mut steps = Vec::new();
    let target = Target::laptop(laptop, apply::development_key())?;
    up::put_clients(manifest, &target).await?;
    apply::apply(manifest, &folder, &target, |event| {
        if let deploy::execute::State::Calling(command) = &event.state {
            steps.push(report::Step {
                number: event.step.number(),
                region: event.region.to_string(),
                command: command.clone(),
            });
        }
        narrator.event(event);
    })
    .await?;
    story::tell(manifest, laptop, narrator, steps).await
}

/// Writes the sample app's package: a `bootstrap` that becomes the app.
fn write_app(folder: &std::path::Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let app = folder.join("cart");
    std::fs::create_dir_all(&app).context("make the app's directory")?;
    let file = app.join("bootstrap");
    std::fs::write(&file, sample::bootstrap()).context("write the app's bootstrap")?;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&file, mode).context("make the app's bootstrap executable")
}
