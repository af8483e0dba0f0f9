//! What a machine must have before tests are run: all that is missing, told at once.
//!
//! It installs nothing: that is for whoever owns the machine.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// A program that tests call by its name.
struct Need {
    /// What it is called.
    name: &'static str,
    /// A command that succeeds where it is there.
    probe: &'static [&'static str],
    /// What Debian calls it.
    package: &'static str,
}

const NEEDS: [Need; 7] = [
    Need {
        name: "a C compiler",
        probe: &["cc", "--version"],
        package: "gcc libc6-dev",
    },
    Need {
        name: "git",
        probe: &["git", "--version"],
        package: "git",
    },
    Need {
        name: "python3 with venv",
        probe: &["python3", "-c", "import venv"],
        package: "python3-venv",
    },
    Need {
        name: "pip",
        probe: &[
            "sh",
            "-c",
            "python3 -m pip --version || pip3 --version || pip --version",
        ],
        package: "python3-pip",
    },
    Need {
        name: "dig",
        probe: &["dig", "-v"],
        package: "bind9-dnsutils",
    },
    Need {
        name: "curl",
        probe: &["curl", "--version"],
        package: "curl",
    },
    Need {
        name: "openssl",
        probe: &["openssl", "version"],
        package: "openssl",
    },
];

/// Checks that the machine has what tests call.
///
/// Errors: with everything that it has not, and how Debian gets it.
pub(crate) fn check() -> Result<()> {
    check_with(succeeds)
}

fn check_with(is_there: impl Fn(&[&str]) -> bool) -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !is_there(need.probe)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|need| need.name).collect();
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    bail!(
        "tests need what is not here: {}\nhint: on Debian: apt-get install {}",
        names.join(", "),
        packages.join(" ")
    )
}

fn succeeds(probe: &[&str]) -> bool {
    let Some((program, words)) = probe.split_first() else {
        return false;
    };
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    //! Tests of what is told to be missing.

    use super::{check_with, succeeds};

    #[test]
    fn all_that_is_missing_is_told_at_once() {
        assert!(check_with(|_| true).is_ok());
        let here = |probe: &[&str]| !matches!(probe.first(), Some(&("dig" | "openssl")));
        let error = check_with(here).expect_err("two are missing").to_string();
        assert_eq!(
            error,
            "tests need what is not here: dig, openssl\n\
             hint: on Debian: apt-get install bind9-dnsutils openssl"
        );
    }

    #[test]
    fn a_probe_fails_where_its_program_is_missing() {
        assert!(succeeds(&["true"]));
        assert!(!succeeds(&["false"]));
        assert!(!succeeds(&["hither-no-such-program"]));
    }
}
