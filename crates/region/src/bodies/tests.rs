//! Tests of reading bodies within the room for them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use hyper::body::{Body, Frame, SizeHint};

use super::{Room, discard, read, whole};
use crate::limits::{
    BODIES_BYTES_MAX, SHORT_BODIES_BYTES_MAX, SHORT_BODY_BYTES, UNPACKED_BYTES_MAX,
};

/// A body that comes in pieces of so many bytes, and then stalls where it has no end.
struct Pieces {
    left: VecDeque<usize>,
    declared: Option<u64>,
    ends: bool,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.left.pop_front() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; bytes]))))),
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.declared
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

fn pieces(bytes: &[usize]) -> Pieces {
    Pieces {
        left: bytes.iter().copied().collect(),
        declared: None,
        ends: true,
    }
}

/// A body of which so many bytes were promised, and so many come.
fn stalled(declared: usize, sent: usize) -> Pieces {
    Pieces {
        left: VecDeque::from([sent]),
        declared: Some(declared as u64),
        ends: false,
    }
}

const LIMIT: usize = 16 << 20;

#[tokio::test]
async fn a_body_is_read_whole_whatever_its_pieces() {
    let room = Room::new();
    let long = [SHORT_BODY_BYTES, 1, SHORT_BODY_BYTES];
    for bytes in [&[][..], &[7], &[0, 7], &[3, 4], &[0, 3, 0, 4, 0], &long] {
        let mut body = pieces(bytes);
        let (body, _held) = read(&mut body, LIMIT, &room).await.expect("read");
        assert_eq!(body.len(), bytes.iter().sum::<usize>(), "{bytes:?}");
    }
}

/// Polls something once, which is not to be done.
async fn stays(waiting: &mut Pin<&mut impl Future>) {
    tokio::select! {
        biased;
        _ = waiting => panic!("it does not wait"),
        () = tokio::task::yield_now() => {}
    }
}

#[tokio::test]
async fn room_is_given_back_but_for_what_a_body_takes() {
    let room = Room::new();
    let free = || {
        (
            room.short.available_permits(),
            room.long.available_permits(),
        )
    };
    // Its length is not told: room for the longest is held until it has come.
    let mut body = pieces(&[SHORT_BODY_BYTES, 1_000]);
    let (_, held) = read(&mut body, LIMIT, &room).await.expect("read");
    let (short, long) = free();
    assert_eq!(short, SHORT_BODIES_BYTES_MAX - SHORT_BODY_BYTES);
    assert_eq!(long, BODIES_BYTES_MAX - 1_000);
    let mut body = pieces(&[10]);
    let (_, small) = read(&mut body, LIMIT, &room).await.expect("read");
    assert_eq!(free(), (short - 10, long));
    drop((held, small));
    assert_eq!(free(), (SHORT_BODIES_BYTES_MAX, BODIES_BYTES_MAX));
}

#[tokio::test]
async fn long_bodies_wait_for_each_other_and_short_ones_for_none() {
    let room = Room::new();
    let mut stallers = Vec::new();
    for _ in 0..BODIES_BYTES_MAX / LIMIT {
        stallers.push(stalled(LIMIT + SHORT_BODY_BYTES, SHORT_BODY_BYTES + 1));
    }
    let mut reading: Vec<_> = stallers
        .iter_mut()
        .map(|body| Box::pin(read(body, 2 * LIMIT, &room)))
        .collect();
    for one in &mut reading {
        stays(&mut one.as_mut()).await;
    }
    assert_eq!(room.long.available_permits(), 0, "all of it is taken");
    let mut late = pieces(&[SHORT_BODY_BYTES, 1]);
    let mut late = std::pin::pin!(read(&mut late, LIMIT, &room));
    stays(&mut late).await;
    let mut short = pieces(&[SHORT_BODY_BYTES]);
    let (body, _held) = read(&mut short, LIMIT, &room).await.expect("read");
    assert_eq!(body.len(), SHORT_BODY_BYTES);
    drop(reading);
    let (body, _held) = late.await.expect("there is room again");
    assert_eq!(body.len(), SHORT_BODY_BYTES + 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let room = Room::new();
    let request = Request::new(stalled(100, 99));
    let unread = whole(request, LIMIT, &room).await.err().expect("refused");
    assert_eq!(unread.fault.status, 408);
    let free = room.short.available_permits();
    assert_eq!(free, SHORT_BODIES_BYTES_MAX);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_before_it_takes_room() {
    let room = Room::new();
    let mut body = stalled(LIMIT + 1, 5);
    body.ends = true;
    let unread = whole(Request::new(body), LIMIT, &room).await.err();
    assert_eq!(unread.expect("refused").fault.status, 413);
    let undeclared = Request::new(pieces(&[LIMIT, 1, 7]));
    let unread = whole(undeclared, LIMIT, &room).await.err();
    assert_eq!(unread.expect("refused").fault.status, 413);
}

#[tokio::test]
async fn what_is_packed_has_room_for_all_that_it_may_unpack_to() {
    let room = Room::new();
    let mut body = pieces(&[SHORT_BODY_BYTES, 100]);
    let (_, mut held) = read(&mut body, LIMIT, &room).await.expect("read");
    let long = room.long.available_permits();
    assert_eq!(long, BODIES_BYTES_MAX - 100);
    room.hold_unpacked(&mut held).await;
    // It is in memory while it waits and while it is unpacked, so it counts.
    assert_eq!(room.long.available_permits(), long);
    let unpacked = room.unpacked.available_permits();
    assert_eq!(unpacked, UNPACKED_BYTES_MAX - LIMIT);
    held.unpack(50);
    assert_eq!(room.unpacked.available_permits(), UNPACKED_BYTES_MAX - 50);
    assert_eq!(room.long.available_permits(), BODIES_BYTES_MAX);
}

#[tokio::test]
async fn what_nobody_wants_is_read_to_its_end_or_bound() {
    let mut short = pieces(&[30, 30]);
    discard(&mut short, 60).await;
    assert_eq!(short.left.len(), 0);
    let mut long = pieces(&[30, 31, 7, 7]);
    discard(&mut long, 60).await;
    assert_eq!(
        long.left.len(),
        2,
        "it ends with the piece that is too much"
    );
}
