//! Whose turn it is between a function's runtime and us: the states of the Runtime API.
//!
//! It reads no HTTP and no clock.
//! Source: Lambda developer guide, "Using the Lambda runtime API"; the states and their names
//! are those of the Runtime Interface Emulator.
//!
//! ```text
//!            next            assign            answer
//! Started ─────────► Ready ─────────► Running ─────────► ResponseSent
//!    │ init error      ▲                 │ next: the same    │ next
//!    ▼                 └─────────────────┼───────────────────┘
//! InitError                              ▼ end (from anywhere): Ended
//! ```

/// Work with a number by which the runtime answers it.
pub(crate) trait Numbered {
    /// Returns the number.
    fn request_id(&self) -> &str;
}

/// The turn of one instance.
#[derive(Debug)]
pub(crate) struct Turn<W> {
    phase: Phase<W>,
    /// The number of the invocation handed out last.
    last_id: String,
}

#[derive(Debug)]
enum Phase<W> {
    Started,
    InitError,
    Ready,
    Running(W),
    ResponseSent,
    Ended,
}

/// What a request for the next invocation gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<'a, W> {
    /// Nothing yet, and the instance has just become free.
    JustReady,
    /// Nothing yet.
    Wait,
    /// This.
    Take(&'a W),
}

/// Why a request of the runtime is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It names an invocation that is not the one handed out.
    InvalidRequestId,
    /// It does not fit the state; both by name.
    Transition(&'static str, &'static str),
}

impl<W: Numbered> Turn<W> {
    /// Makes the turn of an instance that has just been started.
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Started,
            last_id: String::new(),
        }
    }

    /// The runtime asks for the next invocation.
    pub(crate) fn next(&mut self) -> Result<Next<'_, W>, Refused> {
        match self.phase {
            Phase::Started | Phase::ResponseSent => {
                self.phase = Phase::Ready;
                Ok(Next::JustReady)
            }
            Phase::Ready => Ok(Next::Wait),
            // Asked again without an answer: the same again, as its connection may have broken.
            Phase::Running(ref work) => Ok(Next::Take(work)),
            Phase::InitError | Phase::Ended => Err(self.refused("Ready")),
        }
    }

    /// An invocation is handed to an instance that waits; given back if it does not.
    pub(crate) fn assign(&mut self, work: W) -> Result<(), W> {
        match self.phase {
            Phase::Ready => {
                work.request_id().clone_into(&mut self.last_id);
                self.phase = Phase::Running(work);
                Ok(())
            }
            Phase::Started
            | Phase::InitError
            | Phase::Running(_)
            | Phase::ResponseSent
            | Phase::Ended => Err(work),
        }
    }

    /// The runtime answers the invocation `id`, by `state`'s call.
    pub(crate) fn answer(&mut self, id: &str, state: &'static str) -> Result<W, Refused> {
        if self.last_id.is_empty() || id != self.last_id {
            return Err(Refused::InvalidRequestId);
        }
        if !matches!(self.phase, Phase::Running(_)) {
            return Err(self.refused(state));
        }
        match std::mem::replace(&mut self.phase, Phase::ResponseSent) {
            Phase::Running(work) => Ok(work),
            Phase::Started
            | Phase::InitError
            | Phase::Ready
            | Phase::ResponseSent
            | Phase::Ended => Err(Refused::InvalidRequestId),
        }
    }

    /// The runtime says that it cannot start.
    pub(crate) fn init_error(&mut self) -> Result<(), Refused> {
        match self.phase {
            Phase::Started => {
                self.phase = Phase::InitError;
                Ok(())
            }
            Phase::InitError
            | Phase::Ready
            | Phase::Running(_)
            | Phase::ResponseSent
            | Phase::Ended => Err(self.refused("InitError")),
        }
    }

    /// The instance is gone. Returns what it was working on, and whether it had ever been ready.
    pub(crate) fn end(&mut self) -> (Option<W>, Readiness) {
        match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Running(work) => (Some(work), Readiness::WasReady),
            Phase::Started | Phase::InitError => (None, Readiness::NeverReady),
            Phase::Ready | Phase::ResponseSent | Phase::Ended => (None, Readiness::WasReady),
        }
    }

    fn refused(&self, to: &'static str) -> Refused {
        let from = match self.phase {
            Phase::Started => "Started",
            Phase::InitError => "InitError",
            Phase::Ready => "Ready",
            Phase::Running(_) => "Running",
            Phase::ResponseSent => "RuntimeResponseSentState",
            Phase::Ended => "Ended",
        };
        Refused::Transition(from, to)
    }
}

/// Whether an instance has ever asked for an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It has.
    WasReady,
    /// It has not.
    NeverReady,
}

#[cfg(test)]
mod tests;
