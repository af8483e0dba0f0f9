//! The wire: round trips, refusals, and decoding of anything at all.

use std::fmt::Write;

use base::region::RegionId;
use clock::time::WallTime;
use proptest::prelude::{Just, Strategy, any, prop, proptest};

use super::{
    DATAGRAM_BYTES_MAX, Gossip, GossipError, HEADER_BYTES, Row, SeenRow, Standing, VERSION, VoteRow,
};
use crate::check::CheckKey;
use crate::judge::RegionState;
use crate::observation::{Failure, Outcome, Success};
use crate::prober::Status;
use crate::replay::Incarnation;
use crate::seal::{SEAL_BYTES, Seal};

fn seal() -> Seal {
    Seal::new("shop", &[1; 32])
}

fn row() -> impl Strategy<Value = Row> {
    let state = prop::sample::select(vec![
        RegionState::Up,
        RegionState::Suspect,
        RegionState::Down,
    ]);
    let numbers = (any::<u16>(), any::<u16>(), any::<u64>(), any::<u64>());
    (state, any::<bool>(), numbers).prop_map(|(state, missed, (region, silence, life, echo))| Row {
        region: RegionId(region),
        missed,
        state,
        silence_ms: silence,
        incarnation: Incarnation(life),
        echo_micros: echo,
    })
}

fn vote() -> impl Strategy<Value = VoteRow> {
    let outcome = prop::sample::select(vec![
        Outcome::Success(Success::Connected),
        Outcome::Success(Success::Status(200)),
        Outcome::Failure(Failure::Status(503)),
        Outcome::Failure(Failure::Lost),
    ]);
    let status = prop::sample::select(vec![Status::Healthy, Status::Unhealthy]);
    let seen = (status, any::<bool>(), outcome, any::<u16>()).prop_map(
        |(status, wavering, outcome, age_tenths)| SeenRow {
            status,
            wavering,
            outcome,
            age_tenths,
        },
    );
    (any::<u64>(), prop::option::of(seen)).prop_map(|(check, seen)| VoteRow {
        check: CheckKey(check),
        seen,
    })
}

fn gossip() -> impl Strategy<Value = Gossip> {
    let standing = prop::sample::select(vec![
        Standing::Serving,
        Standing::Draining,
        Standing::Leaving,
    ]);
    let body = prop::collection::vec(row(), 0..=32).prop_flat_map(|rows| {
        let fit = Gossip::votes_fit(rows.len());
        (Just(rows), prop::collection::vec(vote(), 0..=fit))
    });
    let numbers = (
        any::<u16>(),
        1..=u64::MAX,
        any::<u64>(),
        any::<u64>(),
        any::<i64>(),
    );
    (standing, body, numbers, any::<u8>()).prop_map(
        |(standing, (rows, votes), (sender, life, sequence, sent_micros, wall), part)| {
            let part = if rows.is_empty() { part.min(254) } else { 0 };
            Gossip {
                sender: RegionId(sender),
                incarnation: Incarnation(life),
                sequence,
                sent_micros,
                wall: WallTime::from_micros(wall),
                standing,
                part,
                parts: part + 1,
                rows,
                votes,
            }
        },
    )
}

fn small() -> Gossip {
    Gossip {
        sender: RegionId(1),
        incarnation: Incarnation(2),
        sequence: 3,
        sent_micros: 4,
        wall: WallTime::from_micros(5),
        standing: Standing::Serving,
        part: 0,
        parts: 1,
        rows: Vec::new(),
        votes: Vec::new(),
    }
}

/// Seals bytes as a sender with the key would, whatever they say.
fn sealed(text: &[u8]) -> Vec<u8> {
    let mut datagram = text.to_vec();
    datagram.extend_from_slice(&seal().of(text));
    datagram
}

