//! The facade of DynamoDB: one call in, one answer out.
//!
//! It serves its own region; calls for another one are forwarded before they come here.

use std::sync::{Mutex, PoisonError, RwLock};

use api_protocol::caller::{Caller, Service};
use api_protocol::fault::Fault;
use api_protocol::json::{DYNAMODB, DYNAMODB_STREAMS, Exchange};
use bytes::Bytes;
use control::control::Control;
use http::{Request, Response};
use store::port::Store;
use tokio::sync::watch;

use crate::catalog::Catalog;
use crate::fault::Refused;
use crate::tokens::Tokens;

/// The facade of DynamoDB in one region.
pub struct DynamoDb<S> {
    pub(crate) control: Control<S>,
    /// Changes whenever a definition of a table may have changed.
    pub(crate) generation: watch::Receiver<u64>,
    pub(crate) catalog: RwLock<Catalog>,
    tokens: Mutex<Tokens>,
}

/// The body of an answer, or the refusal of the call.
pub(crate) type Answer = Result<Vec<u8>, Refused>;

impl<S: Store> DynamoDb<S> {
    /// Makes the facade of the region that `control` belongs to.
    pub fn new(control: Control<S>) -> Self {
        let generation = control.generation();
        Self {
            control,
            generation,
            catalog: RwLock::default(),
            tokens: Mutex::default(),
        }
    }

    /// Answers one call.
    pub async fn handle(&self, caller: &Caller, request: Request<Bytes>) -> Response<Bytes> {
        let dialect = match caller.service {
            Service::DynamoDbStreams => DYNAMODB_STREAMS,
            Service::DynamoDb
            | Service::Route53
            | Service::ApiGateway
            | Service::ExecuteApi
            | Service::Lambda
            | Service::Acm
            | Service::Sts
            | Service::Iam
            | Service::Unknown(_) => DYNAMODB,
        };
        let exchange = Exchange::open(dialect, caller, request.headers());
        let answer = match dialect.operation(request.headers()) {
            Ok(operation) if dialect == DYNAMODB => {
                self.call(caller, operation, request.body()).await
            }
            Ok(operation) => Err(Fault::unknown_operation(operation).into()),
            Err(fault) => Err(fault.into()),
        };
        match answer {
            Ok(body) => exchange.ok(body),
            Err(Refused(fault)) => exchange.fault(&fault),
        }
    }

    async fn call(&self, caller: &Caller, operation: &str, body: &[u8]) -> Answer {
        match operation {
            "GetItem" => self.get_item(body).await,
            "PutItem" => self.put_item(body).await,
            "UpdateItem" => self.update_item(body).await,
            "DeleteItem" => self.delete_item(body).await,
            "Query" => self.query(body).await,
            "Scan" => self.scan(body).await,
            "BatchGetItem" => self.batch_get_item(body).await,
            "BatchWriteItem" => self.batch_write_item(body).await,
            "TransactGetItems" => self.transact_get_items(body).await,
            "TransactWriteItems" => self.transact_write_items(body).await,
            "CreateTable" => self.create_table(caller, body).await,
            "DescribeTable" => self.describe_table(caller, body).await,
            "UpdateTable" => self.update_table(caller, body).await,
            "DeleteTable" => self.delete_table(caller, body).await,
            "ListTables" => self.list_tables(body),
            "TagResource" => self.tag_resource(body).await,
            "UntagResource" => self.untag_resource(body).await,
            "ListTagsOfResource" => self.list_tags_of_resource(body),
            "DescribeTimeToLive" => self.describe_time_to_live(body),
            "DescribeContinuousBackups" => self.describe_continuous_backups(body),
            "DescribeLimits" => Ok(Self::describe_limits()),
            "DescribeEndpoints" => Ok(self.describe_endpoints()),
            other => Err(Fault::unknown_operation(other).into()),
        }
    }

    pub(crate) fn tokens(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
