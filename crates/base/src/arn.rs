//! Amazon Resource Names: read, and written as AWS writes them.

use std::fmt;

use crate::name::AccountId;
use crate::region::RegionName;

/// An Amazon Resource Name, `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
///
/// Shape: region and account may be empty, as in IAM's and Route 53's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn {
    /// The service, as in `dynamodb`.
    pub service: String,
    /// The region, empty for services that have none.
    pub region: String,
    /// The account, empty for resources that have none.
    pub account: String,
    /// Everything after the account, as in `table/carts`.
    pub resource: String,
}

impl Arn {
    /// Makes the name of a resource of `service` in `region`.
    pub fn new(service: &str, region: &RegionName, account: AccountId, resource: String) -> Self {
        Self {
            service: service.to_owned(),
            region: region.as_str().to_owned(),
            account: account.to_string(),
            resource,
        }
    }

    /// Reads a name; `None` for a text that is no ARN.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition) = (parts.next()?, parts.next()?);
        if arn != "arn" || !partition.starts_with("aws") {
            return None;
        }
        let mut part = || parts.next().map(str::to_owned);
        Some(Self {
            service: part()?,
            region: part()?,
            account: part()?,
            resource: part()?,
        })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            region,
            account,
            resource,
        } = self;
        write!(f, "arn:aws:{service}:{region}:{account}:{resource}")
    }
}
