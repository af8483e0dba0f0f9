//! Actions: what a request asks for, and the patterns of policies. They have no case.
//!
//! It knows no service's actions.
//! Source: IAM user guide, "IAM JSON policy elements: Action".

use crate::glob::Glob;
use crate::mistake::Problem;

/// A pattern of a policy, in lower case.
#[derive(Clone, Debug)]
pub(crate) enum ActionPattern {
    /// `*`
    Any,
    /// `service:Name`, with wildcards in the name.
    Named { service: Box<str>, name: Glob },
}

/// What a request asks for, in lower case.
#[derive(Debug)]
pub(crate) struct Action {
    lower: String,
    colon: usize,
}

impl Action {
    /// Takes `service:Name`.
    pub(crate) fn of(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let colon = lower.find(':').unwrap_or(lower.len());
        Self { lower, colon }
    }

    fn parts(&self) -> (&str, &str) {
        let (service, name) = self.lower.split_at(self.colon);
        (service, name.get(1..).unwrap_or_default())
    }
}

impl ActionPattern {
    /// Reads a pattern.
    ///
    /// Errors: what AWS says of one without a service, with several colons, or a bad service.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        if matches!(text, "*" | "*:*") {
            return Ok(Self::Any);
        }
        let (service, name) = text.split_once(':').ok_or(Problem::Vendor)?;
        if name.contains(':') {
            return Err(Problem::Colons);
        }
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if service.is_empty() || !service.bytes().all(is_word) {
            return Err(Problem::BadVendor(service.to_owned()));
        }
        let is_name = |byte: u8| is_word(byte) || matches!(byte, b'*' | b'?');
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(Problem::Vendor);
        }
        Ok(Self::Named {
            service: service.to_ascii_lowercase().into(),
            name: Glob::of(&name.to_ascii_lowercase()),
        })
    }

    /// Returns whether an action is one that the pattern stands for.
    pub(crate) fn matches(&self, action: &Action) -> bool {
        match self {
            Self::Any => true,
            Self::Named { service, name } => {
                let (own_service, own_name) = action.parts();
                **service == *own_service && name.matches(own_name)
            }
        }
    }
}
