//! What must never be, and what must be once all is well.
//!
//! It reads the model and the views, and nothing of the cores' insides.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clock::time::Moment;
use health_core::check::{CheckKind, Checks, Target};
use health_core::judge::{Because, RegionState};
use health_core::limits::{HEALTHY_ABOVE_PERCENT, HEARTBEAT, RETURN_HEARTBEATS};
use health_core::prober::Status;
use health_core::view::HealthView;

use crate::region::{Life, id, place};
use crate::world::World;

/// How long after its end a silence may still be spoken of: a statement counts for 600 ms, may be
/// up to 200 ms old when it leaves, and travels for up to 200 ms.
const HEARSAY: Duration = Duration::from_millis(1_500);

/// How long after a process's death or start others may still act on it.
const AFTERMATH: Duration = Duration::from_secs(4);

/// Within this time a region in quorum notices that another is dead.
const NOTICE: Duration = Duration::from_secs(4);

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

/// Watches every region's views over a run.
#[derive(Debug, Default)]
pub struct Oracle {
    watched: BTreeMap<usize, Watched>,
}

/// What was last seen of one region's views.
#[derive(Debug)]
struct Watched {
    lives: u64,
    view: Arc<HealthView>,
    /// Since when each other region is down in this one's view.
    down: BTreeMap<usize, Moment>,
    /// Since when this region has a quorum.
    quorum: Option<Moment>,
}

impl Oracle {
    /// Looks at the world after something happened to a region.
    ///
    /// Errors: the first [`Violation`].
    pub fn look(&mut self, world: &World, at: usize) -> Result<(), Violation> {
        let Some(region) = world.regions.get(at) else {
            return Ok(());
        };
        let (view, lives, now) = (region.view(), region.lives(), world.now());
        let new = || Watched {
            lives,
            view: Arc::clone(view),
            down: BTreeMap::new(),
            quorum: None,
        };
        let watched = self.watched.entry(at).or_insert_with(new);
        if watched.lives != lives {
            *watched = new();
        }
        whole(world, at, view)?;
        let before = std::mem::replace(&mut watched.view, Arc::clone(view));
        if view.generation < before.generation {
            return wrong(at, "its generation went back");
        }
        if view.quorum.held {
            watched.quorum.get_or_insert(now);
        } else {
            watched.quorum = None;
        }
        for other in (0..world.regions.len()).filter(|other| *other != at) {
            watched.judge(world, at, other)?;
        }
        Ok(())
    }
}

impl Watched {
    fn judge(&mut self, world: &World, at: usize, other: usize) -> Result<(), Violation> {
        let now = world.now();
        let Some(verdict) = self.view.regions.get(&id(other)) else {
            return Ok(());
        };
        match (verdict.state, self.down.get(&other).copied()) {
            (RegionState::Down, None) => {
                self.down.insert(other, now);
                justified(world, at, other, &verdict.because)?;
            }
            (RegionState::Up | RegionState::Suspect, Some(since)) => {
                self.down.remove(&other);
                if now.since(since) < HEARTBEAT * RETURN_HEARTBEATS {
                    let after = now.since(since);
                    return wrong(at, &format!("it took {other} back after only {after:?}"));
                }
            }
            (RegionState::Down, Some(_)) | (RegionState::Up | RegionState::Suspect, None) => {}
        }
        let model = &world.model;
        let dead = !model.is_alive(other) && model.same_for(now, other) > NOTICE;
        let awake = model.is_running(at) && model.same_for(now, at) > NOTICE;
        let decides = self.quorum.is_some_and(|since| now.since(since) > NOTICE);
        if verdict.state == RegionState::Up && dead && awake && decides {
            return wrong(at, &format!("it hears {other}, which is long dead"));
        }
        Ok(())
    }
}

/// A view holds every region, its own included, and every check.
fn whole(world: &World, at: usize, view: &HealthView) -> Result<(), Violation> {
    let all = (0..world.regions.len()).all(|region| view.regions.contains_key(&id(region)));
    if !all || view.regions.len() != world.regions.len() || place(view.region) != at {
        return wrong(at, "its view lacks a region");
    }
    if view.generation == 0 || view.quorum.heard > view.quorum.of || view.quorum.heard == 0 {
        return wrong(at, "its view contradicts itself");
    }
    Ok(())
}

