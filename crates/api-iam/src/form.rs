//! The parameters of one call: texts, lists of them, pages.
//!
//! Source: Smithy 2.0, "AWS query protocol" (lists as `Name.member.1`).

use api_protocol::fault::Fault;
use api_protocol::query;
use api_protocol::uri::Parameters;
use bytes::Bytes;
use http::Request;
use iam::credentials::{UserName, is_path, is_policy_name};
use iam::limits::TAGS_MAX;

use crate::fault;

/// The parameters of one call.
pub(crate) struct Form(Parameters);

/// One page of a list.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next one begins.
    pub(crate) marker: Option<String>,
}

impl Form {
    pub(crate) fn of(request: &Request<Bytes>) -> Self {
        Self(query::parameters(request))
    }

    /// Returns a parameter; an empty one counts as none.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.first(name).filter(|text| !text.is_empty())
    }

    /// Returns a parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.text(name).ok_or_else(|| {
            fault::invalid(&format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: \
                 Member must not be null",
                camel(name)
            ))
        })
    }

    /// Returns a list of texts, in its order.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        (1..=LIST_MAX)
            .map_while(|at| self.0.first(&format!("{name}.member.{at}")))
            .collect()
    }

    /// Returns a user's name that must be there.
    pub(crate) fn user_name(&self, name: &str) -> Result<UserName, Fault> {
        let text = self.required(name)?;
        UserName::parse(text).ok_or_else(|| {
            let message = "The specified value for userName is invalid. It must contain only \
                           alphanumeric characters and/or the following: +=,.@_-";
            fault::invalid(message)
        })
    }

    /// Returns a policy's name that must be there.
    pub(crate) fn policy_name(&self) -> Result<&str, Fault> {
        let text = self.required("PolicyName")?;
        if is_policy_name(text) {
            return Ok(text);
        }
        let message = "The specified value for policyName is invalid. It must contain only \
                       alphanumeric characters and/or the following: +=,.@_-";
        Err(fault::invalid(message))
    }

    /// Returns a path, or `/` where there is none.
    pub(crate) fn path(&self, name: &str) -> Result<&str, Fault> {
        let path = self.text(name).unwrap_or("/");
        if is_path(path) {
            return Ok(path);
        }
        let message = format!(
            "The specified value for {} is invalid. It must begin and end with / and contain \
             only alphanumeric characters and/or / characters.",
            camel(name)
        );
        Err(fault::invalid(&message))
    }

    /// Returns the tags that a call brings.
    pub(crate) fn tags(&self) -> Result<Vec<(String, String)>, Fault> {
        let mut tags: Vec<(String, String)> = Vec::new();
        for at in 1..=TAGS_MAX + 1 {
            let Some(key) = self.0.first(&format!("Tags.member.{at}.Key")) else {
                break;
            };
            let value = self.0.first(&format!("Tags.member.{at}.Value"));
            let value = value.unwrap_or_default();
            if !(1..=128).contains(&key.chars().count()) || 256 < value.chars().count() {
                return Err(fault::invalid(
                    "A tag's key has 1 to 128 characters, its value 256",
                ));
            }
            if tags.iter().any(|(known, _)| known == key) {
                return Err(Fault::caller(
                    "InvalidInput",
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
            tags.push((key.to_owned(), value.to_owned()));
        }
        Ok(tags)
    }

    /// Returns the page of a list that a call asks for; `name` is what sorts it.
    ///
    /// Errors: `ValidationError` for a size that no page has.
    pub(crate) fn page<T>(
        &self,
        items: Vec<T>,
        name: impl Fn(&T) -> &str,
    ) -> Result<Page<T>, Fault> {
        let size = match self.text("MaxItems") {
            None => PAGE_USUAL,
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|size| (1..=PAGE_MAX).contains(size))
                .ok_or_else(|| fault::invalid("MaxItems must be between 1 and 1000"))?,
        };
        let after = self.text("Marker");
        let mut rest: Vec<T> = items
            .into_iter()
            .filter(|item| after.is_none_or(|after| after < name(item)))
            .collect();
        let more = size < rest.len();
        rest.truncate(size);
        let marker = more.then(|| rest.last().map(|item| name(item).to_owned()));
        Ok(Page {
            items: rest,
            marker: marker.flatten(),
        })
    }
}

fn camel(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// How many items a page has where nothing is said. 100.
/// Source: botocore's model of IAM (`maxItemsType`).
const PAGE_USUAL: usize = 100;
/// The most items of a page. 1,000.
const PAGE_MAX: usize = 1_000;
/// The most elements of a list that are read. 200: no call here may name more.
const LIST_MAX: usize = 200;
