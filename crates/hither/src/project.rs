//! A manifest's project as a node needs it: sites resolved, the project's key read or made.
//!
//! It starts nothing.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use base::region::RegionName;
use clock::port::Entropy;
use control::project::{Project, ProjectKey, Region};
use manifest::model::{Manifest, Port, Site};

use crate::tenancy;

/// Which address of a region counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// Its own loopback address.
    Laptop,
    /// The address that the manifest gives it, else its loopback address.
    Manifest,
}

/// Returns where `hither up` keeps what it makes of a manifest.
pub(crate) fn state_dir(manifest_file: &Path, given: Option<&Path>) -> PathBuf {
    let folder = manifest_file.parent().unwrap_or_else(|| Path::new("."));
    given.map_or_else(|| folder.join(".hither"), Path::to_owned)
}

/// Returns which addresses lead to the regions: those of the laptop while `hither up` runs them.
pub(crate) fn place(state_dir: &Path) -> Where {
    match tenancy::holder(state_dir) {
        Some(_) => Where::Laptop,
        None => Where::Manifest,
    }
}

/// Returns the address and ports of a region.
pub(crate) fn site(region: &manifest::model::Region, place: Where) -> &Site {
    match place {
        Where::Laptop => &region.laptop,
        Where::Manifest => region.site.as_ref().unwrap_or(&region.laptop),
    }
}

/// Returns the project as the node of `region` sees it.
///
/// Errors: when the manifest has no such region.
pub(crate) fn project(
    manifest: &Manifest,
    region: &RegionName,
    place: Where,
    key: ProjectKey,
) -> anyhow::Result<Project> {
    if manifest.region(region).is_none() {
        let all: Vec<&str> = manifest
            .regions
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        bail!("serve region {region}: the manifest has {}", all.join(", "));
    }
    let regions = manifest.regions.iter().map(|region| {
        let site = site(region, place);
        Region {
            name: region.name.clone(),
            addresses: vec![site.address],
            api: site.socket(Port::Api),
            https: site.socket(Port::Https),
            http: site.socket(Port::Http),
            dns: site.socket(Port::Dns),
            link: site.socket(Port::Link),
            gossip: site.socket(Port::Gossip),
        }
    });
    Ok(Project {
        name: manifest.project.name.clone(),
        account: manifest.project.account,
        region: region.clone(),
        regions: regions.collect(),
        key,
    })
}

/// Reads the project's key from a file, or makes the file with a new one.
///
/// Errors: when the file is there and holds no key, or cannot be made.
pub(crate) fn key(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<ProjectKey> {
    if !path.exists() {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&entropy.random().to_be_bytes()[..chunk.len()]);
        }
        write_key(path, &bytes).with_context(|| format!("write {}", path.display()))?;
        return Ok(ProjectKey(bytes));
    }
    known_key(path)
}

/// Reads the project's key from a file.
///
/// Errors: when the file holds none.
pub(crate) fn known_key(path: &Path) -> anyhow::Result<ProjectKey> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    parse_key(text.trim()).with_context(|| {
        format!(
            "read {}: a project's key is 64 hexadecimal digits",
            path.display()
        )
    })
}

fn parse_key(text: &str) -> Option<ProjectKey> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(ProjectKey(bytes))
}

/// Writes a key for its owner's eyes only, so that a crash leaves none or a whole one.
pub(crate) fn write_key(path: &Path, bytes: &[u8; 32]) -> std::io::Result<()> {
    let here = Path::new(".");
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let parent = parent.unwrap_or(here);
    fs::create_dir_all(parent)?;
    let draft = path.with_extension("draft");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    for byte in bytes {
        write!(file, "{byte:02x}")?;
    }
    writeln!(file)?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    // A name lasts once its folder is flushed: with another key this is another project.
    fs::File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    //! Tests of the project's key.

    use clock::wall::System;

    use super::key;

    #[test]
    fn a_key_is_made_once_and_a_damaged_one_refused() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("project.key");
        let made = key(&path, &System).expect("made");
        assert_eq!(key(&path, &System).expect("read"), made);
        std::fs::write(&path, "00\n").expect("written");
        assert!(key(&path, &System).is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "00\n");
    }
}