proptest! {
    #[test]
    fn what_is_written_is_read(gossip in gossip()) {
        let datagram = gossip.encode(&seal());
        assert!(datagram.len() <= DATAGRAM_BYTES_MAX);
        assert_eq!(Gossip::decode(&datagram, &seal()), Ok(gossip));
    }

    #[test]
    fn a_changed_byte_is_noticed(gossip in gossip(), at in any::<usize>(), flip in 1..=u8::MAX) {
        let mut datagram = gossip.encode(&seal());
        let at = at % datagram.len();
        datagram[at] ^= flip;
        assert!(Gossip::decode(&datagram, &seal()).is_err());
    }

    #[test]
    fn a_shortened_datagram_is_noticed(gossip in gossip(), keep in any::<usize>()) {
        let datagram = gossip.encode(&seal());
        assert!(Gossip::decode(&datagram[..keep % datagram.len()], &seal()).is_err());
    }

    #[test]
    fn anything_is_decoded_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..1_300)) {
        assert!(Gossip::decode(&noise, &seal()).is_err());
    }

    #[test]
    fn a_sealed_inside_has_one_meaning(
        body in prop::collection::vec(any::<u8>(), 0..400),
        counts in any::<[u8; 4]>(),
    ) {
        // A sender with the key that writes nonsense: read in one way or refused, never a panic.
        let mut text = small().encode(&seal());
        text.truncate(HEADER_BYTES);
        text[46..50].copy_from_slice(&counts);
        text.extend_from_slice(&body);
        let datagram = sealed(&text);
        if let Ok(gossip) = Gossip::decode(&datagram, &seal()) {
            assert_eq!(gossip.encode(&seal()), datagram);
        }
    }
}

#[track_caller]
fn refused(datagram: &[u8], expect: GossipError) {
    assert_eq!(Gossip::decode(datagram, &seal()), Err(expect));
}

#[test]
fn refusals_say_what_is_wrong() {
    let good = small().encode(&seal());
    refused(&good[..good.len() - 1], GossipError::Length(good.len() - 1));
    refused(&[0; 1_201], GossipError::Length(1_201));
    refused(&[0; 100], GossipError::Foreign);
    let mut newer = good.clone();
    newer[2] = VERSION + 1;
    refused(&newer, GossipError::UnknownVersion(VERSION + 1));
    refused(
        &small().encode(&Seal::new("other", &[1; 32])),
        GossipError::OtherProject,
    );
    refused(
        &small().encode(&Seal::new("shop", &[2; 32])),
        GossipError::Seal,
    );
    let text = &good[..good.len() - SEAL_BYTES];
    let with = |at: usize, byte: u8| {
        let mut text = text.to_vec();
        text[at] = byte;
        sealed(&text)
    };
    refused(&with(3, 3), GossipError::Malformed("standing"));
    refused(&with(21, 0), GossipError::Malformed("incarnation"));
    refused(&with(46, 1), GossipError::Malformed("part"));
    refused(&with(48, 33), GossipError::Malformed("number of rows"));
    refused(&with(49, 1), GossipError::Malformed("length"));
    let mut longer = text.to_vec();
    longer.push(0);
    refused(&sealed(&longer), GossipError::Malformed("length"));
}

#[test]
fn a_snapshot_has_one_size_before_and_after_the_first_probe() {
    let vote = |seen| VoteRow {
        check: CheckKey(9),
        seen,
    };
    let seen = SeenRow {
        status: Status::Unhealthy,
        wavering: true,
        outcome: Outcome::of_status(503),
        age_tenths: 7,
    };
    let length = |vote| {
        let votes = vec![vote];
        Gossip { votes, ..small() }.encode(&seal()).len()
    };
    assert_eq!(length(vote(None)), length(vote(Some(seen))));
}

#[test]
fn a_thousand_checks_of_thirty_two_regions_fill_fourteen_datagrams() {
    let first = Gossip::votes_fit(31);
    let later = Gossip::votes_fit(0);
    assert_eq!((first, later), (33, 79));
    assert_eq!(1 + (1_000 - first).div_ceil(later), 14);
}

/// The bytes of version 1, as a release sent them: a later release must read them.
#[test]
fn version_one_reads_the_same_for_ever() {
    let gossip = Gossip {
        rows: vec![Row {
            region: RegionId(6),
            missed: true,
            state: RegionState::Suspect,
            silence_ms: 650,
            incarnation: Incarnation(7),
            echo_micros: 8,
        }],
        votes: vec![VoteRow {
            check: CheckKey(10),
            seen: Some(SeenRow {
                status: Status::Unhealthy,
                wavering: true,
                outcome: Outcome::of_status(503),
                age_tenths: 11,
            }),
        }],
        standing: Standing::Draining,
        ..small()
    };
    let datagram = gossip.encode(&seal());
    let inside = &datagram[12..datagram.len() - SEAL_BYTES];
    let hex = inside.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes everything");
        hex
    });
    let expect = concat!(
        "0001",
        "0000000000000002",
        "0000000000000003",
        "0000000000000004",
        "0000000000000005",
        "00",
        "01",
        "01",
        "01",
        "0006",
        "03",
        "028a",
        "0000000000000007",
        "0000000000000008",
        "000000000000000a",
        "06",
        "10",
        "01f7",
        "000b",
    );
    assert_eq!(hex, expect);
    assert_eq!(&datagram[..4], b"hg\x01\x01");
}
