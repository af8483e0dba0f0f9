//! Who is invited to a project, by one region: which secrets count, for whom and how long.
//!
//! It keeps them in memory alone: a region that starts again has invited nobody. Sans-IO.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use subtle::ConstantTimeEq;

use base::region::RegionName;
use clock::time::Moment;

use crate::joining::FORMAT;
use crate::limits::INVITATION_LIFE_MAX;

/// What whoever joins is given.
#[derive(Clone, PartialEq, Eq)]
pub struct Welcome {
    /// The project's name.
    pub project: String,
    /// The secret that all nodes of the project share.
    pub key: [u8; 32],
}

/// The invitations of one region. At most one for each region that is invited.
pub struct Invitations {
    welcome: Welcome,
    open: Mutex<BTreeMap<RegionName, Invitation>>,
}

struct Invitation {
    secret: [u8; 32],
    ends: Moment,
}

/// A secret that counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uninvited {
    /// It is of no invitation that there is.
    #[error(
        "the token does not count here: it was used, another was made for the region since, or \
         the region that made it was started again"
    )]
    Unknown,
    /// It is shown in another format.
    #[error("it joins in format {0}, and this region speaks format {FORMAT} alone: another build")]
    Format(u8),
    /// It has counted.
    #[error("the token's time is over: make another")]
    Late,
}

impl Invitations {
    /// Begins without any.
    pub const fn new(welcome: Welcome) -> Self {
        Self {
            welcome,
            open: Mutex::new(BTreeMap::new()),
        }
    }

    /// Invites a region by a secret, once and for so long, and takes back what it was invited by
    /// before.
    ///
    /// Bounds: `life` counts for [`INVITATION_LIFE_MAX`] at most.
    pub fn invite(&self, now: Moment, region: RegionName, life: Duration, secret: [u8; 32]) {
        let ends = now + life.min(INVITATION_LIFE_MAX);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(region, Invitation { secret, ends });
    }

    /// Takes a secret for what it is worth, once.
    ///
    /// Errors: [`Uninvited`]; a wrong secret takes no invitation away.
    pub fn redeem(
        &self,
        now: Moment,
        region: &RegionName,
        secret: &[u8; 32],
    ) -> Result<Welcome, Uninvited> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let invitation = open.get(region).ok_or(Uninvited::Unknown)?;
        if !bool::from(invitation.secret.ct_eq(secret)) {
            return Err(Uninvited::Unknown);
        }
        let is_late = invitation.ends <= now;
        open.remove(region);
        if is_late {
            return Err(Uninvited::Late);
        }
        Ok(self.welcome.clone())
    }
}

impl fmt::Debug for Welcome {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Welcome({})", self.project)
    }
}

#[cfg(test)]
mod tests {
    //! Tests of who is let in.

    use std::time::Duration;

    use base::region::RegionName;
    use clock::time::Moment;

    use super::{Invitations, Uninvited, Welcome};
    use crate::limits::INVITATION_LIFE_MAX;

    fn region(name: &str) -> RegionName {
        RegionName::parse(name).unwrap()
    }

    fn at(secs: u64) -> Moment {
        Moment::from_micros(secs * 1_000_000)
    }

    fn welcome() -> Welcome {
        Welcome {
            project: "shop".to_owned(),
            key: [1; 32],
        }
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_secret_counts_once_and_for_its_region() {
        let invitations = Invitations::new(welcome());
        let (east, west) = (region("us-east-1"), region("us-west-2"));
        assert_eq!(
            invitations.redeem(at(0), &east, &[0; 32]),
            Err(Uninvited::Unknown)
        );
        invitations.invite(at(0), east.clone(), MINUTE, [2; 32]);
        for (region, secret) in [(&west, [2; 32]), (&east, [3; 32])] {
            let redeemed = invitations.redeem(at(1), region, &secret);
            assert_eq!(redeemed, Err(Uninvited::Unknown));
        }
        let redeemed = invitations.redeem(at(59), &east, &[2; 32]);
        assert_eq!(redeemed, Ok(welcome()));
        let again = invitations.redeem(at(59), &east, &[2; 32]);
        assert_eq!(again, Err(Uninvited::Unknown));
    }

    #[test]
    fn an_invitation_ends_and_a_later_one_takes_its_place() {
        let invitations = Invitations::new(welcome());
        let east = region("us-east-1");
        invitations.invite(at(0), east.clone(), MINUTE, [2; 32]);
        assert_eq!(
            invitations.redeem(at(60), &east, &[2; 32]),
            Err(Uninvited::Late)
        );
        invitations.invite(at(0), east.clone(), MINUTE, [3; 32]);
        invitations.invite(at(1), east.clone(), MINUTE, [4; 32]);
        assert_eq!(
            invitations.redeem(at(2), &east, &[3; 32]),
            Err(Uninvited::Unknown)
        );
        assert_eq!(invitations.redeem(at(2), &east, &[4; 32]), Ok(welcome()));
        // However long somebody wants it.
        invitations.invite(at(0), east.clone(), Duration::MAX, [5; 32]);
        let late = at(INVITATION_LIFE_MAX.as_secs());
        assert_eq!(
            invitations.redeem(late, &east, &[5; 32]),
            Err(Uninvited::Late)
        );
    }
}
