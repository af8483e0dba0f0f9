//! A region in memory, and calls to its facade.

use std::collections::BTreeMap;
use std::sync::Arc;

use api_apigateway::facade::ApiGateway;
use api_protocol::caller::{Authority, Caller, Service};
use api_protocol::request_id::RequestId;
use base::name::AccountId;
use base::region::RegionName;
use bytes::Bytes;
use control::certificates::{Certificate, Facts};
use control::resource::Change;
use control::testing::Node;
use http::{Method, Request};
use iam::identity::Identity;
use iam::kind::Kind;
use iam::policy::Policy;
use iam::principal::Principal;
use serde_json::{Value, json};
use store::memory::MemStore;

pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const FUNCTION: &str = "arn:aws:lambda:eu-west-1:000000000000:function:cart";

pub(crate) struct World {
    pub(crate) node: Node,
    facade: ApiGateway<MemStore>,
    caller: Caller,
}

/// A response: status, the exception's name or nothing, body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) error: String,
    pub(crate) body: Value,
}

impl Reply {
    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.body
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, error: &str) -> String {
        assert_eq!(
            (self.status, self.error.as_str()),
            (status, error),
            "{self:?}"
        );
        self.body["message"].as_str().unwrap().to_owned()
    }

    /// Returns a text of the body.
    pub(crate) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let node = Node::open(REGION).await;
        let region = RegionName::parse(REGION).unwrap();
        let id = RequestId::from_bits([1; 4]);
        Self {
            facade: ApiGateway::new(node.control.clone()),
            caller: Caller::internal(Service::ApiGateway, region, id),
            node,
        }
    }

    /// Speaks for another account from here on.
    pub(crate) fn as_account(&mut self, account: &str) {
        self.caller.account = AccountId::parse(account).unwrap();
    }

    /// Speaks for a user from here on, with a policy of these statements.
    pub(crate) fn as_user(&mut self, statements: &Value) {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        let policy = Policy::compile("own", &policy.to_string(), Kind::Inline).unwrap();
        let account = self.caller.account;
        self.caller.authority = Authority::Checked(Arc::new(Identity {
            principal: Principal::user(account, "/", "anna", "AIDAANNA"),
            policies: vec![Arc::new(policy)],
            ..Identity::root(account)
        }));
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        self.send(method, path, body).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Bytes) -> Reply {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(body)
            .unwrap();
        let response = self.facade.handle(&self.caller, request).await;
        let error = response.headers().get("x-amzn-errortype");
        Reply {
            status: response.status().as_u16(),
            error: error.map_or("", |error| error.to_str().unwrap()).to_owned(),
            body: serde_json::from_slice(response.body()).unwrap_or(Value::Null),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, Value::Null).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, Value::Null).await
    }

    /// Creates an API and returns its id.
    pub(crate) async fn api(&self) -> String {
        let body = json!({"name": "shop", "protocolType": "HTTP"});
        self.call("POST", "/v2/apis", body).await.text("apiId")
    }

    /// Creates an integration to [`FUNCTION`] and returns its id.
    pub(crate) async fn integration(&self, api: &str) -> String {
        let body = json!({
            "integrationType": "AWS_PROXY",
            "integrationUri": FUNCTION,
            "payloadFormatVersion": "2.0",
        });
        let path = format!("/v2/apis/{api}/integrations");
        self.call("POST", &path, body).await.text("integrationId")
    }

    /// Stores a certificate for some names and returns its ARN.
    pub(crate) async fn certificate(&self, names: &[&str]) -> String {
        let certificate = Certificate {
            region: REGION.to_owned(),
            account: "000000000000".to_owned(),
            id: names.join("-"),
            certificate: String::new(),
            chain: String::new(),
            sealed_key: String::new(),
            facts: Facts {
                names: names.iter().map(|&name| name.to_owned()).collect(),
                ..Facts::default()
            },
            created_micros: 0,
            imported_micros: 0,
            tags: BTreeMap::new(),
        };
        let change = vec![Change::create(&certificate)];
        self.node.control.change(change).await.unwrap();
        certificate.arn()
    }
}
