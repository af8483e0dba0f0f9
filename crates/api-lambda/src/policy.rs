//! Who may invoke a function: its resource policy.
//!
//! It stores and shows permissions; what invokes functions enforces them.
//! Source: Lambda API reference, `AddPermission`, `GetPolicy`.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use bytes::Bytes;
use control::functions::{Function, Permission};
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::port::Store;

use crate::configuration::arn;
use crate::fault;
use crate::lambda::{Call, Lambda, check_revision};
use crate::limits::POLICY_BYTES_MAX;
use crate::port::Runner;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddPermission {
    statement_id: String,
    action: String,
    principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    event_source_token: Option<String>,
    function_url_auth_type: Option<String>,
    revision_id: Option<String>,
}

impl<S: Store, R: Runner> Lambda<S, R> {
    pub(crate) async fn add_permission(&self, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        let asked: AddPermission = call.parse()?;
        let old = self.function(call)?;
        check_revision(&old, asked.revision_id.as_deref())?;
        check_words(&asked)?;
        if old.permissions.contains_key(&asked.statement_id) {
            return Err(fault::conflict(format!(
                "The statement id ({}) provided already exists. Please provide a new statement \
                 id, or remove the existing statement.",
                asked.statement_id
            )));
        }
        let permission = Permission {
            action: asked.action,
            principal: asked.principal,
            source_arn: asked.source_arn,
            source_account: asked.source_account,
            principal_org_id: asked.principal_org_id,
        };
        let arn = arn(&old);
        let statement = statement(&arn, &asked.statement_id, &permission);
        let mut new = old.clone();
        new.permissions.insert(asked.statement_id, permission);
        let bytes = policy(&arn, &new.permissions).to_string().len();
        if POLICY_BYTES_MAX < bytes {
            let message = format!(
                "The final policy size ({bytes}) is bigger than the limit ({POLICY_BYTES_MAX})."
            );
            return Err(Fault::caller("PolicyLengthExceededException", message));
        }
        self.change(&old, new).await?;
        let body = json!({ "Statement": statement.to_string() });
        Ok(call.reply(StatusCode::CREATED, &body))
    }

    pub(crate) fn get_policy(&self, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        let function = self.function(call)?;
        if function.permissions.is_empty() {
            return Err(no_policy());
        }
        let policy = policy(&arn(&function), &function.permissions);
        let Function { revision, .. } = function;
        let body = json!({ "Policy": policy.to_string(), "RevisionId": revision });
        Ok(call.reply(StatusCode::OK, &body))
    }

    pub(crate) async fn remove_permission(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Fault> {
        let old = self.function(call)?;
        check_revision(&old, call.query.first("RevisionId"))?;
        if old.permissions.is_empty() {
            return Err(no_policy());
        }
        let id = call.labels.get(1).copied().unwrap_or_default();
        let mut new = old.clone();
        if new.permissions.remove(id).is_none() {
            return Err(fault::not_found(format!(
                "Statement {id} is not found in resource policy."
            )));
        }
        self.change(&old, new).await?;
        Ok(call.no_content())
    }
}

fn no_policy() -> Fault {
    fault::not_found("The resource you requested does not exist.")
}

fn check_words(asked: &AddPermission) -> Result<(), Fault> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let id = &asked.statement_id;
    if !(1..=100).contains(&id.len()) || !id.bytes().all(is_word) {
        let constraint = "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]{1,100})";
        return Err(fault::validation(id, "statementId", constraint));
    }
    let is_action = asked.action == "*"
        || asked.action.strip_prefix("lambda:").is_some_and(|name| {
            name == "*" || (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic()))
        });
    if !is_action {
        let constraint =
            "Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])";
        return Err(fault::validation(&asked.action, "action", constraint));
    }
    if asked.principal.is_empty() || asked.principal.contains(char::is_whitespace) {
        return Err(fault::invalid(
            "The provided principal was invalid. Please check the principal and try again.",
        ));
    }
    if asked.event_source_token.is_some() {
        return Err(fault::unsupported("EventSourceToken"));
    }
    if asked.function_url_auth_type.is_some() {
        return Err(fault::unsupported("FunctionUrlAuthType"));
    }
    Ok(())
}

fn policy(arn: &str, permissions: &BTreeMap<String, Permission>) -> Value {
    let statements: Vec<Value> = permissions
        .iter()
        .map(|(id, permission)| statement(arn, id, permission))
        .collect();
    json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements })
}

fn statement(arn: &str, id: &str, permission: &Permission) -> Value {
    let Permission {
        action,
        principal,
        source_arn,
        source_account,
        principal_org_id,
    } = permission;
    let is_account = principal.len() == 12 && principal.bytes().all(|b| b.is_ascii_digit());
    let principal = match principal.as_str() {
        "*" => json!("*"),
        account if is_account => json!({ "AWS": format!("arn:aws:iam::{account}:root") }),
        arn if arn.starts_with("arn:") => json!({ "AWS": arn }),
        service => json!({ "Service": service }),
    };
    let mut statement = json!({
        "Sid": id,
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": arn,
    });
    let mut equals = Map::new();
    if let Some(account) = source_account {
        equals.insert("AWS:SourceAccount".to_owned(), json!(account));
    }
    if let Some(organization) = principal_org_id {
        equals.insert("aws:PrincipalOrgID".to_owned(), json!(organization));
    }
    let mut condition = Map::new();
    if !equals.is_empty() {
        condition.insert("StringEquals".to_owned(), Value::Object(equals));
    }
    if let Some(source) = source_arn {
        let like = json!({ "AWS:SourceArn": source });
        condition.insert("ArnLike".to_owned(), like);
    }
    if !condition.is_empty() {
        statement["Condition"] = Value::Object(condition);
    }
    statement
}
