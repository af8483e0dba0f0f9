//! Rounds of a fault, its verdict, its healing, over many seeds; and planted mistakes in them.

use std::time::Duration;

use health_core::check::{
    CheckId, CheckKind, CheckSpec, Checks, EndpointCheck, FailureThreshold, Interval, Protocol,
    Target,
};
use health_core::gossip::Standing;
use health_core::judge::RegionState;
use health_core::planted::Planted;
use health_core::prober::Status;
use health_core::vote::Tally;

use crate::world::{Chance, Config, Life, World, region};

const CHECKS: usize = 3;

fn checks() -> Checks {
    let spec = |at: usize| {
        let name = name(at);
        CheckSpec {
            id: CheckId::parse(&name).expect("short"),
            kind: CheckKind::Endpoint(EndpointCheck {
                protocol: Protocol::Tcp,
                target: Target::try_new(None, Some(&name)).expect("a name"),
                port: 80,
                interval: Interval::try_new(Duration::from_secs(1)).expect("allowed"),
                threshold: FailureThreshold::try_new(2).expect("allowed"),
            }),
            inverted: at == 2,
            disabled: false,
        }
        .into()
    };
    Checks::try_new(1, (0..CHECKS).map(spec).collect()).expect("few")
}

fn name(check: usize) -> String {
    format!("check-{check}.test")
}

/// One seeded run. The error is the first thing that should not have been.
struct Run {
    world: World,
    plan: Chance,
}

impl Run {
    fn new(seed: u64, planted: Planted) -> Self {
        let mut plan = Chance::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let regions = 3 + usize::try_from(plan.below(3)).expect("small");
        let world = World::new(Config {
            seed,
            regions,
            delay_ms: (1, 115),
            jitter_ms: plan.below(10),
            loss_percent: plan.below(6),
            endpoints: plan.one_in(2),
            planted,
            checks: checks(),
        });
        Self { world, plan }
    }

    fn rounds(&mut self, count: usize) -> Result<(), String> {
        self.all_well("at the start")?;
        for round in 0..count {
            let fault = self.plan.below(7);
            let done = match fault {
                0 => self.kill(),
                1 => self.partition(),
                2 => self.freeze(),
                3 => self.leave(),
                4 => self.silence(),
                5 => self.replay(),
                _ => self.endpoints(),
            };
            done.map_err(|wrong| format!("round {round}, fault {fault}: {wrong}"))?;
        }
        Ok(())
    }

    fn count(&self) -> usize {
        self.world.config.regions
    }

    fn pick(&mut self) -> usize {
        usize::try_from(self.plan.below(self.count() as u64)).expect("small")
    }

    fn state(&self, node: usize, of: usize) -> RegionState {
        self.world.nodes[node].view.regions[&region(of)].state
    }

    /// How long a verdict may take: longer where datagrams are lost.
    fn patience(&self) -> Duration {
        Duration::from_millis(1_500 + 300 * self.world.config.loss_percent)
    }

    /// Waits for one verdict on `of` in all of `nodes`.
    fn expect(&mut self, nodes: &[usize], of: usize, state: RegionState) -> Result<(), String> {
        let patience = self.patience();
        let took = self.world.run_while(patience, |world| {
            nodes
                .iter()
                .all(|node| world.nodes[*node].view.regions[&region(of)].state == state)
        });
        match took {
            Some(_) => Ok(()),
            None => Err(format!(
                "{of} is not {state:?} in {nodes:?} after {patience:?}"
            )),
        }
    }

    /// Nobody of `nodes` holds any of `of` for down.
    fn nobody_down(&self, nodes: &[usize], of: &[usize]) -> Result<(), String> {
        for node in nodes {
            for other in of {
                if self.state(*node, *other) == RegionState::Down {
                    let verdict = &self.world.nodes[*node].view.regions[&region(*other)];
                    return Err(format!(
                        "{node} holds {other} for down: {}",
                        verdict.because
                    ));
                }
            }
        }
        Ok(())
    }

    fn others(&self, without: &[usize]) -> Vec<usize> {
        (0..self.count())
            .filter(|node| !without.contains(node))
            .collect()
    }

    /// Everybody holds everybody for up, and every check for what the probes see.
    fn all_well(&mut self, when: &str) -> Result<(), String> {
        let all: Vec<usize> = self.others(&[]);
        let well = |world: &World| {
            all.iter().all(|node| {
                let view = &world.nodes[*node].view;
                let up = |of: &usize| view.regions[&region(*of)].state == RegionState::Up;
                view.quorum.held && view.regions.len() == all.len() && all.iter().all(up)
            })
        };
        if self.world.run_while(Duration::from_mins(2), well).is_none() {
            return Err(format!("not everybody is up {when}"));
        }
        self.world.run_for(Duration::from_secs(6));
        self.checks_are_right(&all)
    }

