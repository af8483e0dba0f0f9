//! Peers from Debian's packages: those that are installed, or unpacked under `target/tools`.
//!
//! No root is needed: nothing is installed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::run;
use crate::tools::target;

/// Returns a command for `program`; unpacks the packages that hold it when it is not installed.
pub(super) fn command(program: &str, packages: &[&str]) -> Result<Command> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    folders.extend(["/usr/sbin".into(), "/sbin".into()]);
    if let Some(installed) = folders
        .iter()
        .map(|folder| folder.join(program))
        .find(|p| p.is_file())
    {
        return Ok(Command::new(installed));
    }
    let root = target().join("tools/debian");
    let find = || {
        let folders = ["usr/bin", "usr/sbin"].map(|folder| root.join(folder).join(program));
        folders.into_iter().find(|path| path.is_file())
    };
    if find().is_none() {
        unpack(packages, &root)?;
    }
    let path = find().with_context(|| format!("{program} is in none of {packages:?}"))?;
    let mut command = Command::new(path);
    let libraries = [
        "usr/lib/x86_64-linux-gnu",
        "usr/lib/aarch64-linux-gnu",
        "usr/lib",
    ];
    let libraries = libraries.map(|folder| root.join(folder));
    command.env("LD_LIBRARY_PATH", std::env::join_paths(libraries)?);
    Ok(command)
}

fn unpack(packages: &[&str], root: &PathBuf) -> Result<()> {
    std::fs::create_dir_all(root).context("make a folder for packages")?;
    // What would be installed, the libraries that are missing too; it needs no rights to ask.
    let listed = run::read(
        Command::new("apt-get")
            .args([
                "install",
                "--print-uris",
                "-qq",
                "-y",
                "--no-install-recommends",
            ])
            .args(["-o", "Debug::NoLocking=1"])
            .args(packages),
    )?;
    let names = listed.lines().filter_map(|line| {
        let file = line.split_whitespace().nth(1)?;
        file.split('_').next()
    });
    let names: Vec<&str> = names.collect();
    anyhow::ensure!(
        !names.is_empty(),
        "apt-get knows none of {packages:?}; run apt-get update"
    );
    run::must(
        Command::new("apt-get")
            .args(["download", "-qq"])
            .args(&names)
            .current_dir(root)
            .stdout(Stdio::null()),
    )?;
    for entry in std::fs::read_dir(root).context("list the packages")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            run::must(Command::new("dpkg").arg("-x").arg(&path).arg(root))?;
            std::fs::remove_file(&path).context("remove an unpacked package")?;
        }
    }
    Ok(())
}
