//! Compares a table here with the replicas of other regions: bucket by bucket, then key by key.
//!
//! It changes nothing, here or there. What a difference is, and what is only late,
//! `replica_core::inquiry::compare` says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future;

use base::name::TableId;
use base::region::{RegionId, RegionName};
use replica_core::digest::Digest;
use replica_core::inquiry::compare::{self, Difference};
use replica_core::inquiry::{Answer, Asked, Entry, Listed, Question, Standing, Unable};
use replica_core::vector::{Seq, VersionVector};
use store::port::Store;

use crate::asking::{self, Line, LineError};
use crate::greeting::{self, Purpose};
use crate::limits::{BUCKETS_LOOKED_AT, CONNECT_PATIENCE, DIFFERENCES_MAX, LOOKS_MAX, SUMS_ROUNDS};
use crate::links::Shared;

/// Compares this region's tables with those of its peers.
pub struct Comparer<S> {
    shared: Arc<Shared<S>>,
    peers: Arc<BTreeMap<RegionName, SocketAddr>>,
}

/// What a comparison with one region came to. The two hold the same where nothing differs, nothing
/// is left, and neither is behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// What both had applied when it began: all of that was compared.
    pub as_of: VersionVector,
    /// Keys that differ, by key; [`DIFFERENCES_MAX`] of them at most.
    pub differences: Vec<Difference>,
    /// Keys that were written too often while they were looked at.
    pub unjudged: usize,
    /// Buckets that differ, and that were not looked at key by key, or not to their end.
    pub left: usize,
    /// Where one of the two did not come to have what the other has.
    pub behind: Option<Behind>,
}

/// A region that lacks records that another one has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Whether it is this region.
    pub is_ours: bool,
    /// Whose log is not applied as far.
    pub origin: RegionId,
    /// How far it is applied.
    pub has: Seq,
    /// How far the other one had it.
    pub needs: Seq,
}

/// A comparison that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// It cannot be made from here.
    #[error("this region cannot be compared: {0}")]
    Ours(Unable),
    /// The peer cannot make it.
    #[error("it cannot be compared: {0}")]
    Theirs(Unable),
    /// The project has no such region.
    #[error("the project has no such region")]
    NoPeer,
    /// The peer could not be asked.
    #[error("it could not be asked: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("the comparison was not done within {0:?}")]
    Late(Duration),
    /// What the peer answered fits no question.
    #[error("it answered something else than what it was asked")]
    Beside,
}

impl<S> Clone for Comparer<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            peers: Arc::clone(&self.peers),
        }
    }
}

impl Compared {
    /// Returns whether both regions were found to hold the same.
    pub const fn is_same(&self) -> bool {
        self.differences.is_empty() && self.unjudged == 0 && self.left == 0 && self.behind.is_none()
    }
}

impl<S: Store> Comparer<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>, peers: &[(RegionName, SocketAddr)]) -> Self {
        let peers = Arc::new(peers.iter().cloned().collect());
        Self { shared, peers }
    }

    /// Compares a table with its replicas in some regions, all at once.
    ///
    /// Errors: [`CompareError`], for each by itself.
    pub async fn compare(
        &self,
        table: TableId,
        regions: &BTreeSet<RegionName>,
        patience: Duration,
    ) -> BTreeMap<RegionName, Result<Compared, CompareError>> {
        let each = regions.iter().map(|region| async move {
            let compared = tokio::time::timeout(patience, self.compare_one(table, region));
            let compared = compared.await;
            let compared = compared.unwrap_or(Err(CompareError::Late(patience)));
            (region.clone(), compared)
        });
        future::join_all(each).await.into_iter().collect()
    }

    async fn compare_one(
        &self,
        table: TableId,
        peer: &RegionName,
    ) -> Result<Compared, CompareError> {
        let mut pair = self.pair(table, peer).await?;
        let mut differing = pair.differing_in(None).await?;
        for _ in 1..SUMS_ROUNDS {
            if differing.is_empty() {
                break;
            }
            differing = pair.differing_in(Some(&differing)).await?;
        }
        pair.look_at(&differing).await?;
        Ok(pair.compared)
    }

    async fn pair(&self, table: TableId, peer: &RegionName) -> Result<Pair<'_, S>, CompareError> {
        let shared = &*self.shared;
        let comparable = shared.tables.comparable(table).await;
        comparable.map_err(CompareError::Ours)?;
        let address = *self.peers.get(peer).ok_or(CompareError::NoPeer)?;
        let stream = shared.dialer.connect(address, CONNECT_PATIENCE).await;
        let stream = stream.map_err(|error| CompareError::Unreachable(error.to_string()))?;
        let (identity, tls) = (shared.identity(), shared.tls());
        let who = (&identity, &*tls);
        let dialled = greeting::dial(stream, peer.clone(), who, &shared.tables, Purpose::Inquiry);
        let dialled = dialled.await;
        let connection = dialled.map_err(|error| CompareError::Unreachable(error.to_string()))?;
        Ok(Pair {
            shared,
            line: Line::new(connection),
            table,
            compared: Compared::default(),
        })
    }
}

