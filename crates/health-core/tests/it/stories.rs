//! Single faults with exact bounds.

use std::time::Duration;

use health_core::check::{
    CheckId, CheckKind, CheckSpec, Checks, EndpointCheck, FailureThreshold, Interval, Protocol,
    Target,
};
use health_core::gossip::Standing;
use health_core::health::Input;
use health_core::judge::{Because, RegionState};
use health_core::planted::Planted;
use health_core::prober::Status;

use crate::world::{Config, World, region};

fn world(regions: usize) -> World {
    let mut world = World::new(Config {
        seed: 1,
        regions,
        delay_ms: (35, 115),
        jitter_ms: 2,
        loss_percent: 0,
        endpoints: true,
        planted: Planted::Nothing,
        checks: Checks::default(),
    });
    world.run_for(Duration::from_secs(5));
    for node in 0..regions {
        for other in 0..regions {
            assert_eq!(state(&world, node, other), RegionState::Up);
        }
    }
    world
}

fn state(world: &World, node: usize, of: usize) -> RegionState {
    world.nodes[node].view.regions[&region(of)].state
}

fn because(world: &World, node: usize, of: usize) -> &Because {
    &world.nodes[node].view.regions[&region(of)].because
}

#[track_caller]
fn within(world: &mut World, ms: u64, what: &str, holds: impl FnMut(&World) -> bool) {
    let took = world.run_while(Duration::from_millis(ms), holds);
    assert!(took.is_some(), "{what} took longer than {ms} ms");
}

#[test]
fn a_killed_region_is_down_everywhere_within_eight_tenths_of_a_second() {
    for phase in 0..20 {
        let mut world = world(3);
        world.run_for(Duration::from_millis(10 * phase));
        world.kill(2);
        // Its last heartbeat in 115 ms, 300 ms of silence, a refused question in 230 ms, the
        // others' word in 50 and 115 ms.
        within(&mut world, 800, "the verdict", |world| {
            (0..2).all(|node| state(world, node, 2) == RegionState::Down)
        });
        assert!(matches!(because(&world, 0, 2), Because::MissedBy(by) if by.len() == 2));
    }
}

#[test]
fn a_killed_region_whose_connections_are_seen_to_break_is_down_within_half_a_second() {
    for phase in 0..20 {
        let mut world = world(3);
        world.run_for(Duration::from_millis(10 * phase));
        world.kill(2);
        // The kernel closes the dead process's connections: the news travels one way.
        world.run_for(Duration::from_millis(115));
        for node in 0..2 {
            world
                .input(node, Input::Doubt(region(2)))
                .expect("always taken");
        }
        within(&mut world, 400, "the verdict", |world| {
            (0..2).all(|node| state(world, node, 2) == RegionState::Down)
        });
    }
}

#[test]
fn a_doubt_about_a_living_region_changes_nothing() {
    let mut world = world(3);
    for _ in 0..50 {
        world
            .input(0, Input::Doubt(region(2)))
            .expect("always taken");
        world.run_for(Duration::from_millis(30));
        assert_ne!(state(&world, 0, 2), RegionState::Down);
    }
    world.run_for(Duration::from_millis(300));
    assert_eq!(state(&world, 0, 2), RegionState::Up);
}

#[test]
fn a_frozen_region_is_down_everywhere_within_twelve_tenths_of_a_second() {
    for phase in 0..20 {
        let mut world = world(3);
        world.run_for(Duration::from_millis(10 * phase));
        world.freeze(2);
        within(&mut world, 1_200, "the verdict", |world| {
            (0..2).all(|node| state(world, node, 2) == RegionState::Down)
        });
        world.run_for(Duration::from_secs(10));
        world.thaw(2);
        // It slept, and blames nobody for it.
        assert_eq!(state(&world, 2, 0), RegionState::Up);
        within(&mut world, 4_000, "the return", |world| {
            (0..3).all(|node| state(world, node, 2) == RegionState::Up)
        });
    }
}

#[test]
fn a_region_cut_off_from_all_keeps_its_last_verdicts_and_says_so() {
    let mut world = world(3);
    for other in 0..2 {
        world.cut(2, other);
        world.cut(other, 2);
    }
    within(&mut world, 1_500, "the verdict", |world| {
        (0..2).all(|node| state(world, node, 2) == RegionState::Down)
    });
    world.run_for(Duration::from_secs(30));
    let view = &world.nodes[2].view;
    assert!(!view.quorum.held);
    assert_eq!((view.quorum.heard, view.quorum.of), (1, 3));
    assert!((0..2).all(|other| state(&world, 2, other) != RegionState::Down));
    assert!(world.nodes[0].view.quorum.held);
}

