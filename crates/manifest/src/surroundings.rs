//! What a manifest needs of the machine: readable paths and free ports.
//!
//! The looking itself goes through a port, so that tests need neither files nor sockets.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::ops::Range;
use std::path::{Path, PathBuf};

use base::region::RegionName;

use crate::model::{Located, Manifest, Port, Region, Site, Transport};
use crate::problem::{Code, Problem};

/// Looks at the machine.
pub trait Surroundings {
    /// Opens a file or folder for reading; relative paths start at the manifest's folder.
    fn read(&self, path: &Path) -> io::Result<()>;

    /// Binds an address and lets it go again.
    fn bind(&self, address: SocketAddr, transport: Transport) -> io::Result<()>;
}

/// Which ports are about to be bound here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listening {
    /// None: the file is only checked.
    Nothing,
    /// All regions, each on its laptop address.
    Laptop,
    /// One region on its own machine.
    Region(RegionName),
}

/// Reports paths that cannot be read and ports that cannot be bound, all of them.
pub fn check_surroundings(
    manifest: &Manifest,
    listening: &Listening,
    surroundings: &impl Surroundings,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for function in &manifest.functions {
        let named = format!("the code of function `{}`", function.name);
        problems.extend(read(manifest, surroundings, &named, &function.code));
    }
    for domain in &manifest.domains {
        let Some(certificate) = &domain.certificate else {
            continue;
        };
        let named = format!("the certificate of `{}`", domain.name);
        problems.extend(read(manifest, surroundings, &named, &certificate.cert));
        let named = format!("the key of `{}`", domain.name);
        problems.extend(read(manifest, surroundings, &named, &certificate.key));
    }
    for region in &manifest.regions {
        let site = match listening {
            Listening::Laptop => Some(&region.laptop),
            Listening::Region(name) if *name == region.name => {
                Some(region.site.as_ref().unwrap_or(&region.laptop))
            }
            Listening::Nothing | Listening::Region(_) => None,
        };
        if let Some(site) = site {
            problems.extend(bind(manifest, surroundings, region, site));
        }
    }
    problems
}

fn read(
    manifest: &Manifest,
    surroundings: &impl Surroundings,
    named: &str,
    path: &Located<String>,
) -> Option<Problem> {
    let error = surroundings.read(Path::new(&path.value)).err()?;
    let message = format!("{named} cannot be read: {}", reason(&error));
    let fix = if error.kind() == io::ErrorKind::NotFound {
        "build it first; paths start at this file's folder"
    } else {
        "give a path that this user may read"
    };
    Some(
        start(manifest, Code::UnreadablePath, &path.span, message)
            .label("this path")
            .fix(fix),
    )
}

/// Binds all ports of a region; what is refused for the same reason is one mistake.
fn bind(
    manifest: &Manifest,
    surroundings: &impl Surroundings,
    region: &Region,
    site: &Site,
) -> Vec<Problem> {
    let mut refused: Vec<Refused> = Vec::new();
    for port in Port::ALL {
        let socket = site.socket(port);
        let refusal = port
            .transports()
            .iter()
            .find_map(|transport| Some((transport, surroundings.bind(socket, *transport).err()?)));
        let Some((transport, error)) = refusal else {
            continue;
        };
        let place = format!("{socket}/{transport}");
        match refused
            .iter_mut()
            .find(|one| one.error.kind() == error.kind())
        {
            Some(alike) => alike.ports.push((port, place)),
            None => refused.push(Refused {
                error,
                ports: vec![(port, place)],
            }),
        }
    }
    let problems = refused.iter();
    problems
        .map(|one| not_bound(manifest, region, one))
        .collect()
}

/// Ports of a region that cannot be bound, all for one reason.
struct Refused {
    error: io::Error,
    /// Each with its address, as it is shown.
    ports: Vec<(Port, String)>,
}

fn not_bound(manifest: &Manifest, region: &Region, refused: &Refused) -> Problem {
    let Refused { error, ports } = refused;
    let places: Vec<&str> = ports.iter().map(|(_, place)| &**place).collect();
    let keys: Vec<String> = ports
        .iter()
        .map(|(port, _)| format!("`{}`", port.key()))
        .collect();
    let (places, keys) = (places.join(", "), keys.join(", "));
    let many = 1 < ports.len();
    let is_taken = error.kind() == io::ErrorKind::AddrInUse;
    let name = &region.name;
    let message = if many && is_taken {
        let count = ports.len();
        format!("`{name}` cannot listen: {count} ports are taken: {places}")
    } else {
        format!("`{name}` cannot listen on {places}: {}", reason(error))
    };
    let fix = if many && is_taken {
        format!(
            "stop what holds them, perhaps another `hither up`, or set other {keys} for this region"
        )
    } else if is_taken {
        format!("stop the program that holds it, or set another {keys} for this region")
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        format!("set {keys} to 1024 or more, or allow this user low ports")
    } else {
        "give an address of this machine".to_owned()
    };
    start(manifest, Code::PortTaken, &region.span, message)
        .label(format!("needs {keys}"))
        .fix(fix)
}

fn start(manifest: &Manifest, code: Code, span: &Range<usize>, message: String) -> Problem {
    Problem::new(&manifest.source, code, span.clone(), message)
}

fn reason(error: &io::Error) -> String {
    let known = REASONS.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or_else(|| error.to_string(), |(_, reason)| (*reason).to_owned())
}

/// What the common refusals mean to a person.
const REASONS: [(io::ErrorKind, &str); 4] = [
    (io::ErrorKind::NotFound, "it is not there"),
    (io::ErrorKind::PermissionDenied, "permission denied"),
    (io::ErrorKind::AddrInUse, "the port is taken"),
    (
        io::ErrorKind::AddrNotAvailable,
        "this machine does not have the address",
    ),
];

/// The machine that this process runs on.
#[derive(Clone, Debug)]
pub struct ThisMachine {
    folder: PathBuf,
}

impl ThisMachine {
    /// Makes the port; relative paths start at `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }
}

impl Surroundings for ThisMachine {
    fn read(&self, path: &Path) -> io::Result<()> {
        let path = self.folder.join(path);
        if std::fs::metadata(&path)?.is_dir() {
            std::fs::read_dir(path).map(drop)
        } else {
            File::open(path).map(drop)
        }
    }

    fn bind(&self, address: SocketAddr, transport: Transport) -> io::Result<()> {
        match transport {
            Transport::Tcp => TcpListener::bind(address).map(drop),
            Transport::Udp => UdpSocket::bind(address).map(drop),
        }
    }
}

#[cfg(test)]
mod tests;