/// This region and another one, while they are compared.
struct Pair<'a, S> {
    shared: &'a Shared<S>,
    line: Line,
    table: TableId,
    compared: Compared,
}

/// What a bucket has come to.
enum Found {
    /// What it holds there is what it holds here, but for this.
    Looked {
        /// Keys that differ.
        differences: BTreeSet<Difference>,
        /// Keys that were written meanwhile.
        moving: usize,
        /// Whether it was looked at to its end.
        is_whole: bool,
    },
    /// One region is behind, so nothing can be said.
    Behind(Behind),
}

impl<S: Store> Pair<'_, S> {
    /// Returns the buckets whose sums differ, among these or among all.
    async fn differing_in(
        &mut self,
        among: Option<&BTreeSet<u16>>,
    ) -> Result<BTreeSet<u16>, CompareError> {
        let groups: Vec<u8> = match among {
            Some(among) => {
                let groups = among.iter().map(|bucket| bucket.to_be_bytes()[0]);
                groups.collect::<BTreeSet<_>>().into_iter().collect()
            }
            None => {
                let (theirs_at, theirs) = sums(self.ask(Asked::Groups).await?)?;
                let (ours_at, ours) = sums(self.own(Asked::Groups).await?)?;
                self.compared.as_of = theirs_at.applied;
                self.compared.as_of.meet(&ours_at.applied);
                compare::differing_groups(&ours, &theirs)
            }
        };
        if groups.is_empty() {
            return Ok(BTreeSet::new());
        }
        let (_, theirs) = sums(self.ask(Asked::Buckets(groups.clone())).await?)?;
        let (_, ours) = sums(self.own(Asked::Buckets(groups.clone())).await?)?;
        let mut differing = compare::differing_buckets(&groups, &ours, &theirs);
        if let Some(among) = among {
            differing.retain(|bucket| among.contains(bucket));
        }
        Ok(differing)
    }

    /// Looks at some buckets key by key.
    async fn look_at(&mut self, buckets: &BTreeSet<u16>) -> Result<(), CompareError> {
        for (at, bucket) in buckets.iter().enumerate() {
            let room = DIFFERENCES_MAX.saturating_sub(self.compared.differences.len());
            if BUCKETS_LOOKED_AT <= at || room == 0 {
                self.compared.left += buckets.len() - at;
                break;
            }
            match self.settle(*bucket, room).await? {
                Found::Looked {
                    differences,
                    moving,
                    is_whole,
                } => {
                    self.compared.differences.extend(differences);
                    self.compared.unjudged += moving;
                    self.compared.left += usize::from(!is_whole);
                }
                Found::Behind(behind) => {
                    self.compared.behind = Some(behind);
                    self.compared.left += buckets.len() - at;
                    break;
                }
            }
        }
        self.compared.differences.sort();
        Ok(())
    }

    /// Looks at a bucket until two looks agree on what differs: a tombstone that is collected
    /// between two answers is no difference.
    async fn settle(&mut self, bucket: u16, room: usize) -> Result<Found, CompareError> {
        let mut last = BTreeSet::new();
        let mut looks = 0;
        loop {
            let found = self.look_through(bucket, room).await?;
            let Found::Looked {
                differences: seen,
                moving,
                is_whole,
            } = found
            else {
                return Ok(found);
            };
            let differences: BTreeSet<_> = seen.intersection(&last).cloned().collect();
            // What was seen in one look alone is not told for a difference.
            let moving = moving + seen.len() - differences.len();
            looks += 1;
            if moving == 0 || LOOKS_MAX <= looks {
                return Ok(Found::Looked {
                    differences,
                    moving,
                    is_whole,
                });
            }
            last = seen;
        }
    }

    /// Looks at a bucket's keys once, a page at a time.
    async fn look_through(&mut self, bucket: u16, room: usize) -> Result<Found, CompareError> {
        let (mut differences, mut moving) = (BTreeSet::new(), 0);
        let mut behind: Option<Bytes> = None;
        loop {
            let list = |to| Asked::List {
                bucket,
                behind: behind.clone(),
                to,
            };
            let (before_at, before) = listed(self.own(list(None)).await?)?;
            let asked = list(end_of(&before));
            let (theirs_at, theirs) = listed(self.ask(asked.clone()).await?)?;
            if let Some(lack) = lack(false, &theirs_at.applied, &before_at.touched) {
                return Ok(Found::Behind(lack));
            }
            asking::catch_up(&self.shared.tables, &theirs_at.touched).await;
            let (after_at, after) = listed(self.own(asked).await?)?;
            if let Some(lack) = lack(true, &after_at.applied, &theirs_at.touched) {
                return Ok(Found::Behind(lack));
            }
            let ends = [&before, &theirs, &after].map(end_of);
            let end = ends.into_iter().flatten().min();
            let [before, theirs, after] =
                [before, theirs, after].map(|list| cut(list, end.as_ref()));
            let page = compare::look(&before, &theirs, &after);
            moving += page.moving;
            differences.extend(page.differences);
            if end.is_none() || room <= differences.len() {
                return Ok(Found::Looked {
                    differences,
                    moving,
                    is_whole: end.is_none(),
                });
            }
            behind = end;
        }
    }

    async fn own(&self, what: Asked) -> Result<Answer, CompareError> {
        let tables = &self.shared.tables;
        let answer = tables.inquire(tables.region(), self.table, &what).await;
        match answer {
            Answer::Unable(unable) => Err(CompareError::Ours(unable)),
            Answer::Sums(..) | Answer::Listed(..) => Ok(answer),
        }
    }

    /// Asks the peer, once it has all that is here.
    async fn ask(&mut self, what: Asked) -> Result<Answer, CompareError> {
        let question = Question {
            table: self.table,
            after: self.shared.tables.touched(),
            what,
        };
        match self.line.ask(&question).await {
            Ok(Answer::Unable(unable)) => Err(CompareError::Theirs(unable)),
            Ok(answer @ (Answer::Sums(..) | Answer::Listed(..))) => Ok(answer),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<LineError> for CompareError {
    fn from(error: LineError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

fn sums(answer: Answer) -> Result<(Standing, Vec<Digest>), CompareError> {
    match answer {
        Answer::Sums(standing, sums) => Ok((standing, sums)),
        Answer::Listed(..) | Answer::Unable(_) => Err(CompareError::Beside),
    }
}

fn listed(answer: Answer) -> Result<(Standing, Listed), CompareError> {
    match answer {
        Answer::Listed(standing, listed) => Ok((standing, listed)),
        Answer::Sums(..) | Answer::Unable(_) => Err(CompareError::Beside),
    }
}

/// Returns up to which key a list is whole; `None` where it is whole to the end of what was asked.
fn end_of(listed: &Listed) -> Option<Bytes> {
    let last = listed.entries.last().filter(|_| listed.more);
    last.map(|entry| entry.key.clone())
}

fn cut(listed: Listed, end: Option<&Bytes>) -> Vec<Entry> {
    let mut entries = listed.entries;
    entries.retain(|entry| end.is_none_or(|end| entry.key <= *end));
    entries
}

/// Returns what is missing of a vector.
fn lack(is_ours: bool, has: &VersionVector, needs: &VersionVector) -> Option<Behind> {
    let (origin, needs) = needs.iter().find(|(origin, seq)| has.at(*origin) < *seq)?;
    Some(Behind {
        is_ours,
        origin,
        has: has.at(origin),
        needs,
    })
}