#[test]
fn one_cut_pair_takes_nobody_out() {
    let mut world = world(3);
    world.cut(0, 1);
    world.cut(1, 0);
    world.run_for(Duration::from_secs(30));
    assert_eq!(state(&world, 0, 1), RegionState::Suspect);
    assert_eq!(because(&world, 0, 1), &Because::HeardBy(vec![region(2)]));
    assert_eq!(state(&world, 2, 0), RegionState::Up);
    assert!(world.nodes.iter().all(|node| node.view.quorum.held));
}

#[test]
fn a_region_that_nobody_hears_is_down_in_its_own_view_too() {
    let mut world = world(3);
    world.cut(2, 0);
    world.cut(2, 1);
    within(&mut world, 1_500, "the verdict", |world| {
        (0..3).all(|node| state(world, node, 2) == RegionState::Down)
    });
}

#[test]
fn a_leaving_region_is_out_after_one_one_way_delay() {
    let mut world = world(3);
    world.stand(2, Standing::Leaving);
    within(&mut world, 120, "the verdict", |world| {
        (0..3).all(|node| state(world, node, 2) == RegionState::Down)
    });
    world.kill(2);
    world.run_for(Duration::from_secs(5));
    assert_eq!(because(&world, 0, 2), &Because::Leaving);
    world.restart(2);
    within(&mut world, 2_000, "the return", |world| {
        (0..2).all(|node| state(world, node, 2) == RegionState::Up)
    });
}

#[test]
fn a_draining_region_is_out_at_once_and_back_when_it_says_so() {
    let mut world = world(3);
    world.stand(1, Standing::Draining);
    within(&mut world, 120, "the verdict", |world| {
        (0..3).all(|node| *because(world, node, 1) == Because::Draining)
    });
    world.stand(1, Standing::Serving);
    within(&mut world, 2_000, "the return", |world| {
        (0..3).all(|node| state(world, node, 1) == RegionState::Up)
    });
}

#[test]
fn of_two_regions_a_dead_endpoint_is_the_second_voice() {
    let mut dead = world(2);
    dead.kill(1);
    within(&mut dead, 1_000, "the verdict", |world| {
        *because(world, 0, 1) == Because::EndpointDead
    });
    assert!(dead.nodes[0].view.quorum.held);

    let mut frozen = world(2);
    frozen.freeze(1);
    within(&mut frozen, 2_500, "the verdict", |world| {
        *because(world, 0, 1) == Because::EndpointDead
    });
}

#[test]
fn of_two_regions_lost_gossip_alone_takes_nobody_out() {
    let mut world = world(2);
    // Gossip is lost from one to the other; the endpoint of the silent one still answers,
    // which the world models by cutting only the datagrams.
    world.config.loss_percent = 100;
    world.run_for(Duration::from_secs(10));
    assert_eq!(because(&world, 0, 1), &Because::EndpointAnswers);
    assert_eq!(state(&world, 0, 1), RegionState::Suspect);
    assert!(world.nodes[0].view.quorum.held);
}

#[test]
fn two_regions_lost_one_after_the_other_leave_the_third_deciding() {
    let mut world = world(3);
    world.kill(2);
    world.run_for(Duration::from_secs(3));
    world.kill(1);
    within(&mut world, 2_500, "the verdict", |world| {
        state(world, 0, 1) == RegionState::Down
    });
    assert!(world.nodes[0].view.quorum.held);
    assert_eq!(world.nodes[0].view.quorum.of, 1);
}

#[test]
fn each_loss_makes_the_return_take_longer() {
    let mut world = world(3);
    let mut returns = Vec::new();
    for _ in 0..4 {
        for other in 0..2 {
            world.cut(2, other);
        }
        within(&mut world, 1_500, "the verdict", |world| {
            state(world, 0, 2) == RegionState::Down
        });
        world.heal();
        let took = world.run_while(Duration::from_secs(30), |world| {
            state(world, 0, 2) == RegionState::Up
        });
        returns.push(took.expect("it returns").as_millis());
    }
    let bounds = [1_000, 2_000, 4_000, 8_000];
    for (took, least) in returns.iter().zip(bounds) {
        assert!((least..least + 900).contains(took), "{returns:?}");
    }
}

#[test]
fn delays_and_clock_offsets_are_measured() {
    let world = world(4);
    for node in 0..4 {
        for other in (0..4).filter(|other| *other != node) {
            let delay = world.nodes[node].view.regions[&region(other)].delay;
            let delay = delay.expect("five seconds of echoes");
            let path = world.paths[node][other];
            let rtt = u64::try_from(delay.rtt_min.as_micros()).expect("short");
            assert!((2 * path.delay..=2 * path.delay + 4_000).contains(&rtt));
            let truth = world.nodes[other].skew - world.nodes[node].skew;
            assert!(
                (delay.offset.0 - truth).abs() <= 2_000,
                "half the jitter at most"
            );
        }
    }
}

