//! Tests of reading bodies within the room for them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};

use super::{Room, discard, read};

/// A body that comes in pieces of so many bytes.
struct Pieces(VecDeque<usize>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.0.pop_front();
        Poll::Ready(next.map(|bytes| Ok(Frame::data(Bytes::from(vec![b'x'; bytes])))))
    }
}

fn pieces(bytes: &[usize]) -> Pieces {
    Pieces(bytes.iter().copied().collect())
}

#[tokio::test]
async fn a_body_is_read_whole_whatever_its_pieces() {
    let room = Room::new(100);
    for bytes in [&[][..], &[7], &[0, 7], &[3, 4], &[0, 3, 0, 4, 0]] {
        let (body, _held) = read(pieces(bytes), &room).await.expect("read");
        assert_eq!(body.len(), bytes.iter().sum::<usize>(), "{bytes:?}");
    }
}

#[tokio::test]
async fn bodies_wait_for_room_and_give_it_back() {
    let room = Room::new(100);
    let (_, first) = read(pieces(&[40, 20]), &room).await.expect("read");
    let (_, small) = read(pieces(&[40]), &room).await.expect("read");
    let mut third = std::pin::pin!(read(pieces(&[30, 30]), &room));
    for held in [small, first] {
        tokio::select! {
            biased;
            _ = &mut third => panic!("there is no room for it"),
            () = tokio::task::yield_now() => {}
        }
        drop(held);
    }
    let (body, held) = third.await.expect("read");
    assert_eq!(body.len(), 60);
    drop(held);
    read(pieces(&[100]), &room)
        .await
        .expect("all of it is back");
}

#[tokio::test]
async fn what_nobody_wants_is_read_to_its_end_or_bound() {
    let mut short = pieces(&[30, 30]);
    discard(&mut short, 60).await;
    assert_eq!(short.0.len(), 0);
    let mut long = pieces(&[30, 31, 7, 7]);
    discard(&mut long, 60).await;
    assert_eq!(long.0.len(), 2, "it ends with the piece that is too much");
}
