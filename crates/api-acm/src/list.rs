//! `ListCertificates`.
//!
//! Without a filter it lists keys of every kind, where AWS lists RSA keys only.
//! Source: Certificate Manager API reference, `ListCertificates`.

use api_protocol::fault::Fault;
use api_protocol::json::parse;
use serde::Deserialize;
use serde_json::{Value, json};
use store::port::Store;

use crate::facade::Call;
use crate::fault::validation;
use crate::limits::PAGE_MAX;
use crate::show::status;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct List {
    certificate_statuses: Option<Vec<String>>,
    includes: Option<Includes>,
    max_items: Option<usize>,
    next_token: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<Order>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Includes {
    key_types: Option<Vec<String>>,
    key_usage: Option<Vec<String>>,
    extended_key_usage: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Order {
    Ascending,
    Descending,
}

impl<S: Store> Call<'_, S> {
    /// Shows one page of the caller's certificates, by creation.
    pub(crate) fn list(&self) -> Result<Value, Fault> {
        let body: List = parse(self.body)?;
        if body.sort_by.as_deref().is_some_and(|by| by != "CREATED_AT") {
            return Err(validation("SortBy must be CREATED_AT"));
        }
        let most = body.max_items.unwrap_or(PAGE_MAX);
        if !(1..=PAGE_MAX).contains(&most) {
            return Err(validation("MaxItems must be 1 to 1000"));
        }
        let now = self.control.clock().wall();
        let includes = body.includes.unwrap_or_default();
        let mut found: Vec<_> = self
            .own()
            .filter(|one| {
                let facts = &one.facts;
                let extended: Vec<_> = facts.extended_key_usages.iter().map(|u| &u.0).collect();
                allows(body.certificate_statuses.as_ref(), [status(one, now)])
                    && allows(includes.key_types.as_ref(), [&facts.key_algorithm])
                    && allows(includes.key_usage.as_ref(), &facts.key_usages)
                    && allows(includes.extended_key_usage.as_ref(), extended)
            })
            .collect();
        found.sort_by(|a, b| (a.created_micros, &a.id).cmp(&(b.created_micros, &b.id)));
        if body.sort_order == Some(Order::Descending) {
            found.reverse();
        }
        let from = match &body.next_token {
            None => 0,
            Some(token) => {
                let last = found.iter().position(|one| one.id == *token);
                last.ok_or_else(|| validation("NextToken is not one of this list"))? + 1
            }
        };
        let page: Vec<_> = found.iter().skip(from).take(most).collect();
        let summaries: Vec<Value> = page.iter().map(|one| self.summary(one)).collect();
        let mut answer = json!({"CertificateSummaryList": summaries});
        if let Some(last) = page.last().filter(|_| from + page.len() < found.len()) {
            answer["NextToken"] = last.id.clone().into();
        }
        Ok(answer)
    }
}

/// Returns whether a filter, where there is one, names any of the values.
fn allows<V: AsRef<str>>(
    filter: Option<&Vec<String>>,
    values: impl IntoIterator<Item = V>,
) -> bool {
    filter.is_none_or(|filter| {
        let mut values = values.into_iter();
        values.any(|value| filter.iter().any(|allowed| allowed == value.as_ref()))
    })
}
