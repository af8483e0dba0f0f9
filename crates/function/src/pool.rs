//! Which instance takes which invocation: the queue, instances and back-off of one function.
//!
//! It starts and calls nothing: every entry leaves outputs, which the caller performs.
//!
//! ```text
//!            start               ready               invoke
//! (nothing) ───────► Starting ──────────► Idle ───────────────► Busy ──► Answered
//!                       │                  │ stop                │ renew     │ ready: Idle
//!                       └── ended ◄─ Stopping ◄───── ready ── Retiring ◄─────┘ renew
//! ```

use std::collections::{BTreeMap, VecDeque};

use clock::time::Moment;

use crate::limits::{
    ANSWERED_PATIENCE, BACK_OFF_FIRST, BACK_OFF_MAX, BACK_OFF_PATIENCE, IDLE_MAX, STARTING_MAX,
    WAITING_BYTES_MAX, WAITING_MAX,
};

/// The number of an instance within its pool, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstanceId(u64);

/// The number of an invocation within its pool, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// What the caller must do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output<W, E> {
    /// Start an instance.
    Start(InstanceId),
    /// Hand an invocation to an instance.
    Assign(InstanceId, W),
    /// End an instance.
    Stop(InstanceId),
    /// Answer an invocation without running it.
    Refuse(W, Refusal<E>),
    /// Call [`Pool::tick`] at this moment.
    Wake(Moment),
}

/// Why an invocation is not run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal<E> {
    /// The queue is full, or the function may not run.
    Throttled,
    /// The function does not exist any more.
    Removed,
    /// No instance could be started; the last error.
    NotStarted(E),
}

/// How an instance came to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended<E> {
    /// By our will: stopped, or killed for taking too long.
    Asked,
    /// By itself.
    Failed(E),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Starting,
    Idle,
    Busy,
    /// It has answered, and will ask for more at any moment.
    Answered(Moment),
    Retiring,
    Stopping,
}

#[derive(Debug)]
struct Waiting<W> {
    ticket: Ticket,
    bytes: u64,
    work: W,
}

/// The instances and the queue of one function.
#[derive(Debug)]
pub(crate) struct Pool<W, E> {
    bound: usize,
    closed: bool,
    instances: BTreeMap<InstanceId, Stage>,
    /// Idle instances with the moment since when; the one used last stands last and goes first.
    idle: Vec<(InstanceId, Moment)>,
    waiting: VecDeque<Waiting<W>>,
    waiting_bytes: u64,
    /// Starts that failed since an instance last answered.
    failures: u32,
    resume_at: Moment,
    wake_at: Option<Moment>,
    last_error: Option<E>,
    next_instance: u64,
    next_ticket: u64,
    outputs: Vec<Output<W, E>>,
}

