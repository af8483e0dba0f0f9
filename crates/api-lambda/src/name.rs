//! The function that a call names: a name, a part of an ARN, or a whole one.
//!
//! It looks nothing up.
//! Source: Lambda API reference, the "Name formats" of each call's `FunctionName`.

use api_protocol::fault::Fault;
use base::name::AccountId;
use base::region::RegionName;
use http::StatusCode;

use crate::fault;

/// Reads the name of a function in `account` and `region`.
///
/// Shape: the bare name; `qualifier` is what the call says beside it.
/// Errors: `ValidationException` for another shape; `ResourceNotFoundException` for another
/// region, or a version other than `$LATEST`, since versions are not kept;
/// `AccessDeniedException` for another account.
pub(crate) fn parse<'a>(
    region: &RegionName,
    account: AccountId,
    text: &'a str,
    qualifier: Option<&str>,
) -> Result<&'a str, Fault> {
    let malformed = || {
        fault::validation(
            text,
            "functionName",
            "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?\
             ([a-z0-9-]+:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
        )
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (place, rest): (&[&str], &[&str]) = match &parts[..] {
        ["arn", partition, "lambda", place @ .., "function", name] if is_aws(partition) => {
            (place, std::slice::from_ref(name))
        }
        ["arn", partition, "lambda", place @ .., "function", _, _] if is_aws(partition) => {
            (place, &parts[parts.len() - 2..])
        }
        [account, "function", rest @ ..] => (std::slice::from_ref(account), rest),
        [first, rest @ ..] if *first == "function" => (&[], rest),
        rest => (&[], rest),
    };
    let (name, own_qualifier) = match rest {
        [name] => (*name, None),
        [name, qualifier] => (*name, Some(*qualifier)),
        _ => return Err(malformed()),
    };
    let is_name = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !is_name {
        return Err(malformed());
    }
    check_place(region, account, place, malformed)?;
    for qualifier in [own_qualifier, qualifier].into_iter().flatten() {
        if qualifier != "$LATEST" {
            return Err(fault::no_function(region, account, name, Some(qualifier)));
        }
    }
    Ok(name)
}

fn is_aws(partition: &str) -> bool {
    partition.starts_with("aws")
}

fn check_place(
    region: &RegionName,
    account: AccountId,
    place: &[&str],
    malformed: impl Fn() -> Fault,
) -> Result<(), Fault> {
    let (named_region, named_account) = match place {
        [] => return Ok(()),
        [account] => (None, *account),
        [region, account] => (Some(*region), *account),
        _ => return Err(malformed()),
    };
    let named_account = AccountId::parse(named_account).ok_or_else(malformed)?;
    if let Some(named) = named_region
        && named != region.as_str()
    {
        return Err(fault::not_found(format!(
            "Functions from '{named}' are not reachable in this region ('{region}')"
        )));
    }
    if named_account != account {
        let message = format!("account {account} may not use the functions of {named_account}");
        return Err(
            Fault::caller("AccessDeniedException", message).with_status(StatusCode::FORBIDDEN)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
