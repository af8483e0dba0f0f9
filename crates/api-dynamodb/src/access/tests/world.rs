//! A region with the table `carts` (customer, sku), and the user anna with one policy.

use std::sync::Arc;

use api_protocol::caller::{Authority, Caller, Service};
use api_protocol::request_id::RequestId;
use base::name::AccountId;
use bytes::Bytes;
use control::resource::Change;
use control::testing::Node;
use http::Request;
use iam::identity::Identity;
use iam::kind::Kind;
use iam::policy::Policy;
use iam::principal::Principal;
use store::memory::MemStore;

use super::TABLE;
use crate::facade::DynamoDb;
use crate::fault::Refused;
use crate::settings::Shared;

/// Returns a policy of one statement that allows; `condition` may be empty.
pub(super) fn allow(actions: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":{actions},
           "Resource":"{resource}","Condition":{{{condition}}}}}]}}"#
    )
}

pub(super) struct World {
    facade: DynamoDb<MemStore>,
    anna: Caller,
}

impl World {
    pub(super) async fn new(policy: &str) -> Self {
        let node = Node::open("us-east-1").await;
        let account = AccountId::DEFAULT;
        let policy = Policy::compile("own", policy, Kind::Inline).expect("a policy");
        let identity = Identity {
            principal: Principal::user(account, "/", "anna", "AIDAANNA"),
            policies: vec![Arc::new(policy)],
            ..Identity::root(account)
        };
        let region = node.control.project().region.clone();
        let number = RequestId::from_bits([1, 2, 3, 4]);
        let anna = Caller {
            authority: Authority::Checked(Arc::new(identity)),
            ..Caller::internal(Service::DynamoDb, region, number)
        };
        let world = Self {
            facade: DynamoDb::new(node.control.clone()),
            anna,
        };
        let schema = r#"{"TableName":"carts","BillingMode":"PAY_PER_REQUEST",
            "KeySchema":[{"AttributeName":"customer","KeyType":"HASH"},
                         {"AttributeName":"sku","KeyType":"RANGE"}],
            "AttributeDefinitions":[{"AttributeName":"customer","AttributeType":"S"},
                                    {"AttributeName":"sku","AttributeType":"S"}]}"#;
        world.done("CreateTable", schema).await;
        world
    }

    /// Does what nobody checks.
    async fn done(&self, operation: &str, body: &str) {
        let mut nobody = self.anna.clone();
        nobody.authority = Authority::Unchecked;
        let request = Request::post("/")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .body(Bytes::from(body.to_owned()))
            .expect("a request");
        let response = self.facade.handle(&nobody, request).await;
        assert_eq!(response.status(), 200, "{operation}: {response:?}");
    }

    pub(super) async fn put_policy(&self, policy: &str) {
        self.put_policy_of(TABLE, policy).await;
    }

    /// Gives the table a stream; returns its ARN.
    pub(super) async fn start_stream(&self) -> String {
        let body = r#"{"TableName":"carts","StreamSpecification":{"StreamEnabled":true,
            "StreamViewType":"KEYS_ONLY"}}"#;
        self.done("UpdateTable", body).await;
        let open = self.facade.find("carts").expect("a table");
        let label = Shared::of(&open.view.table).stream_label;
        format!("{TABLE}/stream/{}", label.expect("a stream"))
    }

    pub(super) async fn put_policy_of(&self, arn: &str, policy: &str) {
        let body = serde_json::json!({"ResourceArn": arn, "Policy": policy});
        self.done("PutResourcePolicy", &body.to_string()).await;
    }

    pub(super) async fn tag(&self, key: &str, value: &str) {
        let tags = serde_json::json!([{"Key": key, "Value": value}]);
        let body = serde_json::json!({"ResourceArn": TABLE, "Tags": tags});
        self.done("TagResource", &body.to_string()).await;
    }

    /// Keeps something with the table as another build might, or a damaged store.
    pub(super) async fn keep(&self, member: &str, kept: serde_json::Value) {
        let open = self.facade.find("carts").expect("a table");
        let own = self.facade.own_replica(&open).expect("a replica");
        let mut changed = own.clone();
        changed.settings[member] = kept;
        let change = Change::replace(own, &changed);
        let changed = self.facade.control.change(vec![change]).await;
        changed.expect("changed");
    }

    /// Gives the table a replica in another region, with a policy of its own or none.
    pub(super) async fn add_replica(&self, region: &str, policy: serde_json::Value) {
        let open = self.facade.find("carts").expect("a table");
        let own = self.facade.own_replica(&open).expect("a replica");
        let mut other = own.clone();
        other.region = region.to_owned();
        other.settings["policy"] = policy;
        let made = self.facade.control.change(vec![Change::create(&other)]);
        made.await.expect("made");
    }

    /// Returns what is kept with the table.
    pub(super) fn kept(&self) -> serde_json::Value {
        let open = self.facade.find("carts").expect("a table");
        let own = self.facade.own_replica(&open).expect("a replica");
        own.settings.clone()
    }

    /// Returns the status of the answer to a call of anna's.
    pub(super) async fn status(&self, operation: &str, body: &str) -> u16 {
        let request = Request::post("/")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .body(Bytes::from(body.to_owned()))
            .expect("a request");
        let response = self.facade.handle(&self.anna, request).await;
        response.status().as_u16()
    }

    /// Returns whether an operation finds a stream by its ARN.
    pub(super) async fn has_stream(&self, arn: &str) -> bool {
        let mut nobody = self.anna.clone();
        nobody.authority = Authority::Unchecked;
        let body = serde_json::json!({ "StreamArn": arn }).to_string();
        let described = self.facade.describe_stream(&nobody, body.as_bytes()).await;
        described.is_ok()
    }

    pub(super) async fn delete_table(&self) {
        self.done("DeleteTable", r#"{"TableName":"carts"}"#).await;
    }

    pub(super) fn root(&self, operation: &str, body: &str) -> Result<(), Refused> {
        let mut root = self.anna.clone();
        root.authority = Authority::Checked(Arc::new(Identity::root(AccountId::DEFAULT)));
        self.facade.authorise(&root, operation, body.as_bytes())
    }

    /// Runs a batch of statements; returns the code of the error of each.
    pub(super) async fn batch_errors(&self, body: &str) -> Vec<Option<String>> {
        let request = Request::post("/")
            .header("x-amz-target", "DynamoDB_20120810.BatchExecuteStatement")
            .body(Bytes::from(body.to_owned()))
            .expect("a request");
        let response = self.facade.handle(&self.anna, request).await;
        assert_eq!(response.status(), 200, "{response:?}");
        let answer: serde_json::Value = serde_json::from_slice(response.body()).expect("an answer");
        let answers = answer["Responses"].as_array().expect("answers");
        let code = |one: &serde_json::Value| one["Error"]["Code"].as_str().map(str::to_owned);
        answers.iter().map(code).collect()
    }

    /// Gives the table an index whose partition key has two attributes.
    pub(super) async fn index_by_firm_and_place(&self) {
        let body = serde_json::json!({"TableName": "carts",
            "AttributeDefinitions": [{"AttributeName": "firm", "AttributeType": "S"},
                                     {"AttributeName": "place", "AttributeType": "S"}],
            "GlobalSecondaryIndexUpdates": [{"Create": {"IndexName": "by-place",
                "Projection": {"ProjectionType": "ALL"},
                "KeySchema": [{"AttributeName": "firm", "KeyType": "HASH"},
                              {"AttributeName": "place", "KeyType": "HASH"}]}}]});
        self.done("UpdateTable", &body.to_string()).await;
    }

    /// Returns whether anna may do what a call asks.
    pub(super) fn is_allowed(&self, operation: &str, body: &str) -> bool {
        let asked = self
            .facade
            .authorise(&self.anna, operation, body.as_bytes());
        asked.is_ok()
    }

    #[track_caller]
    pub(super) fn may(&self, operation: &str, body: &str) {
        self.expect(operation, body, true);
    }

    #[track_caller]
    pub(super) fn may_not(&self, operation: &str, body: &str) {
        self.expect(operation, body, false);
    }

    #[track_caller]
    pub(super) fn expect(&self, operation: &str, body: &str, is_allowed: bool) {
        let answer = self
            .facade
            .authorise(&self.anna, operation, body.as_bytes());
        match answer {
            Ok(()) => assert!(is_allowed, "{operation} {body} is allowed"),
            Err(Refused(fault)) => assert!(!is_allowed, "{operation} {body}: {fault}"),
        }
    }
}
