//! The facade of DynamoDB: one call in, one answer out.
//!
//! It serves its own region; calls for another one are forwarded before they come here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use api_protocol::caller::{Caller, Service};
use api_protocol::fault::Fault;
use api_protocol::json::{DYNAMODB, DYNAMODB_STREAMS, Dialect, Exchange};
use bytes::Bytes;
use control::control::Control;
use http::{Request, Response};
use store::port::Store;
use tokio::sync::{OnceCell, watch};

use crate::catalog::Catalog;
use crate::fault::Refused;
use crate::faults::Rolls;
use crate::faults::lag::Pasts;
use crate::faults::set::Faults;
use crate::limits::ITEM_COLLECTION_BYTES_MAX;
use crate::model::check::{self, Wording};
use crate::model::facts::Model;
use crate::operations::{self, Served, Support};
use crate::tables::going::Going;
use crate::throttle::{self, Buckets, Throttling};
use crate::tokens::Tokens;

/// The facade of DynamoDB in one region.
pub struct DynamoDb<S: Store> {
    pub(crate) control: Control<S>,
    /// Changes whenever a definition of a table may have changed.
    pub(crate) generation: watch::Receiver<u64>,
    pub(crate) catalog: RwLock<Arc<Catalog>>,
    pub(crate) tokens: Arc<Mutex<Tokens>>,
    /// Whether the tokens that the store remembers are among them.
    pub(crate) tokens_recalled: OnceCell<()>,
    /// Of the tables that suffer faults on purpose.
    rolls: Mutex<BTreeMap<String, Rolls>>,
    /// For indexes that are late on purpose.
    pub(crate) pasts: Mutex<Pasts<S::Past>>,
    /// In which words requests are refused.
    wording: Wording,
    /// Whether tables may suffer faults on purpose.
    faults: Faults,
    /// Whether tables are throttled that say nothing of it.
    pub(crate) throttling: Throttling,
    buckets: Mutex<Buckets>,
    /// Replicas that were removed from here, and are told until their regions know it.
    pub(crate) going: Going,
    /// How much an item collection may take.
    pub(crate) collection_bytes_max: u64,
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
            tokens: Arc::default(),
            tokens_recalled: OnceCell::new(),
            rolls: Mutex::default(),
            pasts: Mutex::default(),
            wording: Wording::default(),
            faults: Faults::default(),
            throttling: Throttling::default(),
            buckets: Mutex::default(),
            going: Going::default(),
            collection_bytes_max: ITEM_COLLECTION_BYTES_MAX,
        }
    }

    /// Sets in which words requests are refused.
    pub fn with_wording(self, wording: Wording) -> Self {
        Self { wording, ..self }
    }

    /// Sets whether tables may suffer faults on purpose.
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Returns whether tables may suffer faults on purpose.
    pub(crate) const fn faults_act(&self) -> bool {
        matches!(self.faults, Faults::Act)
    }

    /// Sets how much an item collection may take, where that is not what the service allows.
    ///
    /// Units: bytes.
    pub fn with_collection_bytes_max(self, collection_bytes_max: u64) -> Self {
        Self {
            collection_bytes_max,
            ..self
        }
    }

    /// Sets whether tables are throttled that say nothing of it.
    pub fn with_throttling(self, throttling: Throttling) -> Self {
        Self { throttling, ..self }
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
            | Service::CloudWatch
            | Service::Unknown(_) => DYNAMODB,
        };
        let exchange = Exchange::open(dialect, caller, request.headers());
        let answer = match dialect.operation(request.headers()) {
            Ok(name) => self.call(dialect, caller, name, request.body()).await,
            Err(fault) => Err(fault.into()),
        };
        match answer {
            Ok(body) => exchange.ok(body),
            Err(Refused(fault)) => exchange.fault(&fault),
        }
    }

    /// Answers a call of an operation that there is, or says that there is none.
    async fn call(&self, dialect: Dialect, caller: &Caller, name: &str, body: &[u8]) -> Answer {
        let operation = Model::get().operation(dialect.target_prefix, name);
        let Some((operation, support)) = operation.and_then(|one| Some((one, one.support?))) else {
            return Err(Fault::unknown_operation(name).into());
        };
        // Nothing is no object, which even a call without members sends.
        if body.is_empty() {
            return Err(Fault::serialization("").into());
        }
        match support {
            Support::Served(served, _) => {
                check::check(operation, body, self.wording)?;
                self.authorise(caller, name, body)?;
                let knobs = self.knobs_by_name();
                let answer = if knobs.is_empty() {
                    self.serve(served, caller, body).await
                } else {
                    self.serve_faulty(&knobs, served, caller, body).await
                };
                answer.map_err(|Refused(fault)| match &*fault.code {
                    // Of attribute values the types are known to whom takes them apart.
                    "SerializationException" => check::explain(operation, body, fault).into(),
                    "ProvisionedThroughputExceededException" | "ThrottlingException" => {
                        throttle::located(fault, |resource| self.arn(caller, resource.to_owned()))
                            .into()
                    }
                    _ => Refused(fault),
                })
            }
            Support::Refused(why) => {
                check::check_all(operation, body, self.wording)?;
                self.authorise(caller, name, body)?;
                Err(operations::refuse(name, why))
            }
        }
    }

    pub(crate) async fn serve(&self, operation: Served, caller: &Caller, body: &[u8]) -> Answer {
        match operation {
            Served::GetItem => self.get_item(body).await,
            Served::PutItem => self.put_item(body).await,
            Served::UpdateItem => self.update_item(body).await,
            Served::DeleteItem => self.delete_item(body).await,
            Served::Query => self.query(body).await,
            Served::Scan => self.scan(body).await,
            Served::BatchGetItem => self.batch_get_item(body).await,
            Served::BatchWriteItem => self.batch_write_item(body).await,
            Served::ExecuteStatement => self.execute_statement(body).await,
            Served::BatchExecuteStatement => self.batch_execute_statement(caller, body, &[]).await,
            Served::ExecuteTransaction => self.execute_transaction(caller, body).await,
            Served::TransactGetItems => self.transact_get_items(body).await,
            Served::TransactWriteItems => self.transact_write_items(caller, body).await,
            Served::CreateTable => self.create_table(caller, body).await,
            Served::DescribeTable => self.describe_table(caller, body),
            Served::UpdateTable => self.update_table(caller, body).await,
            Served::DeleteTable => self.delete_table(caller, body).await,
            Served::ListTables => self.list_tables(body),
            Served::TagResource => self.tag_resource(body).await,
            Served::UntagResource => self.untag_resource(body).await,
            Served::ListTagsOfResource => self.list_tags_of_resource(body),
            Served::DescribeTimeToLive => self.describe_time_to_live(body),
            Served::UpdateTimeToLive => self.update_time_to_live(body).await,
            Served::DescribeContinuousBackups => self.describe_continuous_backups(body),
            Served::DescribeLimits => Ok(Self::describe_limits()),
            Served::UpdateContinuousBackups => self.update_continuous_backups(body).await,
            Served::ExportTableToPointInTime => self.export_table(caller, body).await,
            Served::DescribeExport => self.describe_export(body),
            Served::ListExports => self.list_exports(body),
            Served::CreateBackup => self.create_backup(caller, body).await,
            Served::DescribeBackup => self.describe_backup(caller, body),
            Served::ListBackups => self.list_backups(caller, body),
            Served::DeleteBackup => self.delete_backup(caller, body).await,
            Served::RestoreTableFromBackup => self.restore_table_from_backup(caller, body).await,
            Served::RestoreTableToPointInTime => {
                self.restore_table_to_point_in_time(caller, body).await
            }
            Served::ListStreams => self.list_streams(caller, body),
            Served::DescribeStream => self.describe_stream(caller, body).await,
            Served::GetShardIterator => self.get_shard_iterator(caller, body).await,
            Served::GetRecords => self.get_records(caller, body).await,
            Served::DescribeEndpoints => Ok(self.describe_endpoints()),
            Served::PutResourcePolicy => self.put_resource_policy(caller, body).await,
            Served::GetResourcePolicy => self.get_resource_policy(caller, body),
            Served::DeleteResourcePolicy => self.delete_resource_policy(caller, body).await,
            Served::DescribeContributorInsights => self.describe_contributor_insights(body),
            Served::UpdateContributorInsights => self.update_contributor_insights(body),
            Served::ListContributorInsights => self.list_contributor_insights(body),
            Served::DescribeKinesisStreamingDestination => self.describe_kinesis_destinations(body),
            Served::ImportTable => self.import_table(caller, body).await,
            Served::DescribeImport => self.describe_import(body).await,
            Served::ListImports => self.list_imports(body).await,
            Served::StartBulkPutItems => self.start_bulk_put_items(caller, body).await,
            Served::DescribeBulkOperation => self.describe_bulk_operation(body),
            Served::ListBulkOperations => self.list_bulk_operations(body),
            Served::CancelBulkOperation => self.cancel_bulk_operation(body).await,
            Served::CreateGlobalTable => Self::create_global_table(),
            Served::UpdateGlobalTable => Self::update_global_table(body),
            Served::DescribeGlobalTable => Self::describe_global_table(body),
            Served::DescribeGlobalTableSettings | Served::UpdateGlobalTableSettings => {
                Self::no_global_table(body)
            }
            Served::ListGlobalTables => Ok(Self::list_global_tables()),
        }
    }

    pub(crate) fn rolls(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Rolls>> {
        self.rolls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn buckets(&self) -> std::sync::MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tokens(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
