//! A facade over a region in memory, and calls to it.

use std::sync::{Arc, Mutex};

use api_lambda::lambda::Lambda;
use api_lambda::port::{Invocation, Outcome, RunError, Runner};
use api_protocol::caller::{Caller, Service};
use api_protocol::request_id::RequestId;
use base::name::AccountId;
use base::region::RegionName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use control::testing::Node;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use store::memory::MemStore;

/// What a runner was asked to run, and what it says.
#[derive(Clone)]
pub(crate) struct Notes {
    pub(crate) run: Arc<Mutex<Vec<Invocation>>>,
    pub(crate) accepted: Arc<Mutex<Vec<Invocation>>>,
    pub(crate) outcome: Arc<Mutex<Result<Outcome, RunError>>>,
}

impl Runner for Notes {
    async fn check_runtime(&self, runtime: &str) -> Result<(), String> {
        match runtime {
            "provided.al2023" | "python3.13" => Ok(()),
            other => Err(format!("no {other} here")),
        }
    }

    async fn check_package(&self, package: Bytes) -> Result<(), String> {
        if package.starts_with(b"PK") {
            Ok(())
        } else {
            Err("it is no zip file".to_owned())
        }
    }

    async fn run(&self, invocation: Invocation) -> Result<Outcome, RunError> {
        self.run.lock().unwrap().push(invocation);
        self.outcome.lock().unwrap().clone()
    }

    fn accept(&self, invocation: Invocation) -> Result<(), RunError> {
        self.accepted.lock().unwrap().push(invocation);
        Ok(())
    }
}

pub(crate) struct Desk {
    pub(crate) node: Node,
    pub(crate) notes: Notes,
    pub(crate) account: AccountId,
    lambda: Lambda<MemStore, Notes>,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A package whose first bytes are those of a zip file.
pub(crate) fn package(content: &str) -> String {
    STANDARD.encode(format!("PK{content}"))
}

pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/cart";

impl Desk {
    pub(crate) async fn new() -> Self {
        let node = Node::open("eu-west-1").await;
        let outcome = Outcome {
            payload: Bytes::from_static(b"\"fine\""),
            function_error: None,
            log_tail: None,
            executed_version: "$LATEST",
        };
        let notes = Notes {
            run: Arc::default(),
            accepted: Arc::default(),
            outcome: Arc::new(Mutex::new(Ok(outcome))),
        };
        Self {
            lambda: Lambda::new(node.control.clone(), notes.clone()),
            node,
            notes,
            account: AccountId::DEFAULT,
        }
    }

    /// A region with the function `cart`.
    pub(crate) async fn with_cart() -> Self {
        let desk = Self::new().await;
        let created = desk.create(json!({})).await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
        desk
    }

    /// Creates the function `cart`, with `changes` of the usual members.
    pub(crate) async fn create(&self, changes: Value) -> Answer {
        let mut members = json!({
            "FunctionName": "cart",
            "Runtime": "provided.al2023",
            "Role": ROLE,
            "Handler": "bootstrap",
            "Code": { "ZipFile": package("one") },
        });
        for (name, value) in changes.as_object().unwrap() {
            members[name] = value.clone();
        }
        self.call("POST", "/2015-03-31/functions", &members).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Bytes::new()).unwrap())
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Bytes::new()).unwrap())
            .await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = Bytes::from(body.to_string());
        let request = Request::builder().method(method).uri(path).body(body);
        self.send(request.unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Bytes>) -> Answer {
        let region = RegionName::parse("eu-west-1").unwrap();
        let number = RequestId::from_bits([1, 2, 3, 4]);
        let caller = Caller {
            access_key: "key".to_owned(),
            account: self.account,
            ..Caller::internal(Service::Lambda, region, number)
        };
        let (parts, body) = self.lambda.handle(&caller, request).await.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    /// Expects a refusal with an exception and a status.
    #[track_caller]
    pub(crate) fn refused(answer: &Answer, code: &str, status: u16) {
        let seen = answer.header("x-amzn-errortype");
        assert_eq!(seen, Some(code), "{}", answer.body);
        assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    }
}