    /// In each of `nodes` every check is what the running regions among `nodes` see.
    fn checks_are_right(&self, nodes: &[usize]) -> Result<(), String> {
        for check in 0..CHECKS {
            let votes = nodes.iter().map(|node| {
                let reached = self.world.reach.get(&(name(check), *node));
                if reached.copied().unwrap_or(true) {
                    Status::Healthy
                } else {
                    Status::Unhealthy
                }
            });
            let raw = Tally::of(votes).verdict().expect("somebody votes");
            let healthy = (raw == Status::Healthy) != (check == 2);
            let id = CheckId::parse(&name(check)).expect("short");
            for node in nodes {
                let verdict = &self.world.nodes[*node].view.checks[&id];
                if (verdict.status == Status::Healthy) != healthy {
                    let because = verdict.because;
                    return Err(format!("{node} holds {id} for {verdict:?}: {because}"));
                }
            }
        }
        Ok(())
    }

    /// After a loss and its healing, a region is not back before its hold-down.
    fn returns_held_down(&mut self, of: usize, nodes: &[usize]) -> Result<(), String> {
        let early = self.world.run_while(Duration::from_millis(790), |world| {
            nodes
                .iter()
                .any(|node| world.nodes[*node].view.regions[&region(of)].state != RegionState::Down)
        });
        match early {
            Some(after) => Err(format!("{of} is back after only {after:?}")),
            None => self.all_well("after the healing"),
        }
    }

    fn kill(&mut self) -> Result<(), String> {
        let victim = self.pick();
        let others = self.others(&[victim]);
        self.world.kill(victim);
        self.expect(&others, victim, RegionState::Down)?;
        self.nobody_down(&others, &others)?;
        self.world.run_for(Duration::from_secs(6));
        self.checks_are_right(&others)?;
        self.world.restart(victim);
        self.returns_held_down(victim, &others)
    }