#[test]
fn a_restart_with_a_clock_gone_back_is_heard_all_the_same() {
    let mut world = world(3);
    world.kill(1);
    world.run_for(Duration::from_secs(3));
    // The next life starts with a lower incarnation than the last.
    let before = world.nodes[1].core.incarnation();
    world.gone_back = 900;
    world.restart(1);
    assert!(world.nodes[1].core.incarnation() < before);
    within(&mut world, 4_000, "the return", |world| {
        (0..3).all(|node| state(world, node, 1) == RegionState::Up)
    });
    assert!(world.nodes[1].core.incarnation() > before);
}

#[test]
fn what_waited_in_a_sleeping_process_condemns_nobody() {
    let mut world = world(5);
    world.freeze(0);
    // The socket of the sleeper fills with the word of three others that region 2 is missed.
    world.kill(2);
    world.run_for(Duration::from_secs(2));
    world.restart(2);
    world.run_for(Duration::from_secs(10));
    world.thaw(0);
    for _ in 0..200 {
        assert_ne!(state(&world, 0, 2), RegionState::Down);
        world.run_for(Duration::from_millis(10));
    }
    assert_eq!(state(&world, 0, 2), RegionState::Up);
}

#[test]
fn heartbeats_held_back_on_the_way_do_not_bring_a_dead_region_back() {
    let mut world = world(3);
    world.cut(2, 0);
    world.cut(2, 1);
    world.recorded.clear();
    world.run_for(Duration::from_secs(5));
    let held_back: Vec<_> = world
        .recorded
        .iter()
        .filter(|(from, _)| *from == 2)
        .map(|(_, datagram)| datagram.clone())
        .collect();
    world.kill(2);
    world.heal();
    assert!(held_back.len() > 40);
    for datagram in held_back {
        for to in 0..2 {
            world.send(2, to, datagram.clone());
            assert_eq!(state(&world, to, 2), RegionState::Down);
        }
        world.run_for(Duration::from_millis(100));
    }
}

#[test]
fn a_check_fails_where_fewer_than_a_fifth_see_it_and_holds_where_one_of_three_does() {
    let spec = CheckSpec {
        id: CheckId::parse("check-1").expect("short"),
        kind: CheckKind::Endpoint(EndpointCheck {
            protocol: Protocol::Tcp,
            target: Target::try_new(None, Some("a.test")).expect("a name"),
            port: 80,
            interval: Interval::try_new(Duration::from_secs(1)).expect("allowed"),
            threshold: FailureThreshold::try_new(2).expect("allowed"),
        }),
        inverted: false,
        disabled: false,
    };
    let id = spec.id.clone();
    let mut world = world(3);
    let checks = Checks::try_new(1, vec![spec.into()]).expect("one check");
    for node in 0..3 {
        world.input(node, Input::Checks(&checks)).expect("newer");
    }
    let status = |world: &World, node: usize| world.nodes[node].view.checks[&id].status;
    world.run_for(Duration::from_secs(4));
    assert_eq!(status(&world, 0), Status::Healthy);
    for node in 0..2 {
        world.reach.insert(("a.test".to_owned(), node), false);
    }
    world.run_for(Duration::from_secs(10));
    assert_eq!(status(&world, 0), Status::Healthy, "one of three is 33 %");
    // The only region that sees it dies, and its vote with it.
    world.kill(2);
    within(&mut world, 2_500, "the verdict", |world| {
        (0..2).all(|node| status(world, node) == Status::Unhealthy)
    });
    let verdict = &world.nodes[0].view.checks[&id];
    assert!(!verdict.votes[&region(2)].counts);
    assert!(
        !verdict.votes[&region(1)].last.outcome.is_success(),
        "what another region saw is known here"
    );
}

#[test]
fn a_shorter_interval_counts_at_once() {
    let checks = |generation, interval| {
        let spec = CheckSpec {
            id: CheckId::parse("check").expect("short"),
            kind: CheckKind::Endpoint(EndpointCheck {
                protocol: Protocol::Tcp,
                target: Target::try_new(None, Some("check.test")).expect("a name"),
                port: 80,
                interval: Interval::try_new(Duration::from_secs(interval)).expect("allowed"),
                threshold: FailureThreshold::try_new(1).expect("allowed"),
            }),
            inverted: false,
            disabled: false,
        };
        Checks::try_new(generation, vec![spec.into()]).expect("one")
    };
    let mut world = world(1);
    let status = |world: &World| {
        let checks = &world.nodes[0].view.checks;
        checks[&CheckId::parse("check").expect("short")].status
    };
    let slow = checks(1, 300);
    world.input(0, Input::Checks(&slow)).expect("newer");
    world.run_for(Duration::from_secs(5));
    world.reach.insert(("check.test".to_owned(), 0), false);
    let quick = checks(2, 1);
    world.input(0, Input::Checks(&quick)).expect("newer");
    assert_eq!(status(&world), Status::Healthy);
    // One interval, and the longest that the probe itself may take.
    within(&mut world, 3_500, "the verdict", |world| {
        status(world) == Status::Unhealthy
    });
}
