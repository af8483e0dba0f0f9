//! Whatever is sent, each operation answers, and fails in a way that its model knows.

use api_protocol::caller::{Caller, Service};
use api_protocol::request_id::RequestId;
use base::name::TableId;
use bytes::Bytes;
use control::testing::Node;
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};
use store::memory::MemStore;
use tokio::runtime::{Builder, Runtime};

use super::DynamoDb;
use crate::model::facts::{Model, Operation};
use crate::model::sample::{Dice, any_cuts, any_operation, cut, sample};

/// Numbers of system tables end below this. 64; there are fewer.
const SYSTEM_TABLES: u64 = 64;

/// A region with the table that samples name.
struct World {
    runtime: Runtime,
    node: Node,
    facade: DynamoDb<MemStore>,
}

impl World {
    fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let node = runtime.block_on(Node::open("us-east-1"));
        let facade = DynamoDb::new(node.control.clone());
        let world = Self {
            runtime,
            node,
            facade,
        };
        let before = world.state();
        world.create();
        assert!(world.state() != before, "what is made is seen in the sums");
        world
    }

    /// Makes the table that samples name.
    fn create(&self) {
        let table = json!({
            "TableName": "table",
            "KeySchema": [{ "AttributeName": "name", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "name", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        let mut operations = Model::get().operations().iter();
        let create = operations.find(|one| one.name == "CreateTable").unwrap();
        let (status, answer) = self.send(create, table.to_string().into_bytes());
        assert_eq!(status, 200, "{answer}");
    }

    fn send(&self, operation: &Operation, body: Vec<u8>) -> (u16, Value) {
        let service = match operation.target {
            "DynamoDB_20120810" => Service::DynamoDb,
            _ => Service::DynamoDbStreams,
        };
        let region = self.node.control.project().region.clone();
        let caller = Caller::internal(service, region, RequestId::from_bits([1, 2, 3, 4]));
        let request = Request::post("/")
            .header(
                "x-amz-target",
                format!("{}.{}", operation.target, operation.name),
            )
            .header("content-type", "application/x-amz-json-1.0")
            .body(Bytes::from(body))
            .unwrap();
        let response = self.runtime.block_on(self.facade.handle(&caller, request));
        let status = response.status().as_u16();
        let body = response.into_body();
        if body.is_empty() {
            return (status, Value::Null);
        }
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Returns the sums over all that is stored: of system tables, and of those of callers.
    fn state(&self) -> impl PartialEq + use<> {
        let tables = self.facade.tables_by_name();
        let own = tables.values().map(|open| open.def.id);
        let all = (0..SYSTEM_TABLES).map(TableId).chain(own);
        let digest = |table| self.node.control.tables().digest(table);
        all.map(digest).collect::<Vec<_>>()
    }

    /// Sends a request, and checks that its answer is one that the model knows, and that a refused
    /// one changed nothing.
    fn check(&self, operation: &Operation, body: Vec<u8>) -> Result<(), TestCaseError> {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let before = self.state();
        let (status, answer) = self.send(operation, body);
        if status == 200 {
            if operation.name == "DeleteTable" {
                self.create();
            }
            return Ok(());
        }
        let kind = answer["__type"].as_str().unwrap_or_default();
        let code = kind.rsplit('#').next().unwrap_or_default();
        let own = operation.errors.contains(&code);
        let common = matches!(code, "SerializationException" | "ValidationException");
        let is_known = (own || common) && code != "InternalServerError" && status == 400;
        prop_assert!(is_known, "{}: {shown}: {status}: {answer}", operation.name);
        let is_same = self.state() == before;
        prop_assert!(is_same, "{}: {shown} changed something", operation.name);
        Ok(())
    }
}

thread_local! {
    /// One world for all requests of a property: each finds what those before it left.
    static WORLD: World = World::open();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn each_request_gets_an_answer_of_its_operation(
        operation in any_operation(),
        seed in 1..u64::MAX,
        cuts in any_cuts(),
    ) {
        let request = sample(Model::get(), operation.input, &mut Dice(seed)).to_string();
        let mut bytes = request.into_bytes();
        cut(&mut bytes, cuts);
        WORLD.with(|world| world.check(operation, bytes))?;
    }

    #[test]
    fn bytes_that_are_no_request_are_refused(
        operation in any_operation(),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        WORLD.with(|world| world.check(operation, bytes))?;
    }
}
