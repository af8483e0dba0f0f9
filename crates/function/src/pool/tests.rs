//! Sequences of events and what they make the pool do.

use std::time::Duration;

use super::*;

type TestPool = Pool<u32, &'static str>;

fn at(millis: u64) -> Moment {
    Moment::from_micros(1_000_000 + millis * 1_000)
}

fn one(outputs: Vec<Output<u32, &'static str>>) -> Output<u32, &'static str> {
    let mut outputs = outputs.into_iter();
    let first = outputs.next().expect("an output");
    assert_eq!(outputs.next(), None);
    first
}

#[track_caller]
fn started(pool: &mut TestPool) -> InstanceId {
    let output = one(pool.take_outputs());
    let Output::Start(id) = output else {
        panic!("{output:?}");
    };
    id
}

#[test]
fn a_first_invocation_starts_an_instance_and_later_ones_reuse_it() {
    let mut pool = TestPool::new(8);
    pool.invoke(at(0), 1, 10);
    let id = started(&mut pool);
    pool.ready(at(5), id);
    assert_eq!(one(pool.take_outputs()), Output::Assign(id, 1));
    pool.answered(at(6), id);
    pool.ready(at(6), id);
    pool.invoke(at(7), 2, 10);
    assert_eq!(one(pool.take_outputs()), Output::Assign(id, 2));
}

#[test]
fn an_instance_that_has_just_answered_is_waited_for_but_not_for_long() {
    let mut pool = TestPool::new(8);
    pool.invoke(at(0), 1, 10);
    let id = started(&mut pool);
    pool.ready(at(5), id);
    pool.answered(at(6), id);
    pool.take_outputs();
    pool.invoke(at(6), 2, 10);
    let patience = at(6) + ANSWERED_PATIENCE;
    assert_eq!(one(pool.take_outputs()), Output::Wake(patience));
    // A second one has nobody to wait for.
    pool.invoke(at(6), 3, 10);
    let other = started(&mut pool);
    pool.ready(at(7), id);
    assert_eq!(one(pool.take_outputs()), Output::Assign(id, 2));
    pool.ready(at(8), other);
    assert_eq!(one(pool.take_outputs()), Output::Assign(other, 3));
    pool.answered(at(9), id);
    pool.invoke(at(9), 4, 10);
    pool.take_outputs();
    pool.tick(at(9) + ANSWERED_PATIENCE);
    started(&mut pool);
}

#[test]
fn starts_are_bounded_and_ready_instances_empty_the_queue() {
    let mut pool = TestPool::new(32);
    for work in 0..20 {
        pool.invoke(at(0), work, 1);
    }
    let starts = pool.take_outputs();
    assert_eq!(starts.len(), STARTING_MAX);
    let Output::Start(id) = starts[0] else {
        panic!("{starts:?}");
    };
    for work in 0..17 {
        pool.ready(at(1), id);
        assert_eq!(one(pool.take_outputs()), Output::Assign(id, work));
    }
}

#[test]
fn the_bound_holds_and_a_full_queue_throttles() {
    let mut pool = TestPool::new(1);
    pool.invoke(at(0), 0, 1);
    started(&mut pool);
    for work in 1..WAITING_MAX {
        pool.invoke(at(0), u32::try_from(work).unwrap(), 1);
    }
    assert_eq!(pool.take_outputs(), vec![]);
    pool.invoke(at(0), 7, 1);
    assert_eq!(
        one(pool.take_outputs()),
        Output::Refuse(7, Refusal::Throttled)
    );
}

#[test]
fn waiting_bytes_are_bounded_and_given_back_on_cancel() {
    let mut pool = TestPool::new(1);
    let first = pool.invoke(at(0), 0, WAITING_BYTES_MAX.as_u64());
    started(&mut pool);
    pool.invoke(at(0), 1, 1);
    assert_eq!(
        one(pool.take_outputs()),
        Output::Refuse(1, Refusal::Throttled)
    );
    assert!(pool.cancel(first));
    assert!(!pool.cancel(first));
    pool.invoke(at(0), 2, 1);
    assert_eq!(pool.take_outputs(), vec![]);
}

#[test]
fn a_function_bounded_to_none_never_runs() {
    let mut pool = TestPool::new(0);
    pool.invoke(at(0), 1, 1);
    assert_eq!(
        one(pool.take_outputs()),
        Output::Refuse(1, Refusal::Throttled)
    );
}

#[test]
fn failed_starts_pause_longer_each_time_until_one_answers() {
    let mut pool = TestPool::new(4);
    let mut now = at(0);
    let mut pauses = Vec::new();
    for work in 0..6 {
        pool.invoke(now, work, 1);
        // After the second failure the pool asks to be woken before it starts another.
        if let Some(then) = pool.wake_at {
            assert_eq!(one(pool.take_outputs()), Output::Wake(then));
            pauses.push(then.since(now).as_millis());
            now = then;
            pool.tick(now);
        }
        let id = started(&mut pool);
        pool.ended(now, id, Ended::Failed("boom"));
        assert_eq!(
            one(pool.take_outputs()),
            Output::Refuse(work, Refusal::NotStarted("boom"))
        );
    }
    assert_eq!(pauses, [100, 200, 400, 800]);
    // The next pause is longer than anybody waits: the last error is the answer.
    pool.invoke(now, 9, 1);
    assert_eq!(
        one(pool.take_outputs()),
        Output::Refuse(9, Refusal::NotStarted("boom"))
    );
    now = now + Duration::from_millis(1_600);
    pool.invoke(now, 10, 1);
    let id = started(&mut pool);
    pool.ready(now, id);
    pool.answered(now, id);
    pool.ended(now, id, Ended::Failed("later"));
    pool.take_outputs();
    pool.invoke(now, 11, 1);
    started(&mut pool);
}

/// An event that ends its process is its sender's alone: whoever comes after it is not made to
/// wait, nor told that the function cannot start.
#[test]
fn a_crash_at_work_keeps_nobody_else_waiting() {
    let mut pool = TestPool::new(1);
    for work in 0..20 {
        pool.invoke(at(0), work, 1);
        let id = started(&mut pool);
        pool.ready(at(0), id);
        assert_eq!(one(pool.take_outputs()), Output::Assign(id, work));
        pool.ended(at(0), id, Ended::Failed("crash"));
        assert_eq!(pool.take_outputs(), vec![]);
    }
}

#[test]
fn the_pause_is_capped() {
    let mut pool = TestPool::new(1);
    for _ in 0..100 {
        pool.back_off(at(0), "boom");
    }
    assert_eq!(pool.resume_at, at(0) + BACK_OFF_MAX);
}

#[test]
fn a_failed_start_beside_a_working_instance_costs_no_invocation() {
    let mut pool = TestPool::new(2);
    pool.invoke(at(0), 1, 1);
    let first = started(&mut pool);
    pool.ready(at(0), first);
    pool.take_outputs();
    pool.invoke(at(0), 2, 1);
    let second = started(&mut pool);
    pool.ended(at(0), second, Ended::Failed("no memory"));
    started(&mut pool);
    pool.ready(at(1), first);
    assert_eq!(one(pool.take_outputs()), Output::Assign(first, 2));
}

#[test]
fn a_change_lets_busy_instances_finish_and_sends_the_queue_to_fresh_ones() {
    let mut pool = TestPool::new(1);
    pool.invoke(at(0), 1, 1);
    let old = started(&mut pool);
    pool.ready(at(0), old);
    pool.take_outputs();
    pool.invoke(at(1), 2, 1);
    pool.renew(at(2), 1);
    let new = started(&mut pool);
    assert_ne!(old, new);
    pool.ready(at(3), new);
    assert_eq!(one(pool.take_outputs()), Output::Assign(new, 2));
    pool.ready(at(4), old);
    assert_eq!(one(pool.take_outputs()), Output::Stop(old));
}

#[test]
fn a_lower_bound_ends_busy_instances_once_they_are_done() {
    let mut pool = TestPool::new(3);
    let ids: Vec<InstanceId> = (0..3)
        .map(|work| {
            pool.invoke(at(0), work, 1);
            let id = started(&mut pool);
            pool.ready(at(0), id);
            pool.take_outputs();
            id
        })
        .collect();
    pool.resize(at(1), 1);
    assert_eq!(pool.take_outputs(), vec![]);
    pool.invoke(at(1), 3, 1);
    assert_eq!(
        pool.take_outputs(),
        vec![],
        "the queue waits for the last one"
    );
    let mut outputs = Vec::new();
    for id in &ids {
        pool.answered(at(2), *id);
        pool.ready(at(2), *id);
        outputs.push(one(pool.take_outputs()));
    }
    assert_eq!(
        outputs,
        [
            Output::Stop(ids[0]),
            Output::Stop(ids[1]),
            Output::Assign(ids[2], 3)
        ]
    );
    assert_eq!(pool.live(), 1);
}

#[test]
fn a_change_stops_idle_instances_at_once() {
    let mut pool = TestPool::new(1);
    pool.invoke(at(0), 1, 1);
    let id = started(&mut pool);
    pool.ready(at(0), id);
    pool.ready(at(1), id);
    pool.take_outputs();
    pool.renew(at(2), 1);
    assert_eq!(one(pool.take_outputs()), Output::Stop(id));
    pool.ended(at(3), id, Ended::Asked);
    assert_eq!(pool.take_outputs(), vec![]);
}

#[test]
fn a_removed_function_answers_what_waits_and_finishes_what_runs() {
    let mut pool = TestPool::new(1);
    pool.invoke(at(0), 1, 1);
    let id = started(&mut pool);
    pool.ready(at(0), id);
    pool.invoke(at(0), 2, 1);
    pool.take_outputs();
    pool.close();
    assert_eq!(
        one(pool.take_outputs()),
        Output::Refuse(2, Refusal::Removed)
    );
    pool.ready(at(1), id);
    assert_eq!(one(pool.take_outputs()), Output::Stop(id));
    pool.invoke(at(2), 3, 1);
    assert_eq!(
        one(pool.take_outputs()),
        Output::Refuse(3, Refusal::Removed)
    );
}

#[test]
fn idle_instances_end_except_the_one_used_last() {
    let mut pool = TestPool::new(2);
    pool.invoke(at(0), 1, 1);
    pool.invoke(at(0), 2, 1);
    let starts = pool.take_outputs();
    let [Output::Start(first), Output::Start(second)] = starts[..] else {
        panic!("{starts:?}");
    };
    for _ in 0..2 {
        pool.ready(at(1), first);
        pool.ready(at(1), second);
    }
    pool.take_outputs();
    pool.tick(at(2) + IDLE_MAX);
    assert_eq!(one(pool.take_outputs()), Output::Stop(first));
    pool.tick(at(2) + IDLE_MAX + IDLE_MAX);
    assert_eq!(pool.take_outputs(), vec![]);
}

#[test]
fn work_given_back_goes_first() {
    let mut pool = TestPool::new(1);
    pool.invoke(at(0), 1, 1);
    let gone = started(&mut pool);
    pool.ready(at(0), gone);
    pool.invoke(at(0), 2, 1);
    pool.take_outputs();
    pool.ended(at(1), gone, Ended::Asked);
    let next = started(&mut pool);
    pool.give_back(at(1), 1, 1);
    pool.ready(at(2), next);
    assert_eq!(one(pool.take_outputs()), Output::Assign(next, 1));
}

/// A pool and instances that do as told.
struct World {
    pool: TestPool,
    open: BTreeMap<InstanceId, Option<u32>>,
    /// How many outcomes each invocation has had.
    outcomes: BTreeMap<u32, u32>,
}

impl World {
    fn invoke(&mut self, now: Moment, work: u32) {
        self.outcomes.insert(work, 0);
        self.pool.invoke(now, work, 1);
        self.settle(now);
    }

    /// The instance answers what it has, and asks for more.
    fn next(&mut self, now: Moment, id: InstanceId) {
        if let Some(Some(work)) = self.open.insert(id, None) {
            self.done(work);
            self.pool.answered(now, id);
        }
        self.pool.ready(now, id);
        self.settle(now);
    }

    fn crash(&mut self, now: Moment, id: InstanceId) {
        if let Some(Some(work)) = self.open.remove(&id) {
            self.done(work);
        }
        self.pool.ended(now, id, Ended::Failed("crash"));
        self.settle(now);
    }

    fn done(&mut self, work: u32) {
        *self.outcomes.entry(work).or_default() += 1;
    }

    fn picked(&self, at: u64) -> Option<InstanceId> {
        let at = usize::try_from(at).unwrap() % self.open.len().max(1);
        self.open.keys().nth(at).copied()
    }

    /// Performs outputs until there are none.
    fn settle(&mut self, now: Moment) {
        loop {
            let outputs = self.pool.take_outputs();
            if outputs.is_empty() {
                break;
            }
            for output in outputs {
                match output {
                    Output::Start(id) => assert_eq!(self.open.insert(id, None), None),
                    Output::Assign(id, work) => {
                        assert_eq!(self.open.insert(id, Some(work)), Some(None));
                    }
                    Output::Stop(id) => {
                        assert_eq!(self.open.remove(&id), Some(None));
                        self.pool.ended(now, id, Ended::Asked);
                    }
                    Output::Refuse(work, _) => self.done(work),
                    Output::Wake(_) => {}
                }
            }
        }
        assert!(self.pool.live() <= 3);
    }
}

/// Random events: every invocation gets exactly one outcome, and nothing waits for ever.
#[test]
fn every_invocation_has_one_outcome() {
    for seed in 1..=64_u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut world = World {
            pool: TestPool::new(3),
            open: BTreeMap::new(),
            outcomes: BTreeMap::new(),
        };
        let mut now = at(0);
        for step in 0..2_000_u32 {
            now = now + Duration::from_millis(next(50));
            let picked = world.picked(next(100));
            match (next(10), picked) {
                (0..=3, _) => world.invoke(now, step),
                (4..=7, Some(id)) => world.next(now, id),
                (8, Some(id)) if next(4) == 0 => world.crash(now, id),
                _ if next(60) == 0 => world.pool.renew(now, 3),
                _ => world.pool.tick(now),
            }
            world.settle(now);
        }
        // Quiet: all instances answer and ask until the queue is empty.
        for _ in 0..2_000 {
            now = now + BACK_OFF_MAX;
            world.pool.tick(now);
            world.settle(now);
            for id in world.open.keys().copied().collect::<Vec<_>>() {
                world.next(now, id);
            }
        }
        assert!(world.pool.waiting.is_empty(), "seed {seed}");
        assert!(
            world.outcomes.values().all(|count| *count == 1),
            "seed {seed}"
        );
    }
}
