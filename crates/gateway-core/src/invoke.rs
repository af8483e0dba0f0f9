//! The port through which a gateway calls functions.
//!
//! It runs none: the function pools implement it, and tests bring their own.
//! Source: Lambda API reference, `Invoke`.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use base::name::AccountId;
use base::region::RegionName;
use bytes::Bytes;
use clock::time::Moment;

/// Runs a function with a payload and returns what it answered.
pub trait Invoke: Send + Sync + 'static {
    /// Runs `function` once; gives up at `deadline`.
    ///
    /// Shape: payload and answer are the function's own bytes, JSON for a proxy integration.
    /// Errors: [`InvokeError`]; its kind says whether the function has begun to run.
    fn invoke(
        &self,
        function: &FunctionName,
        payload: Bytes,
        deadline: Moment,
    ) -> impl Future<Output = Result<Bytes, InvokeError>> + Send;
}

/// Why a function gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The region has no function of this name.
    #[error("find the function")]
    NotFound,
    /// Every instance is busy and the queue is full; the function did not begin.
    #[error("start the function: all its instances are busy")]
    Throttled,
    /// The function began and did not end in time.
    #[error("wait for the function: its time is over")]
    TimedOut,
    /// The function began and failed; its message is for logs, never for clients.
    #[error("run the function: {0}")]
    Crashed(String),
    /// No instance could be started; the function did not begin.
    #[error("start the function")]
    Unavailable,
}

impl InvokeError {
    /// Returns whether the function may have done some of its work.
    pub fn has_begun(&self) -> bool {
        match self {
            Self::TimedOut | Self::Crashed(_) => true,
            Self::NotFound | Self::Throttled | Self::Unavailable => false,
        }
    }
}

/// The name of a function within an account and region.
///
/// Shape: 1..=64 characters of `a-z A-Z 0-9 - _`.
/// Source: Lambda API reference, `CreateFunction`, `FunctionName`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionName(Arc<str>);

/// A text that is no function name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("function name {0:?} must be 1 to 64 characters of a-z, A-Z, 0-9, - and _")]
pub struct BadFunctionName(pub String);

impl FunctionName {
    /// Reads a function's name.
    ///
    /// Errors: [`BadFunctionName`] for any other shape.
    pub fn parse(text: &str) -> Result<Self, BadFunctionName> {
        let shaped = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if shaped {
            Ok(Self(text.into()))
        } else {
            Err(BadFunctionName(text.to_owned()))
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The Amazon Resource Name of a function, as an integration's URI names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionArn {
    /// The region whose function is meant.
    pub region: RegionName,
    /// The account that owns the function.
    pub account: AccountId,
    /// The function.
    pub name: FunctionName,
    /// The version or alias; `None` for the code as it was deployed last.
    pub qualifier: Option<String>,
}

/// A text that names no function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is no function ARN")]
pub struct BadFunctionArn;

impl FunctionArn {
    /// Reads the ARN of a function: Lambda's own form, or the form in which API Gateway wraps it,
    /// `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations`.
    ///
    /// Errors: [`BadFunctionArn`] for any other shape.
    pub fn parse(text: &str) -> Result<Self, BadFunctionArn> {
        let arn = base::arn::Arn::parse(text).ok_or(BadFunctionArn)?;
        if arn.service == "apigateway" {
            let inner = arn
                .resource
                .strip_prefix("path/2015-03-31/functions/")
                .and_then(|rest| rest.strip_suffix("/invocations"))
                .filter(|inner| !inner.starts_with("arn:aws:apigateway:"))
                .ok_or(BadFunctionArn)?;
            return Self::parse(inner);
        }
        let mut parts = arn.resource.split(':');
        let (Some("function"), Some(name)) = (parts.next(), parts.next()) else {
            return Err(BadFunctionArn);
        };
        let qualifier = parts.next().filter(|qualifier| *qualifier != "$LATEST");
        if arn.service != "lambda" || parts.next().is_some() || qualifier == Some("") {
            return Err(BadFunctionArn);
        }
        Ok(Self {
            region: RegionName::parse(&arn.region).map_err(|_| BadFunctionArn)?,
            account: AccountId::parse(&arn.account).ok_or(BadFunctionArn)?,
            name: FunctionName::parse(name).map_err(|_| BadFunctionArn)?,
            qualifier: qualifier.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests;
