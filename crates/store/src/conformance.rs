//! One suite that every engine must pass.
//!
//! It tests promises of the port, not of an engine.

use std::ops::Bound;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::port::{Batch, Durability, Order, Range, Rowed, Space, Store, StoreError, prefix_end};

/// Runs the suite; `open` makes an empty store each time.
///
/// It panics with what was broken.
pub async fn run<S: Store>(open: impl Fn() -> S) {
    what_is_put_is_read(open()).await;
    spaces_do_not_mix(open()).await;
    ranges_follow_bounds_order_and_limits(open()).await;
    later_operations_of_a_batch_win(open()).await;
    batches_take_effect_in_order(open()).await;
    the_past_stays_as_it_was(open()).await;
}

/// Submits a batch and waits for it.
///
/// Errors: those of the store.
pub async fn commit<S: Store>(
    store: &S,
    batch: Batch,
    durability: Durability,
) -> Result<(), StoreError> {
    let (done, wait) = oneshot::channel();
    store.submit(
        batch,
        durability,
        Box::new(move |result| drop(done.send(result))),
    );
    wait.await.unwrap_or(Err(StoreError::Closed))
}

async fn put<S: Store>(store: &S, space: Space, keys: &[&str]) {
    let mut batch = Batch::default();
    for key in keys {
        batch.put(space, key.as_bytes().to_vec(), (*key).to_owned());
    }
    commit(store, batch, Durability::Disk)
        .await
        .expect("the batch is stored");
}

async fn keys<S: Store>(store: &S, range: Range) -> (Vec<String>, bool) {
    let rows = store.range(range).await.expect("the range is read");
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    for (key, value) in &rows.rows {
        assert_eq!(key, value, "each key of this suite is its own value");
    }
    (
        rows.rows.iter().map(|(key, _)| text(key)).collect(),
        rows.more,
    )
}

fn whole(space: Space) -> Range {
    Range {
        space,
        from: Bound::Unbounded,
        to: Bound::Unbounded,
        order: Order::Ascending,
        rows_max: 100,
        bytes_max: 1 << 20,
    }
}

async fn what_is_put_is_read<S: Store>(store: S) {
    assert_eq!(store.get(Space::Items, b"a").await.expect("readable"), None);
    put(&store, Space::Items, &["a"]).await;
    let value = store.get(Space::Items, b"a").await.expect("readable");
    assert_eq!(value.as_deref(), Some(&b"a"[..]));
    let mut batch = Batch::default();
    batch.delete(Space::Items, b"a".to_vec());
    batch.delete(Space::Items, b"never".to_vec());
    commit(&store, batch, Durability::Buffered)
        .await
        .expect("stored");
    assert_eq!(store.get(Space::Items, b"a").await.expect("readable"), None);
}

async fn spaces_do_not_mix<S: Store>(store: S) {
    for space in Space::ALL {
        put(&store, space, &[space.name(), "shared"]).await;
    }
    for space in Space::ALL {
        let (found, more) = keys(&store, whole(space)).await;
        let mut expect = vec![space.name().to_owned(), "shared".to_owned()];
        expect.sort();
        assert_eq!((found, more), (expect, false), "{space}");
    }
}

