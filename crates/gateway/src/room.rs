//! Room for requests' bodies: what clients send takes a bounded part of the memory.
//!
//! Nobody waits for room: two that had half of it each would wait for each other.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Room for a number of bytes.
#[derive(Debug)]
pub(crate) struct Room(Semaphore);

/// Room that is taken until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held<'r>(Option<SemaphorePermit<'r>>);

/// There is no room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Semaphore::new(bytes))
    }

    /// Takes room for so many bytes more.
    ///
    /// Errors: [`NoRoom`]; what was taken before stays taken.
    pub(crate) fn take<'r>(&'r self, bytes: usize, held: &mut Held<'r>) -> Result<(), NoRoom> {
        let bytes = u32::try_from(bytes).map_err(|_| NoRoom)?;
        let more = self.0.try_acquire_many(bytes).map_err(|_| NoRoom)?;
        match &mut held.0 {
            Some(held) => held.merge(more),
            None => held.0 = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, NoRoom, Room};

    #[test]
    fn room_is_bounded_and_comes_back() {
        let room = Room::new(10);
        let (mut first, mut second) = (Held::default(), Held::default());
        assert_eq!(room.take(4, &mut first), Ok(()));
        assert_eq!(room.take(4, &mut first), Ok(()));
        assert_eq!(room.take(3, &mut second), Err(NoRoom));
        assert_eq!(room.take(2, &mut second), Ok(()));
        drop(first);
        assert_eq!(room.take(8, &mut second), Ok(()));
        assert_eq!(room.take(1, &mut second), Err(NoRoom));
    }
}
