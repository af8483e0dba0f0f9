//! Requests of DynamoDB: any operation with any body, through the facade, over tables in memory.
//!
//! It verifies no signature. Source: DynamoDB service model 2012-08-10.

use std::cell::OnceCell;
use std::ops::Bound;

use api_dynamodb::facade::DynamoDb;
use api_protocol::caller::{Caller, Service};
use api_protocol::request_id::RequestId;
use bytes::Bytes;
use control::testing::Node;
use http::Request;
use store::memory::MemStore;
use store::port::{Order, Range, Space, Store};
use tokio::runtime::{Builder, Runtime};

/// Takes the name of an operation in the first line, and a body after it.
///
/// Each input finds the same tables: what one changes, the next one does not see. What is refused
/// changes nothing.
pub fn run(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    let Some((operation, body)) = end.and_then(|end| data.split_at_checked(end)) else {
        return;
    };
    let Ok(operation) = std::str::from_utf8(operation) else {
        return;
    };
    let body = body.get(1..).unwrap_or_default();
    RUNTIME.with(|runtime| {
        let runtime = runtime.get_or_init(|| {
            let built = Builder::new_current_thread().enable_time().build();
            built.expect("a runtime needs no more than memory")
        });
        runtime.block_on(call(operation, body));
    });
}

async fn call(operation: &str, body: &[u8]) {
    let world = World::open().await;
    let before = world.contents().await;
    let (status, answer) = world.send(operation, body).await;
    assert!(
        status == 200 || world.contents().await == before,
        "{operation} is refused, and changes what is stored"
    );
    assert!(
        status < 500,
        "{operation} is the server's fault: {status} {}",
        String::from_utf8_lossy(&answer)
    );
    let json: Result<serde_json::Value, _> = serde_json::from_slice(&answer);
    assert!(json.is_ok(), "{operation} answers JSON");
    // Whatever came, the next request is served.
    let (status, _) = world.send("GetItem", PROBE.as_bytes()).await;
    assert!(status == 200 || status == 400, "{status} afterwards");
}

struct World {
    node: Node,
    facade: DynamoDb<MemStore>,
}

impl World {
    async fn open() -> Self {
        let node = Node::open("us-east-1").await;
        let facade = DynamoDb::new(node.control.clone());
        let world = Self { node, facade };
        for (operation, body) in SETUP {
            let (status, answer) = world.send(operation, body.as_bytes()).await;
            let answer = String::from_utf8_lossy(&answer);
            assert_eq!(status, 200, "{operation}: {answer}");
        }
        world
    }

    /// Returns all that is stored, but for facts about the store itself.
    async fn contents(&self) -> Vec<Rows> {
        let mut contents = Vec::new();
        for space in Space::ALL {
            if space != Space::Meta {
                contents.push(rows(&self.node.store, space).await);
            }
        }
        contents
    }

    async fn send(&self, operation: &str, body: &[u8]) -> (u16, Bytes) {
        let streams = matches!(
            operation,
            "DescribeStream" | "GetRecords" | "GetShardIterator" | "ListStreams"
        );
        let (service, prefix) = if streams {
            (Service::DynamoDbStreams, "DynamoDBStreams_20120810")
        } else {
            (Service::DynamoDb, "DynamoDB_20120810")
        };
        let region = self.node.control.project().region.clone();
        let caller = Caller::internal(service, region, RequestId::from_bits([1, 2, 3, 4]));
        let request = Request::post("/")
            .header("x-amz-target", format!("{prefix}.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(Bytes::copy_from_slice(body));
        // An operation's name that is no header value cannot be sent at all.
        let Ok(request) = request else {
            return (400, Bytes::from_static(b"{}"));
        };
        let response = self.facade.handle(&caller, request).await;
        (response.status().as_u16(), response.into_body())
    }
}

/// Keys of a namespace, with what stands under them.
type Rows = Vec<(Bytes, Bytes)>;

async fn rows(store: &MemStore, space: Space) -> Rows {
    let all = Range {
        space,
        from: Bound::Unbounded,
        to: Bound::Unbounded,
        order: Order::Ascending,
        rows_max: usize::MAX,
        bytes_max: usize::MAX,
    };
    let page = store.range(all).await;
    page.expect("memory does not fail").rows
}

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
}

const SETUP: [(&str, &str); 2] = [
    (
        "CreateTable",
        r#"{"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},
        {"AttributeName":"sk","KeyType":"RANGE"}],
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},
        {"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],
        "GlobalSecondaryIndexes":[{"IndexName":"gsi","Projection":{"ProjectionType":"ALL"},
        "KeySchema":[{"AttributeName":"g","KeyType":"HASH"}]}],
        "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#,
    ),
    (
        "PutItem",
        r#"{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"S":"x"},
        "l":{"L":[{"N":"1"},{"BOOL":true}]},"m":{"M":{"k":{"NULL":true}}},"s":{"SS":["p","q"]}}}"#,
    ),
];

const PROBE: &str = r#"{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}"#;
