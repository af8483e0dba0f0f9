//! Policies of tables: PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy.
//!
//! Each replica has its own. A policy is checked and kept here; [`crate::access`] asks it.
//! Source: DynamoDB developer guide, "Using resource-based policies".

mod canonical;

use std::sync::Arc;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use base::arn::Arn;
use iam::kind::Kind;
use iam::policy::Policy;
use serde::{Deserialize, Serialize};
use serde_json::json as json_value;
use store::port::Store;

use crate::catalog::OpenTable;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::settings::Own;
use crate::wire::shape;

shape! {
    /// The members of the three calls: each ignores what is not its own.
    PolicyIn {
        arn: "ResourceArn" as String,
        document: "Policy" as String,
        expected: "ExpectedRevisionId" as String,
    }
}

/// The policy of a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The document, in the form that it is shown in.
    pub(crate) document: String,
    /// When it was put, in milliseconds since 1970, which numbers it.
    revision: i64,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `PutResourcePolicy`.
    pub(crate) async fn put_resource_policy(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: PolicyIn = json::parse(body)?;
        let (open, own, arn) = self.of_policy(caller, request.arn)?;
        let document = checked(&arn, &request.document.unwrap_or_default())?;
        expect(&open, own.policy.as_ref(), request.expected.as_deref())?;
        if let Some(same) = own.policy.as_ref().filter(|kept| kept.document == document) {
            return Ok(revised(same.revision));
        }
        let now = self.control.clock().wall().as_micros() / 1000;
        let revision = own
            .policy
            .as_ref()
            .map_or(now, |kept| now.max(kept.revision + 1));
        let policy = Some(Kept { document, revision });
        self.change_settings(&open, None, Some(&Own { policy, ..own }))
            .await?;
        Ok(revised(revision))
    }

    /// Answers `GetResourcePolicy`.
    pub(crate) fn get_resource_policy(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: PolicyIn = json::parse(body)?;
        let (_, own, arn) = self.of_policy(caller, request.arn)?;
        let policy = own.policy.ok_or_else(|| not_found(&arn))?;
        let answer = json_value!({
            "Policy": policy.document,
            "RevisionId": policy.revision.to_string(),
        });
        Ok(answer.to_string().into_bytes())
    }

    /// Answers `DeleteResourcePolicy`; where there is none, there is nothing to do.
    pub(crate) async fn delete_resource_policy(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: PolicyIn = json::parse(body)?;
        let (open, own, _) = self.of_policy(caller, request.arn)?;
        expect(&open, own.policy.as_ref(), request.expected.as_deref())?;
        let Some(policy) = &own.policy else {
            return Ok(b"{}".to_vec());
        };
        let revision = policy.revision;
        let without = Own {
            policy: None,
            ..own
        };
        self.change_settings(&open, None, Some(&without)).await?;
        Ok(revised(revision))
    }

    /// Returns the table whose policy a call is about, with this replica's settings and its name.
    fn of_policy(
        &self,
        caller: &Caller,
        arn: Option<String>,
    ) -> Result<(Arc<OpenTable>, Own, String), Refused> {
        let arn = arn.unwrap_or_default();
        let name = self.table_of(caller, &arn)?;
        let open = self.find(name).ok_or_else(|| fault::no_table_named(name))?;
        let own = self.own_replica(&open).map(Own::of).unwrap_or_default();
        Ok((open, own, arn))
    }

    /// Returns the name of the table that an ARN is of.
    fn table_of<'a>(&self, caller: &Caller, arn: &'a str) -> Result<&'a str, Fault> {
        if !arn.starts_with("arn:") {
            return Err(fault::invalid_parameter(format_args!(
                "ARNs must start with 'arn:': {arn}"
            )));
        }
        let region = self.control.project().region.as_str();
        let invalid = || fault::invalid_parameter(format_args!("Invalid resource Arn: {arn}"));
        let parsed = Arn::parse(arn).filter(|_| arn.starts_with("arn:aws:"));
        let parsed = parsed.filter(|parsed| parsed.service == "dynamodb");
        let parsed = parsed.filter(|parsed| parsed.region == region);
        let parsed = parsed.ok_or_else(invalid)?;
        if parsed.account != caller.account.to_string() {
            return Err(fault::validation(FOREIGN));
        }
        let (_, resource) = arn.split_once(":table/").ok_or_else(invalid)?;
        match resource.split_once('/') {
            None => Ok(resource),
            Some((_, part)) if part.starts_with("stream/") => Err(fault::invalid_parameter(
                "policies of streams are not supported by this endpoint",
            )),
            Some((_, part)) if part.starts_with("index/") => {
                Err(fault::invalid_parameter(format_args!(
                    "Invalid resource arn provided, only table or stream is accepted. Provided \
                     resource arn: {arn}"
                )))
            }
            Some(_) => Err(fault::invalid_parameter(format_args!(
                "Provided Arn is not a DynamoDB resource arn: {arn}"
            ))),
        }
    }
}

/// Returns a document in the form that it is shown in, if it is a policy of a resource.
fn checked(arn: &str, document: &str) -> Result<String, Fault> {
    if let Err(mistakes) = Policy::compile(arn, document, Kind::Resource) {
        if mistakes.is_too_long() {
            let most = Kind::Resource.chars_max();
            return Err(fault::invalid_parameter(format_args!(
                "Maximum policy size of {most} bytes exceeded"
            )));
        }
        let message = mistakes.message();
        return Err(invalid(&message));
    }
    let form =
        canonical::of(document).ok_or_else(|| invalid("This policy contains invalid Json"))?;
    if form.is_unbounded {
        return Err(fault::validation(UNBOUNDED));
    }
    Ok(form.document)
}

fn invalid(message: &str) -> Fault {
    fault::invalid_parameter(format_args!("Invalid policy document: {message}"))
}

/// Checks that a policy is the one that a caller has seen; `NO_POLICY` stands for none.
fn expect(open: &OpenTable, kept: Option<&Kept>, expected: Option<&str>) -> Result<(), Fault> {
    let table = &open.view.table.name;
    let message = match (expected, kept) {
        (None, _) | (Some(NO_POLICY), None) => return Ok(()),
        (Some(expected), Some(kept)) if kept.revision.to_string() == expected => return Ok(()),
        (Some(NO_POLICY), Some(kept)) => format!(
            "Requested policy update expecting none to be present for table {table}, but a policy \
             exists with revision id {}.",
            kept.revision
        ),
        (Some(expected), Some(kept)) => format!(
            "Requested update for policy with revision id {expected}, but the policy associated \
             to target table {table} has revision id {}.",
            kept.revision
        ),
        (Some(expected), None) => format!(
            "Requested update for policy with revision id {expected}, but no policy is associated \
             to target table {table}."
        ),
    };
    Err(not_found(&message))
}

fn not_found(what: &str) -> Fault {
    let message = format!("Resource-based policy not found for the provided ResourceArn: {what}");
    Fault::caller("PolicyNotFoundException", message)
}

fn revised(revision: i64) -> Vec<u8> {
    let answer = json_value!({ "RevisionId": revision.to_string() });
    answer.to_string().into_bytes()
}

const NO_POLICY: &str = "NO_POLICY";

const FOREIGN: &str = "This action is only supported by accounts that match the resource \
                       owner\u{2019}s account.";

const UNBOUNDED: &str = "Resource-based policy grants unbounded access in one or more elements. \
                         Please revise the policy to ensure least-privilege form of access";
