//! One region in memory, called as a client calls it.

use std::task::Poll;

use api_dynamodb::facade::DynamoDb;
use api_dynamodb::throttle::Throttling;
use api_protocol::caller::{Caller, Service};
use api_protocol::request_id::RequestId;
use bytes::Bytes;
use control::testing::Node;
use http::Request;
use serde_json::{Value, json};
use store::memory::MemStore;

use crate::buckets::InMemory;

/// A region with its facade.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) facade: DynamoDb<MemStore>,
}

impl World {
    /// Opens an empty region.
    pub(crate) async fn open(region: &str) -> Self {
        let node = Node::open(region).await;
        let facade = DynamoDb::new(node.control.clone());
        Self { node, facade }
    }

    /// Opens an empty region whose tables are throttled.
    pub(crate) async fn throttled(region: &str) -> Self {
        let node = Node::open(region).await;
        let facade = DynamoDb::new(node.control.clone()).with_throttling(Throttling::On);
        Self { node, facade }
    }

    /// Opens an empty region whose item collections take so many bytes at most.
    pub(crate) async fn collecting(region: &str, bytes: u64) -> Self {
        let node = Node::open(region).await;
        let facade = DynamoDb::new(node.control.clone()).with_collection_bytes_max(bytes);
        Self { node, facade }
    }

    /// Cuts the region's power and opens it again; its clock begins where it first did.
    pub(crate) async fn restart(&self) -> Self {
        let node = self.node.restart().await;
        let facade = DynamoDb::new(node.control.clone());
        Self { node, facade }
    }

    /// Opens us-east-1 with the tables `hash` (pk S) and `range` (pk S, sk N).
    pub(crate) async fn with_tables() -> Self {
        let world = Self::open("us-east-1").await;
        world.create("hash", "S", None).await;
        world.create("range", "S", Some("N")).await;
        world
    }

    /// Makes a table with the partition key `pk` and the sort key `sk`.
    pub(crate) async fn create(&self, name: &str, partition: &str, sort: Option<&str>) {
        let mut schema = vec![json!({ "AttributeName": "pk", "KeyType": "HASH" })];
        let mut definitions = vec![json!({ "AttributeName": "pk", "AttributeType": partition })];
        if let Some(sort) = sort {
            schema.push(json!({ "AttributeName": "sk", "KeyType": "RANGE" }));
            definitions.push(json!({ "AttributeName": "sk", "AttributeType": sort }));
        }
        let request = json!({
            "TableName": name,
            "KeySchema": schema,
            "AttributeDefinitions": definitions,
            "BillingMode": "PAY_PER_REQUEST",
        });
        self.ok("CreateTable", request).await;
    }

    /// Calls an operation; returns status and body.
    pub(crate) async fn call(&self, operation: &str, request: Value) -> (u16, Value) {
        let target = format!("DynamoDB_20120810.{operation}");
        self.send(&target, request.to_string()).await
    }

    /// Calls an operation of DynamoDB Streams; returns status and body.
    pub(crate) async fn call_streams(&self, operation: &str, request: Value) -> (u16, Value) {
        let target = format!("DynamoDBStreams_20120810.{operation}");
        self.send(&target, request.to_string()).await
    }

    /// Sends a body to a target; returns status and body.
    pub(crate) async fn send(&self, target: &str, body: String) -> (u16, Value) {
        let region = self.node.control.project().region.clone();
        let id = RequestId::from_bits([1, 2, 3, 4]);
        let service = if target.starts_with("DynamoDBStreams") {
            Service::DynamoDbStreams
        } else {
            Service::DynamoDb
        };
        let caller = Caller::internal(service, region, id);
        let request = Request::post("/")
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .body(Bytes::from(body))
            .unwrap();
        let response = self.facade.handle(&caller, request).await;
        let status = response.status().as_u16();
        let body = response.into_body();
        if body.is_empty() {
            return (status, Value::Null);
        }
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Calls an operation that must succeed; returns its answer.
    #[track_caller]
    pub(crate) fn ok(
        &self,
        operation: &str,
        request: Value,
    ) -> impl Future<Output = Value> + use<'_> {
        let operation = operation.to_owned();
        let place = std::panic::Location::caller();
        async move {
            let (status, body) = self.call(&operation, request).await;
            assert_eq!(status, 200, "{place}: {operation}: {body}");
            body
        }
    }

    /// Calls an operation that must be refused so; returns the whole answer.
    #[track_caller]
    pub(crate) fn refused(
        &self,
        operation: &str,
        request: Value,
        code: &str,
        message: &str,
    ) -> impl Future<Output = Value> + use<'_> {
        let place = std::panic::Location::caller();
        let (operation, message) = (operation.to_owned(), message.to_owned());
        let code = code.to_owned();
        async move {
            let (status, body) = self.call(&operation, request).await;
            let kind = body["__type"].as_str().unwrap_or_default();
            let found = kind.rsplit('#').next().unwrap_or_default();
            let told = body["message"].as_str().unwrap_or_default();
            assert_eq!(
                (found, told),
                (&*code, &*message),
                "{place}: {operation}: {body}"
            );
            assert_eq!(status, 400, "{place}: {operation}: {body}");
            body
        }
    }

    /// Calls an operation that must break a rule.
    #[track_caller]
    pub(crate) fn invalid(
        &self,
        operation: &str,
        request: Value,
        message: &str,
    ) -> impl Future<Output = Value> + use<'_> {
        self.refused(operation, request, "ValidationException", message)
    }

    /// Works on the only load that runs, until so many items are noted; then the power goes, at any
    /// moment.
    pub(crate) async fn interrupted(self, buckets: &InMemory, written: u64) -> Self {
        {
            let loader = DynamoDb::new(self.node.control.clone());
            let mut working = std::pin::pin!(loader.work_on_loads(buckets));
            let noted = std::future::poll_fn(|context| {
                let worked = working.as_mut().poll(context);
                assert!(worked.is_pending(), "it ended before the power went");
                let load = &self.node.control.running_loads()[0];
                let known = self.node.control.load_progress(load);
                if known.is_some_and(|known| written <= known.written) {
                    return Poll::Ready(());
                }
                Poll::Pending
            });
            noted.await;
        }
        self.restart().await
    }

    /// Puts an item into `hash`.
    pub(crate) async fn put(&self, item: Value) {
        self.ok("PutItem", json!({ "TableName": "hash", "Item": item }))
            .await;
    }

    /// Gets an item of `hash`; null where there is none.
    pub(crate) async fn get(&self, pk: &str) -> Value {
        let key = json!({ "pk": { "S": pk } });
        let request = json!({ "TableName": "hash", "Key": key, "ConsistentRead": true });
        self.ok("GetItem", request).await["Item"].take()
    }
}

/// Returns a request that creates a table with a partition key `pk`, and what else is given.
pub(crate) fn create(name: &str, more: &Value) -> Value {
    let mut request = json!({
        "TableName": name,
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        request[name] = value.clone();
    }
    request
}

/// Returns a text value.
pub(crate) fn s(text: &str) -> Value {
    json!({ "S": text })
}

/// Returns a number value.
pub(crate) fn n(number: i64) -> Value {
    json!({ "N": number.to_string() })
}
