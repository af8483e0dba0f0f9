//! What one task works with: the client, the names known, and the report.

use base::region::RegionName;

use super::{Change, DeployError, State};
use crate::call::Call;
use crate::client::{Client, ClientError, Node, Reply};
use crate::known::{Key, Known};
use crate::limits::{PAGES_MAX, SETTLE_TRIES_MAX, WAIT_PAUSE, WAIT_PAUSE_MAX, WAIT_TRIES_MAX};

/// A task under way.
pub(crate) struct Session<'s> {
    client: &'s mut Client,
    known: &'s mut Known,
    region: &'s RegionName,
    tell: &'s mut (dyn FnMut(State) + Send),
}

/// What a look at a state found.
pub(crate) enum Waited {
    /// It is reached.
    Reached,
    /// It is another one still.
    Seen(String),
    /// It will not be reached.
    Never(String),
}

impl<'s> Session<'s> {
    pub(super) fn new(
        client: &'s mut Client,
        known: &'s mut Known,
        region: &'s RegionName,
        tell: &'s mut (dyn FnMut(State) + Send),
    ) -> Self {
        Self {
            client,
            known,
            region,
            tell,
        }
    }

    /// Returns the task's region.
    pub(crate) fn region(&self) -> &'s RegionName {
        self.region
    }

    /// Returns the names known so far.
    pub(crate) fn known(&self) -> &Known {
        self.known
    }

    /// Keeps a name that an answer gave.
    pub(crate) fn learn(&mut self, key: Key, name: impl Into<String>) {
        self.known.learn(key, name);
    }

    /// Looks at something; `None` where it does not exist.
    pub(crate) async fn look(&mut self, call: Call) -> Result<Option<Reply>, DeployError> {
        match self.client.call(&call).await {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if error.code().is_some_and(|code| ABSENT.contains(&code)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads all pages of a list.
    pub(crate) async fn pages(
        &mut self,
        call: Call,
        list: &Listing,
    ) -> Result<Vec<Reply>, DeployError> {
        let mut pages = Vec::new();
        let mut next = call.clone();
        while pages.len() < PAGES_MAX {
            let reply = self.client.call(&next).await?;
            let token = reply.text(list.next).filter(|token| !token.is_empty());
            pages.push(reply);
            match token {
                Some(token) => next = call.clone().with(list.token, token),
                None => break,
            }
        }
        Ok(pages)
    }

    /// Returns the first element of a paged list that `find` takes.
    pub(crate) async fn find<T>(
        &mut self,
        call: Call,
        list: &Listing,
        find: impl Fn(Node<'_>) -> Option<T>,
    ) -> Result<Option<T>, DeployError> {
        let pages = self.pages(call, list).await?;
        Ok(pages
            .iter()
            .flat_map(|page| page.items(list.items, list.member))
            .find_map(find))
    }

    /// Changes something.
    pub(crate) async fn change(&mut self, call: Call) -> Result<Reply, DeployError> {
        (self.tell)(State::Calling(call.to_string()));
        Ok(self.client.call(&call).await?)
    }

    /// Makes something that is not there.
    pub(crate) async fn create(&mut self, call: Call) -> Result<Change, DeployError> {
        self.change(call).await?;
        Ok(Change::Created)
    }

    /// Makes something that is there look as it should.
    pub(crate) async fn update(&mut self, call: Call) -> Result<Change, DeployError> {
        self.change(call).await?;
        Ok(Change::Updated)
    }

    /// Changes something that names what another region has just made: as long as the service
    /// says that it is not there, the change may be ahead of the replication.
    pub(crate) async fn change_when_settled(
        &mut self,
        call: Call,
        is_early: impl Fn(&ClientError) -> bool,
    ) -> Result<Reply, DeployError> {
        (self.tell)(State::Calling(call.to_string()));
        let mut pause = WAIT_PAUSE;
        for _ in 0..SETTLE_TRIES_MAX {
            match self.client.call(&call).await {
                Err(error) if is_early(&error) => {
                    (self.tell)(State::Waiting(error.to_string()));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(WAIT_PAUSE_MAX);
                }
                outcome => return Ok(outcome?),
            }
        }
        Ok(self.client.call(&call).await?)
    }

    /// Looks again and again until `judge` says that the state is reached.
    ///
    /// Errors: [`DeployError::Waited`] when it will not be, or after [`WAIT_TRIES_MAX`] looks.
    pub(crate) async fn wait(
        &mut self,
        what: &str,
        call: Call,
        judge: impl Fn(&Reply) -> Waited,
    ) -> Result<Reply, DeployError> {
        let mut pause = WAIT_PAUSE;
        let mut last = String::new();
        for _ in 0..WAIT_TRIES_MAX {
            let seen = match self.look(call.clone()).await? {
                Some(reply) => match judge(&reply) {
                    Waited::Reached => return Ok(reply),
                    Waited::Seen(seen) => seen,
                    Waited::Never(seen) => {
                        let what = what.to_owned();
                        return Err(DeployError::Waited { what, seen });
                    }
                },
                None => "absent".to_owned(),
            };
            if seen != last {
                (self.tell)(State::Waiting(format!("{what}: {seen}")));
                last = seen;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(WAIT_PAUSE_MAX);
        }
        Err(DeployError::Waited {
            what: what.to_owned(),
            seen: last,
        })
    }
}

/// How a list is read page by page.
pub(crate) struct Listing {
    /// Where the elements stand.
    pub(crate) items: &'static [&'static str],
    /// The elements' name in XML.
    pub(crate) member: &'static str,
    /// Where the name of the next page stands.
    pub(crate) next: &'static [&'static str],
    /// The parameter that asks for it.
    pub(crate) token: &'static str,
}

/// Codes that say that something does not exist.
const ABSENT: [&str; 5] = [
    "ResourceNotFoundException",
    "NotFoundException",
    "NoSuchHealthCheck",
    "NoSuchHostedZone",
    "NoSuchChange",
];
