//! Tests of paths and ports, over a machine that is made up.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use base::region::RegionName;
use insta::assert_snapshot;

use super::{Listening, Surroundings, ThisMachine, check_surroundings};
use crate::model::{Manifest, Transport};
use crate::parse::parse;
use crate::problem::Problem;
use crate::report::{Dress, render};

/// A machine with one readable path and some taken ports.
struct Machine {
    readable: &'static str,
    taken: BTreeSet<&'static str>,
}

impl Surroundings for Machine {
    fn read(&self, path: &Path) -> io::Result<()> {
        if path == Path::new(self.readable) {
            Ok(())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn bind(&self, address: SocketAddr, transport: Transport) -> io::Result<()> {
        if self.taken.contains(&*format!("{address}/{transport}")) {
            Err(io::ErrorKind::AddrInUse.into())
        } else {
            Ok(())
        }
    }
}

#[test]
fn unreadable_path() {
    let machine = machine("other", &[]);
    let problems = check_surroundings(&manifest(), &Listening::Nothing, &machine);
    assert_snapshot!(render(&problems, Dress::Plain), @r#"
    H0031

      × the code of function `cart` cannot be read: it is not there
       ╭─[hither.toml:8:8]
     7 │ runtime = "provided.al2023"
     8 │ code = "bootstrap"
       ·        ─────┬─────
       ·             ╰── this path
       ╰────
      help: build it first; paths start at this file's folder

    1 mistake, 0 hints
    "#);
}

#[test]
fn port_taken() {
    let machine = machine("bootstrap", &["127.0.0.12:5300/UDP"]);
    let problems = check_surroundings(&manifest(), &Listening::Laptop, &machine);
    assert_snapshot!(render(&problems, Dress::Plain), @r#"
    H0032

      × `eu-west-1` cannot listen on 127.0.0.12:5300/UDP: the port is taken
       ╭─[hither.toml:5:1]
     4 │ us-east-1 = { address = "198.51.100.1" }
     5 │ eu-west-1 = {}
       · ────┬────
       ·     ╰── needs `dns`
     6 │ [functions.cart]
       ╰────
      help: stop the program that holds it, or set another `dns` for this region

    1 mistake, 0 hints
    "#);
}

#[test]
fn a_regions_taken_ports_are_one_mistake() {
    let machine = machine(
        "bootstrap",
        &[
            "127.0.0.12:4566/TCP",
            "127.0.0.12:5300/UDP",
            "127.0.0.12:7101/UDP",
        ],
    );
    let problems = check_surroundings(&manifest(), &Listening::Laptop, &machine);
    assert_snapshot!(render(&problems, Dress::Plain), @r#"
    H0032

      × `eu-west-1` cannot listen: 3 ports are taken: 127.0.0.12:4566/TCP, 127.0.0.12:5300/UDP,
      │ 127.0.0.12:7101/UDP
       ╭─[hither.toml:5:1]
     4 │ us-east-1 = { address = "198.51.100.1" }
     5 │ eu-west-1 = {}
       · ────┬────
       ·     ╰── needs `api`, `dns`, `gossip`
     6 │ [functions.cart]
       ╰────
      help: stop what holds them, perhaps another `hither up`, or set other `api`, `dns`, `gossip` for
            this region

    1 mistake, 0 hints
    "#);
}

#[test]
fn only_the_ports_that_are_about_to_be_bound() {
    let machine = machine(
        "bootstrap",
        &["127.0.0.12:4566/TCP", "198.51.100.1:443/TCP"],
    );
    let count = |listening| check_surroundings(&manifest(), &listening, &machine).len();
    let region = |name| RegionName::parse(name).expect("a region's name");
    assert_eq!(count(Listening::Nothing), 0);
    assert_eq!(count(Listening::Laptop), 1);
    assert_eq!(
        count(Listening::Region(region("us-east-1"))),
        1,
        "its public address"
    );
    assert_eq!(
        count(Listening::Region(region("eu-west-1"))),
        1,
        "it has no public one"
    );
}

#[test]
fn this_machine_looks_for_real() {
    let machine = ThisMachine::new(env!("CARGO_MANIFEST_DIR").into());
    assert!(machine.read(Path::new("Cargo.toml")).is_ok());
    assert!(machine.read(Path::new("src")).is_ok());
    assert!(machine.read(Path::new("absent")).is_err());
    let held = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = held.local_addr().expect("it is bound");
    assert!(machine.bind(address, Transport::Tcp).is_err());
    drop(held);
    assert!(machine.bind(address, Transport::Tcp).is_ok());
}

fn machine(readable: &'static str, taken: &[&'static str]) -> Machine {
    Machine {
        readable,
        taken: taken.iter().copied().collect(),
    }
}

fn manifest() -> Manifest {
    let text = r#"[project]
name = "shop"
[regions]
us-east-1 = { address = "198.51.100.1" }
eu-west-1 = {}
[functions.cart]
runtime = "provided.al2023"
code = "bootstrap"
"#;
    let (manifest, problems) = parse(text, "hither.toml");
    assert!(!problems.iter().any(Problem::is_error));
    manifest.expect("no mistakes")
}