/// A region is down for a reason that was true a moment ago.
fn justified(world: &World, at: usize, of: usize, because: &Because) -> Result<(), Violation> {
    let (model, now) = (&world.model, world.now());
    let gone = model.was_gone(now, of, AFTERMATH);
    // Whoever has just started must be heard before it believes what it hears.
    let young = |witness: usize| model.was_gone(now, witness, AFTERMATH);
    let missing =
        |witness: usize| gone || young(witness) || model.was_silent(now, of, witness, HEARSAY);
    match because {
        Because::MissedBy(witnesses) => {
            let liar = witnesses.iter().find(|witness| !missing(place(**witness)));
            if let Some(liar) = liar {
                return wrong(
                    at,
                    &format!("it dropped {of} by the word of {liar}, who hears it"),
                );
            }
            let voices = (0..world.regions.len()).filter(|other| *other != of && missing(*other));
            if witnesses.len() < 2 || voices.count() < 2 {
                return wrong(at, &format!("it dropped {of} on one voice: {witnesses:?}"));
            }
        }
        Because::EndpointDead => {
            let (there, back) = (world.network.way(at, of), world.network.way(of, at));
            let still = !model.is_running(of) || model.same_for(now, of) < AFTERMATH;
            let lately = model.undisturbed_for(now) < AFTERMATH;
            let lost = lately || world.network.loss > 0 || there.cut || back.cut;
            if !missing(at) || !(gone || still || lost) {
                return wrong(at, &format!("it dropped {of}, whose endpoint answers"));
            }
        }
        // Its own word, or the wait after it.
        Because::Draining | Because::Leaving | Because::Returning => {}
        Because::Ourselves
        | Because::Heard
        | Because::NotYetHeard
        | Because::Silent
        | Because::HeardBy(_)
        | Because::EndpointAnswers => {
            return wrong(at, &format!("it dropped {of} although {because}"));
        }
    }
    Ok(())
}

/// What must be once the world has been whole and quiet for long enough: every running region is
/// up and every dead one down in every view, and every check is what the probes see.
///
/// Errors: the first [`Violation`].
pub fn settled(world: &World, checks: &Checks) -> Result<(), Violation> {
    let running: Vec<usize> = (0..world.regions.len())
        .filter(|at| world.model.is_running(*at))
        .collect();
    for at in &running {
        let Some(region) = world.regions.get(*at) else {
            continue;
        };
        debug_assert_eq!(region.life(), Life::Running, "the model knows who runs");
        let view = region.view();
        if !view.quorum.held {
            return wrong(*at, &format!("it has no quorum: {:?}", view.quorum));
        }
        for (other, verdict) in &view.regions {
            let expect = if running.contains(&place(*other)) {
                RegionState::Up
            } else {
                RegionState::Down
            };
            if verdict.state != expect {
                let (state, because) = (verdict.state, &verdict.because);
                return wrong(*at, &format!("it holds {other} for {state:?}: {because}"));
            }
        }
        checked(world, *at, view, checks, &running)?;
    }
    Ok(())
}

fn checked(
    world: &World,
    at: usize,
    view: &HealthView,
    checks: &Checks,
    running: &[usize],
) -> Result<(), Violation> {
    for spec in checks.specs() {
        let CheckKind::Endpoint(endpoint) = &spec.kind else {
            continue;
        };
        let Target::Name(name) = &endpoint.target else {
            continue;
        };
        let reached = running
            .iter()
            .filter(|from| world.model.reaches(name, **from));
        let healthy = reached.count() * 100 > HEALTHY_ABOVE_PERCENT * running.len();
        let expect = if healthy == spec.inverted {
            Status::Unhealthy
        } else {
            Status::Healthy
        };
        let verdict = view.checks.get(&spec.id);
        if verdict.map(|verdict| verdict.status) != Some(expect) {
            let id = &spec.id;
            return wrong(
                at,
                &format!("it holds {id} for {verdict:#?}, not {expect:?}"),
            );
        }
    }
    Ok(())
}

fn wrong(at: usize, what: &str) -> Result<(), Violation> {
    Err(Violation(format!("region {at} ({}): {what}", id(at))))
}
