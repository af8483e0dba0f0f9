//! Carrying a plan out: look, create or change, wait, and tell of each step.
//!
//! Tasks run one after the other, in the plan's order; the first failure ends the run, and the
//! next run goes on from there.

mod session;

use base::region::RegionName;

use crate::client::{Client, ClientError};
use crate::known::{Known, NotKnown};
use crate::plan::{Plan, Step};

pub(crate) use session::{Listing, Session, Waited};

/// What happens while a plan is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which of the five steps.
    pub step: Step,
    /// The region it happens in.
    pub region: RegionName,
    /// The resource, as in `table carts`.
    pub resource: String,
    /// What happens.
    pub state: State,
    /// How many resources were settled before.
    pub task: usize,
    /// How many resources the plan has.
    pub tasks: usize,
}

/// What happens to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A call that changes something is about to be made; it reads as a command.
    Calling(String),
    /// The call is made, and its effect is waited for.
    Waiting(String),
    /// The resource is as it should be.
    Settled(Change),
    /// It could not be made so.
    Failed(String),
}

/// What had to be done for a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Created,
    /// It was there, and was changed.
    Updated,
    /// It was as it should be.
    Unchanged,
}

/// A deployment that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] ClientError),
    /// A task came before the one that it builds on.
    #[error(transparent)]
    Order(#[from] NotKnown),
    /// An answer lacks what its service model promises.
    #[error("read the answer to {operation}: it has no {member}")]
    Missing {
        /// The operation.
        operation: &'static str,
        /// The member.
        member: &'static str,
    },
    /// A state was not reached.
    #[error("wait for {what}: it is {seen}")]
    Waited {
        /// The state waited for.
        what: String,
        /// The state seen last.
        seen: String,
    },
    /// Something of the same name is there that cannot be changed into what is wanted.
    #[error("change {what}: {why}")]
    Conflict {
        /// The resource.
        what: String,
        /// Why it cannot be changed.
        why: String,
    },
}

/// What a finished run leaves behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// All names that AWS has given.
    pub known: Known,
    /// What was done for each task, in the plan's order.
    pub changes: Vec<Change>,
}

/// Carries a plan out and tells `report` of everything that happens.
///
/// Errors: [`DeployError`] of the first task that failed; what came before it stays.
pub async fn execute(
    plan: &Plan,
    client: &mut Client,
    mut report: impl FnMut(Event) + Send,
) -> Result<Outcome, DeployError> {
    let mut known = Known::default();
    let mut changes = Vec::with_capacity(plan.tasks.len());
    let tasks = plan.tasks.len();
    for (at, task) in plan.tasks.iter().enumerate() {
        let mut tell = |state| {
            report(Event {
                step: task.step,
                region: task.region.clone(),
                resource: task.resource.title(),
                state,
                task: at,
                tasks,
            });
        };
        let mut session = Session::new(client, &mut known, &task.region, &mut tell);
        match task.resource.ensure(&mut session).await {
            Ok(change) => {
                tell(State::Settled(change));
                changes.push(change);
            }
            Err(error) => {
                tell(State::Failed(error.to_string()));
                return Err(error);
            }
        }
    }
    Ok(Outcome { known, changes })
}