    fn partition(&mut self) -> Result<(), String> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for node in 0..self.count() {
            if self.plan.one_in(2) {
                left.push(node);
            } else {
                right.push(node);
            }
        }
        for (from, to) in left
            .iter()
            .flat_map(|l| right.iter().map(move |r| (*l, *r)))
        {
            self.world.cut(from, to);
            self.world.cut(to, from);
        }
        for (side, far) in [(&left, &right), (&right, &left)] {
            if 2 * side.len() > self.count() {
                for of in far {
                    self.expect(side, *of, RegionState::Down)?;
                }
            }
        }
        self.world.run_for(Duration::from_secs(8));
        for (side, far) in [(&left, &right), (&right, &left)] {
            self.nobody_down(side, side)?;
            if 2 * side.len() > self.count() {
                self.checks_are_right(side)?;
            } else {
                self.nobody_down(side, far)?;
                let lost = side
                    .iter()
                    .all(|node| !self.world.nodes[*node].view.quorum.held);
                if !lost {
                    return Err(format!("a side of {} holds a quorum", side.len()));
                }
            }
        }
        self.world.heal();
        self.all_well("after the partition")
    }

    fn freeze(&mut self) -> Result<(), String> {
        let victim = self.pick();
        let others = self.others(&[victim]);
        self.world.freeze(victim);
        self.expect(&others, victim, RegionState::Down)?;
        let seconds = 1 + self.plan.below(20);
        self.world.run_for(Duration::from_secs(seconds));
        self.nobody_down(&others, &others)?;
        self.world.thaw(victim);
        self.nobody_down(&[victim], &others)?;
        self.returns_held_down(victim, &others)
    }

    fn leave(&mut self) -> Result<(), String> {
        let victim = self.pick();
        let others = self.others(&[victim]);
        self.world.stand(victim, Standing::Leaving);
        let lossless = self.world.config.loss_percent == 0;
        let soon = Duration::from_millis(if lossless { 130 } else { 700 });
        let out = self.world.run_while(soon, |world| {
            let state = |node: &usize| world.nodes[*node].view.regions[&region(victim)].state;
            others.iter().all(|node| state(node) == RegionState::Down)
        });
        if out.is_none() {
            return Err(format!(
                "{victim} left and is still given out after {soon:?}"
            ));
        }
        self.world.kill(victim);
        self.world.run_for(Duration::from_secs(3));
        self.nobody_down(&others, &others)?;
        self.world.restart(victim);
        self.returns_held_down(victim, &others)
    }

    /// One-way cuts: what a region sends is lost on the way to some others.
    fn silence(&mut self) -> Result<(), String> {
        let victim = self.pick();
        let others = self.others(&[victim]);
        let deaf: Vec<usize> = others
            .iter()
            .copied()
            .filter(|_| self.plan.percent(60))
            .collect();
        for to in &deaf {
            self.world.cut(victim, *to);
        }
        let condemned = 2 * deaf.len() > self.count();
        if condemned {
            let all = self.others(&[]);
            self.expect(&all, victim, RegionState::Down)?;
        }
        self.world.run_for(Duration::from_secs(8));
        let all = self.others(&[]);
        self.nobody_down(&all, &others)?;
        if !condemned {
            self.nobody_down(&all, &[victim])?;
        }
        self.world.heal();
        self.all_well("after the one-way cut")
    }

    /// A dead region's datagrams are sent again by somebody who recorded them.
    fn replay(&mut self) -> Result<(), String> {
        let victim = self.pick();
        let others = self.others(&[victim]);
        self.world.kill(victim);
        self.expect(&others, victim, RegionState::Down)?;
        let recorded: Vec<_> = self
            .world
            .recorded
            .iter()
            .filter(|(from, _)| *from == victim)
            .map(|(_, datagram)| datagram.clone())
            .collect();
        for datagram in recorded.iter().cycle().take(20) {
            for to in &others {
                self.world.send(victim, *to, datagram.clone());
            }
            self.world.run_for(Duration::from_millis(100));
        }
        if others
            .iter()
            .any(|node| self.state(*node, victim) != RegionState::Down)
        {
            return Err(format!("recorded datagrams brought {victim} back"));
        }
        assert_eq!(self.world.nodes[victim].life, Life::Dead);
        self.world.restart(victim);
        self.all_well("after the replay")
    }

    /// Endpoints appear and disappear, for each region by itself.
    fn endpoints(&mut self) -> Result<(), String> {
        for check in 0..CHECKS {
            for node in 0..self.count() {
                let reached = self.plan.one_in(3);
                self.world.reach.insert((name(check), node), reached);
            }
        }
        self.world.run_for(Duration::from_secs(8));
        let all = self.others(&[]);
        self.checks_are_right(&all)
    }
}

fn seeds() -> u64 {
    std::env::var("HITHER_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(256)
}

#[test]
fn every_fault_has_its_verdict_and_nothing_else_does() {
    let wrong: Vec<String> = (0..seeds())
        .filter_map(|seed| {
            let wrong = Run::new(seed, Planted::Nothing).rounds(4).err()?;
            Some(format!("seed {seed}: {wrong}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nobody_is_taken_out_by_loss_alone() {
    for seed in 0..seeds() / 8 {
        let mut run = Run::new(seed, Planted::Nothing);
        run.world.config.loss_percent = 5;
        run.all_well("at the start").expect("a quiet start");
        let all = run.others(&[]);
        for second in 0..60 {
            run.world.run_for(Duration::from_secs(1));
            let well = run.nobody_down(&all, &all);
            assert_eq!(well, Ok(()), "seed {seed}, second {second}");
        }
    }
}

#[test]
fn one_seed_runs_the_same_twice() {
    let trace = |seed| {
        let mut run = Run::new(seed, Planted::Nothing);
        let done = run.rounds(3);
        (done, run.world.trace, run.world.now)
    };
    assert_eq!(trace(11), trace(11));
    assert_ne!(trace(11).1, trace(12).1);
}

#[track_caller]
fn is_caught(planted: Planted) {
    let caught = (0..64).any(|seed| Run::new(seed, planted).rounds(4).is_err());
    assert!(caught, "{planted:?} went unnoticed");
}

#[test]
fn ignoring_the_quorum_is_caught() {
    is_caught(Planted::IgnoreQuorum);
}

#[test]
fn never_noticing_silence_is_caught() {
    is_caught(Planted::MissingHeartbeatTimeout);
}

#[test]
fn counting_the_votes_of_the_silent_is_caught() {
    is_caught(Planted::VotesOfTheSilent);
}

#[test]
fn returning_without_a_hold_down_is_caught() {
    is_caught(Planted::NoHoldDown);
}

#[test]
fn accepting_replays_is_caught() {
    is_caught(Planted::AcceptReplays);
}
