//! Policies of tables and streams: PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy.
//!
//! Each replica has its own. A policy is checked and kept here; [`crate::access`] asks it.
//! Source: DynamoDB developer guide, "Using resource-based policies".

mod canonical;
pub(crate) mod kept;

use std::sync::Arc;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::json;
use base::arn::Arn;
use clock::time::WallTime;
use iam::kind::Kind;
use iam::policy::Policy;
use serde_json::json as json_value;
use store::port::Store;

use crate::catalog::{self, OpenTable};
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::settings::{Own, Shared};
use crate::wire::shape;

use kept::{Kept, Stored};

shape! {
    /// The members of the three calls: each ignores what is not its own.
    PolicyIn {
        arn: "ResourceArn" as String,
        document: "Policy" as String,
        expected: "ExpectedRevisionId" as String,
    }
}

/// A policy that a call is about: a table's, or one of its streams'.
struct Subject {
    open: Arc<OpenTable>,
    /// The settings of this region's replica.
    own: Own,
    /// The label of the stream.
    stream: Option<String>,
    arn: String,
}

/// Returns the policy that a table is made with.
pub(crate) fn first(arn: &str, document: &str, now: WallTime) -> Result<Kept, Fault> {
    Ok(Kept::first(checked(arn, document)?, now))
}

impl Subject {
    fn stored(&self) -> Option<&Stored> {
        match &self.stream {
            None => self.own.policy.as_ref(),
            Some(label) => self.own.stream_policies.get(label),
        }
    }

    /// Returns the settings with another policy; those of streams that are no more go.
    fn with(&self, policy: Option<Stored>) -> Own {
        let mut own = self.own.clone();
        match &self.stream {
            None => own.policy = policy,
            Some(label) => {
                let shared = Shared::of(&self.open.view.table);
                own.stream_policies
                    .retain(|other, _| other != label && shared.has_stream(other));
                let entry = policy.map(|policy| (label.clone(), policy));
                own.stream_policies.extend(entry);
            }
        }
        own
    }

    /// Returns what it is called where revisions differ.
    fn target(&self) -> String {
        match &self.stream {
            None => format!("table {}", self.open.view.table.name),
            Some(label) => format!("stream {label}"),
        }
    }
}

impl<S: Store> DynamoDb<S> {
    /// Answers `PutResourcePolicy`.
    pub(crate) async fn put_resource_policy(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: PolicyIn = json::parse(body)?;
        let subject = self.subject(caller, request.arn)?;
        let document = checked(&subject.arn, &request.document.unwrap_or_default())?;
        subject.expect(request.expected.as_deref())?;
        let mut policy = Kept::first(document, self.control.clock().wall());
        if let Some(Stored::Read(kept)) = subject.stored() {
            if kept.document == policy.document {
                return Ok(revised(kept.revision));
            }
            policy.revision = policy.revision.max(kept.revision + 1);
        }
        let revision = policy.revision;
        let own = subject.with(Some(Stored::Read(policy)));
        self.change_settings(&subject.open, None, Some(&own))
            .await?;
        Ok(revised(revision))
    }

    /// Answers `GetResourcePolicy`.
    pub(crate) fn get_resource_policy(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: PolicyIn = json::parse(body)?;
        let subject = self.subject(caller, request.arn)?;
        let policy = match subject.stored() {
            None => return Err(not_found(&subject.arn).into()),
            Some(Stored::Unread(_)) => return Err(unread(&subject.arn).into()),
            Some(Stored::Read(policy)) => policy,
        };
        let answer = json_value!({
            "Policy": policy.document,
            "RevisionId": policy.revision.to_string(),
        });
        Ok(answer.to_string().into_bytes())
    }

    /// Answers `DeleteResourcePolicy`; where there is none, there is nothing to do.
    pub(crate) async fn delete_resource_policy(&self, caller: &Caller, body: &[u8]) -> Answer {
        let request: PolicyIn = json::parse(body)?;
        let subject = self.subject(caller, request.arn)?;
        subject.expect(request.expected.as_deref())?;
        let answer = match subject.stored() {
            None => return Ok(b"{}".to_vec()),
            Some(Stored::Unread(_)) => b"{}".to_vec(),
            Some(Stored::Read(policy)) => revised(policy.revision),
        };
        let own = subject.with(None);
        self.change_settings(&subject.open, None, Some(&own))
            .await?;
        Ok(answer)
    }

    /// Returns the policy that a call is about.
    fn subject(&self, caller: &Caller, arn: Option<String>) -> Result<Subject, Refused> {
        let arn = arn.unwrap_or_default();
        let (name, stream) = self.named_by(caller, &arn)?;
        let open = self.tables_by_name().get(name).cloned();
        let open = open.ok_or_else(|| fault::no_table_named(name))?;
        let own = self.own_replica(&open).map(Own::of).unwrap_or_default();
        let stream = stream.map(str::to_owned);
        let shared = Shared::of(&open.view.table);
        if stream
            .as_ref()
            .is_some_and(|label| !shared.has_stream(label))
        {
            let message = format!("Requested resource not found: Stream: {arn} not found");
            return Err(Fault::caller("ResourceNotFoundException", message).into());
        }
        Ok(Subject {
            open,
            own,
            stream,
            arn,
        })
    }

    /// Returns the name of the table that an ARN is of, and the label where it is of a stream.
    fn named_by<'a>(
        &self,
        caller: &Caller,
        arn: &'a str,
    ) -> Result<(&'a str, Option<&'a str>), Fault> {
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
        if let Some(table) = catalog::table_in(arn) {
            return Ok((table, None));
        }
        if let Some((table, label)) = catalog::stream_in(arn) {
            return Ok((table, Some(label)));
        }
        let part = parsed.resource.strip_prefix("table/").ok_or_else(invalid)?;
        if part.contains("/index/") {
            return Err(fault::invalid_parameter(format_args!(
                "Invalid resource arn provided, only table or stream is accepted. Provided \
                 resource arn: {arn}"
            )));
        }
        Err(fault::invalid_parameter(format_args!(
            "Provided Arn is not a DynamoDB resource arn: {arn}"
        )))
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

impl Subject {
    /// Checks that the policy is the one that a caller has seen; `NO_POLICY` stands for none.
    fn expect(&self, expected: Option<&str>) -> Result<(), Fault> {
        let target = self.target();
        let kept = match (expected, self.stored()) {
            (Some(_), Some(Stored::Unread(_))) => return Err(unread(&target)),
            (None, Some(Stored::Unread(_))) | (_, None) => None,
            (_, Some(Stored::Read(kept))) => Some(kept),
        };
        let message = match (expected, kept) {
            (None, _) | (Some(NO_POLICY), None) => return Ok(()),
            (Some(expected), Some(kept)) if kept.revision.to_string() == expected => {
                return Ok(());
            }
            (Some(NO_POLICY), Some(kept)) => format!(
                "Requested policy update expecting none to be present for {target}, but a policy \
                 exists with revision id {}.",
                kept.revision
            ),
            (Some(expected), Some(kept)) => format!(
                "Requested update for policy with revision id {expected}, but the policy \
                 associated to target {target} has revision id {}.",
                kept.revision
            ),
            (Some(expected), None) => format!(
                "Requested update for policy with revision id {expected}, but no policy is \
                 associated to target {target}."
            ),
        };
        Err(not_found(&message))
    }
}

/// What is kept may be put anew or deleted, by who has not seen it.
fn unread(what: &str) -> Fault {
    Fault::ourselves(format!(
        "the policy of {what} cannot be read: it denies everything"
    ))
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
