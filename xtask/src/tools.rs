//! Tools and clients that tests and lints need, pinned, under `target/tools`.
//!
//! Nothing is installed outside the work tree, and nothing is compiled.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::run::Verdict;
use crate::{root, run};

/// The installed tools.
#[derive(Debug)]
pub(crate) struct Tools {
    bin: PathBuf,
}

impl Tools {
    /// Installs the tools unless those of this list are there already.
    ///
    /// Errors: without Python 3 and pip, or when the registry does not serve the pinned files.
    pub(crate) fn install() -> Result<Self> {
        let requirements = root().join("xtask/requirements.txt");
        let wanted = std::fs::read_to_string(&requirements).context("read the list of tools")?;
        let home = target().join("tools/venv");
        let stamp = home.join("installed.txt");
        let tools = Self {
            bin: home.join("bin"),
        };
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(tools);
        }
        println!("installing pinned tools into {}", home.display());
        if home.exists() {
            std::fs::remove_dir_all(&home).context("remove the former tools")?;
        }
        // Without pip of its own: Debian's venv has none unless a further package is installed.
        run::must(
            Command::new("python3")
                .args(["-m", "venv", "--without-pip"])
                .arg(&home),
        )?;
        run::must(
            pip()?
                .arg("--python")
                .arg(tools.program("python"))
                .args([
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--no-input",
                ])
                .args(["--require-hashes", "--only-binary=:all:", "-r"])
                .arg(&requirements),
        )?;
        std::fs::write(&stamp, wanted).context("note what is installed")?;
        Ok(tools)
    }

    /// Returns the path of an installed program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Starts a command that finds the tools, and cargo's own subcommands among them.
    pub(crate) fn command(&self, program: &str) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(self.bin.clone()).chain(std::env::split_paths(&path));
        let mut command = Command::new(program);
        if let Ok(path) = std::env::join_paths(paths) {
            command.env("PATH", path);
        }
        command.current_dir(root());
        command
    }
}

/// Finds pip: as a module of the Python on the path, or as a program of its own.
fn pip() -> Result<Command> {
    for (program, module) in [
        ("python3", &["-m", "pip"] as &[&str]),
        ("pip3", &[]),
        ("pip", &[]),
    ] {
        let mut probe = Command::new(program);
        probe
            .args(module)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if probe.status().is_ok_and(|status| status.success()) {
            let mut pip = Command::new(program);
            pip.args(module);
            return Ok(pip);
        }
    }
    anyhow::bail!("there is no pip; on Debian: apt-get install python3-pip")
}

/// `cargo xtask tools`: installs the tools and says where they are.
pub(crate) fn tools() -> Result<Verdict> {
    println!("{}", Tools::install()?.bin.display());
    Ok(Verdict::Passed)
}

/// Returns cargo's target directory.
pub(crate) fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR");
    root().join(named.unwrap_or_else(|| "target".into()))
}
