//! The certificates by which a project's nodes know each other.
//!
//! They are not the certificates of users' domains. The authority follows from the project's key
//! alone, so that every node that has the key makes the same one, and none must hand it out.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use tokio::sync::watch;

use base::region::RegionName;
use clock::port::Clock;
use clock::time::WallTime;
use control::project::{Project, ProjectKey};
use net::authority::{Authority, AuthorityError, Leaf, Validity};
use net::tasks::Tasks;
use net::tls::mutual::{self, Mutual};
use net::tls::pinned::Pin;
use replica::greeting;
use replica::joining::invitations::Welcome;

use crate::limits::{LEAF_LIFE, LEAF_LOOK, LEAF_PAST};

/// A certificate could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It could not be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// It could not be used.
    #[error("use the node's certificate")]
    Tls(#[from] rustls::Error),
}

/// Makes the certificate of a region's gateway, for the names under which peers and probes know
/// it. Returns the authority's, too.
///
/// Errors: [`IdentityError`].
pub fn of_gateway(
    project: &str,
    key: &ProjectKey,
    region: &RegionName,
) -> Result<(CertifiedKey, CertificateDer<'static>), IdentityError> {
    let authority = authority(project, key)?;
    let leaf = Leaf {
        subject: format!("{region} of {project}"),
        names: vec![
            format!("gateway.{region}.hither.internal"),
            format!("*.execute-api.{region}.hither.internal"),
        ],
        validity: None,
    };
    Ok((authority.issue(&leaf)?, authority.certificate().clone()))
}

/// Makes the certificate of a region's links, and another one in good time for as long as the
/// node runs.
///
/// Errors: [`IdentityError`], of the first one; that no other can be made is logged.
pub fn of_links(
    project: &Project,
    clock: &Arc<dyn Clock>,
    tasks: &Tasks,
) -> Result<watch::Receiver<Arc<Mutual>>, IdentityError> {
    let links = LinkIdentity {
        authority: authority(&project.name, &project.key)?,
        project: project.name.clone(),
        region: project.region.clone(),
        clock: Arc::clone(clock),
    };
    let (mut validity, first) = links.make()?;
    let (sender, receiver) = watch::channel(Arc::new(first));
    tasks.spawn(async move {
        loop {
            // Looked at often by the wall clock: it may jump, and a machine may sleep.
            tokio::time::sleep(LEAF_LOOK).await;
            if !is_due(validity, links.clock.wall()) {
                continue;
            }
            match links.make() {
                Ok((renewed, made)) => {
                    validity = renewed;
                    sender.send_replace(Arc::new(made));
                    tracing::info!(
                        until = validity.to.as_secs(),
                        "links have a new certificate"
                    );
                }
                Err(error) => tracing::error!(%error, "links cannot have a new certificate"),
            }
        }
    });
    Ok(receiver)
}

/// Returns what the project's authority is known by to whoever has not its key yet.
///
/// Errors: [`IdentityError`].
pub fn pin(project: &str, key: &ProjectKey) -> Result<Pin, IdentityError> {
    Ok(Pin::of(authority(project, key)?.certificate()))
}

/// Returns what a machine is given that joins.
pub fn welcome(project: &Project) -> Welcome {
    Welcome {
        project: project.name.clone(),
        key: project.key.0,
    }
}

struct LinkIdentity {
    authority: Authority,
    project: String,
    region: RegionName,
    clock: Arc<dyn Clock>,
}

impl LinkIdentity {
    fn make(&self) -> Result<(Validity, Mutual), IdentityError> {
        let validity = validity(self.clock.wall());
        let leaf = Leaf {
            subject: format!("links of {} of {}", self.region, self.project),
            names: vec![greeting::certificate_name(&self.region)],
            validity: Some(validity),
        };
        let mut own = self.authority.issue(&leaf)?;
        // Whoever joins knows the authority by its hash alone, and has to be shown it.
        own.cert.push(self.authority.certificate().clone());
        let (authority, clock) = (self.authority.certificate(), Arc::clone(&self.clock));
        let made = mutual::mutual(own, authority, &greeting::PROTOCOLS, clock)?;
        Ok((validity, made))
    }
}

/// Returns from when to when a certificate counts that is made at `now`.
fn validity(now: WallTime) -> Validity {
    let from = moved(now, -seconds(LEAF_PAST));
    Validity {
        from,
        to: moved(from, seconds(LEAF_LIFE)),
    }
}

/// Decides whether a certificate is to be replaced: two thirds of its life are over, or the clock
/// was set back to before it.
fn is_due(validity: Validity, now: WallTime) -> bool {
    let due = moved(validity.from, seconds(LEAF_LIFE) * 2 / 3);
    now < validity.from || due <= now
}

fn moved(time: WallTime, secs: i64) -> WallTime {
    WallTime::from_micros(time.as_micros().saturating_add(secs * 1_000_000))
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn authority(project: &str, key: &ProjectKey) -> Result<Authority, AuthorityError> {
    let seed = blake3::derive_key("hither 2026 project authority", &key.0);
    Authority::from_seed(&format!("Hither project {project}"), &seed)
}

#[cfg(test)]
mod tests;