async fn ranges_follow_bounds_order_and_limits<S: Store>(store: S) {
    put(&store, Space::Log, &["a", "b", "ba", "bb", "c"]).await;
    let range = |from: Bound<&str>, to: Bound<&str>, order, rows_max| Range {
        from: from.map(|key| key.as_bytes().to_vec()),
        to: to.map(|key| key.as_bytes().to_vec()),
        order,
        rows_max,
        ..whole(Space::Log)
    };
    let read = async |range| {
        let (found, more) = keys(&store, range).await;
        (found.join(" "), more)
    };
    let up = Order::Ascending;
    let (b, c) = (Bound::Included("b"), Bound::Excluded("c"));
    assert_eq!(read(range(b, c, up, 9)).await, ("b ba bb".into(), false));
    assert_eq!(read(range(b, c, up, 2)).await, ("b ba".into(), true));
    assert_eq!(read(range(b, c, up, 3)).await.0, "b ba bb");
    assert_eq!(
        read(range(b, c, Order::Descending, 2)).await,
        ("bb ba".into(), true)
    );
    assert_eq!(read(range(Bound::Excluded("b"), c, up, 9)).await.0, "ba bb");
    assert_eq!(read(range(c, b, up, 9)).await, (String::new(), false));
    assert_eq!(
        read(range(Bound::Excluded("b"), Bound::Excluded("b"), up, 9))
            .await
            .0,
        ""
    );
    let few = Range {
        bytes_max: 3,
        ..whole(Space::Log)
    };
    assert_eq!(
        keys(&store, few).await,
        (vec!["a".into(), "b".into()], true)
    );
    let prefix = Range {
        from: Bound::Included(b"b".to_vec()),
        to: prefix_end(b"b"),
        ..whole(Space::Log)
    };
    assert_eq!(keys(&store, prefix).await.0, ["b", "ba", "bb"]);
}

async fn later_operations_of_a_batch_win<S: Store>(store: S) {
    let mut batch = Batch::default();
    batch.put(Space::Meta, b"k".to_vec(), "1");
    batch.put(Space::Meta, b"k".to_vec(), "2");
    batch.put(Space::Meta, b"gone".to_vec(), "1");
    batch.delete(Space::Meta, b"gone".to_vec());
    commit(&store, batch, Durability::Disk)
        .await
        .expect("stored");
    let value = store.get(Space::Meta, b"k").await.expect("readable");
    assert_eq!(value.as_deref(), Some(&b"2"[..]));
    assert_eq!(
        store.get(Space::Meta, b"gone").await.expect("readable"),
        None
    );
}

async fn the_past_stays_as_it_was<S: Store>(store: S) {
    put(&store, Space::Indexes, &["a", "b"]).await;
    let past = store.past();
    let mut batch = Batch::default();
    batch.delete(Space::Indexes, b"a".to_vec());
    batch.put(Space::Indexes, b"c".to_vec(), "c");
    batch.put(Space::Items, b"d".to_vec(), "d");
    let done = commit(&store, batch, Durability::Disk).await;
    done.expect("the batch is stored");
    let of = async |range: Range| {
        let rows = past.range(range).await.expect("the past is read");
        let keys = rows.rows.iter().map(|(key, _)| key.to_vec());
        (keys.collect::<Vec<_>>(), rows.more)
    };
    let index = whole(Space::Indexes);
    let both = (vec![b"a".to_vec(), b"b".to_vec()], false);
    assert_eq!(of(index.clone()).await, both);
    let last = Range {
        order: Order::Descending,
        rows_max: 1,
        ..index.clone()
    };
    assert_eq!(of(last).await, (vec![b"b".to_vec()], true));
    assert_eq!(of(whole(Space::Items)).await, (Vec::new(), false));
    assert_eq!(keys(&store, index).await.0, ["b", "c"]);
}

async fn batches_take_effect_in_order<S: Store>(store: S) {
    let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..200_u32 {
        let mut batch = Batch::default();
        batch.put(Space::Items, b"last".to_vec(), number.to_string());
        let kinds = [Durability::Disk, Durability::Buffered];
        let durability = if number % 3 == 0 { kinds[0] } else { kinds[1] };
        let sender = sender.clone();
        let done = move |result: Result<(), StoreError>| {
            result.expect("stored");
            sender.send(number).expect("the suite listens");
        };
        store.submit(batch, durability, Box::new(done));
    }
    drop(sender);
    let mut expect = 0;
    while let Some(number) = order.recv().await {
        assert_eq!(number, expect);
        expect += 1;
    }
    assert_eq!(expect, 200);
    let (done, wait) = oneshot::channel();
    store.flushed(Box::new(move |result| drop(done.send(result))));
    wait.await.expect("answered").expect("synced");
    let value = store.get(Space::Items, b"last").await.expect("readable");
    assert_eq!(value.as_deref(), Some(&b"199"[..]));
}