impl<W, E: Clone> Pool<W, E> {
    /// Makes a pool of at most `bound` instances, with none.
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            bound,
            closed: false,
            instances: BTreeMap::new(),
            idle: Vec::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            failures: 0,
            resume_at: Moment::default(),
            wake_at: None,
            last_error: None,
            next_instance: 0,
            next_ticket: 0,
            outputs: Vec::new(),
        }
    }

    /// Returns what is to be done since the last call.
    pub(crate) fn take_outputs(&mut self) -> Vec<Output<W, E>> {
        self.debug_assert_invariants();
        std::mem::take(&mut self.outputs)
    }

    /// Takes an invocation that holds `bytes` while it waits.
    pub(crate) fn invoke(&mut self, now: Moment, work: W, bytes: u64) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        if let Some(refusal) = self.refusal(now, bytes) {
            self.outputs.push(Output::Refuse(work, refusal));
        } else if let Some((id, _)) = self.idle.pop() {
            self.instances.insert(id, Stage::Busy);
            self.outputs.push(Output::Assign(id, work));
        } else {
            self.waiting_bytes += bytes;
            self.waiting.push_back(Waiting {
                ticket,
                bytes,
                work,
            });
            self.start_wanted(now);
        }
        ticket
    }

    fn refusal(&self, now: Moment, bytes: u64) -> Option<Refusal<E>> {
        if self.closed {
            return Some(Refusal::Removed);
        }
        if self.bound == 0 {
            return Some(Refusal::Throttled);
        }
        if !self.idle.is_empty() {
            return None;
        }
        if let Some(error) = &self.last_error
            && self.live() == 0
            && BACK_OFF_PATIENCE < self.resume_at.since(now)
        {
            return Some(Refusal::NotStarted(error.clone()));
        }
        let is_full = WAITING_MAX <= self.waiting.len()
            || WAITING_BYTES_MAX.as_u64() < self.waiting_bytes + bytes;
        is_full.then_some(Refusal::Throttled)
    }

    /// Forgets an invocation that still waits. Returns whether it did.
    pub(crate) fn cancel(&mut self, ticket: Ticket) -> bool {
        let at = self.waiting.iter().position(|w| w.ticket == ticket);
        let found = at.and_then(|at| self.waiting.remove(at));
        if let Some(waiting) = &found {
            self.waiting_bytes -= waiting.bytes;
        }
        found.is_some()
    }

    /// Notes that an instance asks for its next invocation.
    pub(crate) fn ready(&mut self, now: Moment, id: InstanceId) {
        match self.instances.get(&id) {
            // The bound was lowered while it worked.
            Some(Stage::Starting | Stage::Busy | Stage::Answered(_))
                if self.bound < self.live() =>
            {
                self.stop(id);
            }
            Some(Stage::Starting | Stage::Busy | Stage::Answered(_)) => match self.pop_waiting() {
                Some(waiting) => {
                    self.instances.insert(id, Stage::Busy);
                    self.outputs.push(Output::Assign(id, waiting.work));
                }
                None => {
                    self.instances.insert(id, Stage::Idle);
                    self.idle.push((id, now));
                }
            },
            // Told again where it is told already: the first may have come before its start.
            Some(Stage::Retiring | Stage::Stopping) => self.stop(id),
            Some(Stage::Idle) | None => {}
        }
    }

    /// Notes that an instance answered: whatever failed before, the function can work.
    pub(crate) fn answered(&mut self, now: Moment, id: InstanceId) {
        self.failures = 0;
        self.last_error = None;
        if let Some(stage @ Stage::Busy) = self.instances.get_mut(&id) {
            *stage = Stage::Answered(now);
        }
    }

    /// Takes back an invocation whose instance was gone before it could be handed over.
    pub(crate) fn give_back(&mut self, now: Moment, work: W, bytes: u64) {
        if self.closed {
            self.outputs.push(Output::Refuse(work, Refusal::Removed));
            return;
        }
        if let Some((id, _)) = self.idle.pop() {
            self.instances.insert(id, Stage::Busy);
            self.outputs.push(Output::Assign(id, work));
            return;
        }
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.waiting_bytes += bytes;
        self.waiting.push_front(Waiting {
            ticket,
            bytes,
            work,
        });
        self.start_wanted(now);
    }

    /// Notes that an instance is gone.
    pub(crate) fn ended(&mut self, now: Moment, id: InstanceId, how: Ended<E>) {
        let Some(stage) = self.instances.remove(&id) else {
            return;
        };
        self.idle.retain(|(idle, _)| *idle != id);
        // One that had come to its work could be started: the next start needs no pause.
        if let Ended::Failed(error) = how
            && stage == Stage::Starting
        {
            self.back_off(now, error.clone());
            // One invocation learns of one failed start; the others get the next instance.
            // Where some instance works, it was the start that failed, not the function.
            let is_working = self.instances.values().any(|s| *s == Stage::Busy);
            if !is_working && let Some(waiting) = self.pop_waiting() {
                let refusal = Refusal::NotStarted(error);
                self.outputs.push(Output::Refuse(waiting.work, refusal));
            }
        }
        if let Some(error) = self.last_error.clone()
            && self.live() == 0
            && BACK_OFF_PATIENCE < self.resume_at.since(now)
        {
            while let Some(waiting) = self.pop_waiting() {
                let refusal = Refusal::NotStarted(error.clone());
                self.outputs.push(Output::Refuse(waiting.work, refusal));
            }
        }
        self.start_wanted(now);
    }

    fn back_off(&mut self, now: Moment, error: E) {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(error);
        // The first failure costs no pause, the second 100 ms, the third 200 ms, and so on.
        if let Some(doublings) = self.failures.checked_sub(2) {
            let pause = BACK_OFF_FIRST
                .saturating_mul(1 << doublings.min(16))
                .min(BACK_OFF_MAX);
            self.resume_at = self.resume_at.max(now + pause);
        }
    }

    /// Replaces all instances: the function changed in a way that a process sees.
    pub(crate) fn renew(&mut self, now: Moment, bound: usize) {
        self.retire_all();
        self.failures = 0;
        self.last_error = None;
        self.resume_at = now;
        self.resize(now, bound);
    }

    /// Changes how many instances there may be. Those beyond it end once they are done.
    pub(crate) fn resize(&mut self, now: Moment, bound: usize) {
        self.bound = bound;
        while bound < self.live() && !self.idle.is_empty() {
            let (id, _) = self.idle.remove(0);
            self.stop(id);
        }
        if bound == 0 {
            while let Some(waiting) = self.pop_waiting() {
                self.outputs
                    .push(Output::Refuse(waiting.work, Refusal::Throttled));
            }
        }
        self.start_wanted(now);
    }

    /// Ends all instances, after what they are doing, and takes no more invocations.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.retire_all();
        while let Some(waiting) = self.pop_waiting() {
            self.outputs
                .push(Output::Refuse(waiting.work, Refusal::Removed));
        }
    }

    /// Does what time alone brings: starts after a pause, ends of idle instances.
    pub(crate) fn tick(&mut self, now: Moment) {
        if self.wake_at.is_some_and(|wake_at| wake_at <= now) {
            self.wake_at = None;
        }
        self.start_wanted(now);
        // The instance used last stays, however long ago that was.
        while self.idle.len() > 1 && IDLE_MAX <= now.since(self.idle[0].1) {
            let (id, _) = self.idle.remove(0);
            self.stop(id);
        }
    }

    /// Returns how many instances there are, those that are ending not counted.
    pub(crate) fn live(&self) -> usize {
        self.instances.values().filter(|s| is_live(**s)).count()
    }

    fn start_wanted(&mut self, now: Moment) {
        if self.closed || self.waiting.is_empty() {
            return;
        }
        if now < self.resume_at {
            // Instances that live serve the queue meanwhile.
            self.wake(self.resume_at);
            return;
        }
        let answered_at = |stage: &Stage| match stage {
            Stage::Answered(at) => Some(*at + ANSWERED_PATIENCE),
            Stage::Starting | Stage::Idle | Stage::Busy | Stage::Retiring | Stage::Stopping => None,
        };
        // Those that have just answered ask sooner than another could start.
        let soon = self.instances.values().filter_map(answered_at);
        let soon: Vec<Moment> = soon.filter(|patience| now < *patience).collect();
        let starting = |stage: &&Stage| **stage == Stage::Starting;
        let mut starting = self.instances.values().filter(starting).count();
        let mut live = self.live();
        let wanted = self.waiting.len().saturating_sub(soon.len());
        while starting < wanted.min(STARTING_MAX) && live < self.bound {
            let id = InstanceId(self.next_instance);
            self.next_instance += 1;
            self.instances.insert(id, Stage::Starting);
            self.outputs.push(Output::Start(id));
            starting += 1;
            live += 1;
        }
        if let Some(patience) = soon.into_iter().max()
            && live < self.bound
        {
            self.wake(patience);
        }
    }

    fn wake(&mut self, at: Moment) {
        if self.wake_at.is_none_or(|wake_at| at < wake_at) {
            self.wake_at = Some(at);
            self.outputs.push(Output::Wake(at));
        }
    }

    fn pop_waiting(&mut self) -> Option<Waiting<W>> {
        let waiting = self.waiting.pop_front()?;
        self.waiting_bytes -= waiting.bytes;
        Some(waiting)
    }

    fn retire_all(&mut self) {
        self.idle.clear();
        for (id, stage) in &mut self.instances {
            match stage {
                Stage::Busy | Stage::Answered(_) => *stage = Stage::Retiring,
                Stage::Starting | Stage::Idle => {
                    *stage = Stage::Stopping;
                    self.outputs.push(Output::Stop(*id));
                }
                Stage::Retiring | Stage::Stopping => {}
            }
        }
    }

    fn stop(&mut self, id: InstanceId) {
        self.instances.insert(id, Stage::Stopping);
        self.outputs.push(Output::Stop(id));
    }

    fn debug_assert_invariants(&self) {
        let staged = |stage| self.instances.values().filter(|s| **s == stage).count();
        debug_assert_eq!(staged(Stage::Idle), self.idle.len());
        debug_assert!(
            self.idle
                .iter()
                .all(|(id, _)| self.instances.get(id) == Some(&Stage::Idle))
        );
        debug_assert!(
            self.idle.is_empty() || self.waiting.is_empty(),
            "an invocation waits beside an idle instance"
        );
        debug_assert!(!self.closed || self.waiting.is_empty());
        debug_assert!(staged(Stage::Starting) <= STARTING_MAX);
        debug_assert_eq!(
            self.waiting_bytes,
            self.waiting.iter().map(|w| w.bytes).sum::<u64>()
        );
    }
}

fn is_live(stage: Stage) -> bool {
    match stage {
        Stage::Starting | Stage::Idle | Stage::Busy | Stage::Answered(_) => true,
        Stage::Retiring | Stage::Stopping => false,
    }
}

#[cfg(test)]
mod tests;
