//! By which key of KMS a table says that it is encrypted: given, checked, kept, told.
//!
//! There is no KMS here and nothing on disk is encrypted by it: what was asked for is kept and
//! told, so that tools that set it find it again. Source: DynamoDB API reference,
//! `SSESpecification` and `SSEDescription`; the words of refusals are the service's, where public
//! trackers show them.

use api_protocol::fault::Fault;
use base::arn::Arn;
use base::name::AccountId;
use base::region::RegionName;
use serde_json::{Map, Value, json};

use crate::exports::md5;
use crate::fault;
use crate::settings::{Own, Shared};
use crate::wire::shape;

shape! {
    /// Whether a table is encrypted by a key of KMS, and by which.
    EncryptionIn {
        enabled: "Enabled" as bool,
        kind: "SSEType" as String,
        key: "KMSMasterKeyId" as String,
    }
}

/// By what a table is to be encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// By a key that the service owns, which it tells nobody of.
    Default,
    /// By this key of KMS, or else by the one that an account has for DynamoDB.
    Kms(Option<String>),
}

impl EncryptionIn {
    /// Returns what is asked for, of a table in `region`.
    ///
    /// Errors: `ValidationException`.
    pub(crate) fn encryption(&self, region: &RegionName) -> Result<Encryption, Fault> {
        if self.kind.as_deref() == Some("AES256") {
            return Err(fault::invalid_parameter("SSEType AES256 is not supported"));
        }
        if self.enabled == Some(true) {
            let key = self.key.as_deref().map(|key| own_key(key, region));
            return Ok(Encryption::Kms(key.transpose()?.flatten()));
        }
        for (name, given) in [("SSEType", &self.kind), ("KMSMasterKeyId", &self.key)] {
            if given.is_some() {
                return Err(fault::invalid_parameter(format_args!(
                    "{name} can be specified only when SSESpecification is Enabled"
                )));
            }
        }
        Ok(Encryption::Default)
    }
}

impl Encryption {
    /// Returns whether it is by a key of KMS.
    pub(super) fn is_kms(&self) -> bool {
        matches!(self, Self::Kms(_))
    }

    /// Sets it in a table's settings and in those of the replica in this region.
    pub(crate) fn set(&self, shared: &mut Shared, own: &mut Own) {
        let (kms, key) = match self {
            Self::Default => (false, None),
            Self::Kms(key) => (true, key.clone()),
        };
        shared.kms = kms;
        own.kms_key = key;
    }

    /// Checks that it is another than the one that a table has.
    ///
    /// Errors: `ValidationException`.
    pub(super) fn check_new(&self, shared: &Shared, own: &Own) -> Result<(), Fault> {
        match self {
            Self::Default if !shared.kms => Err(fault::invalid_parameter(
                "Table is already encrypted by default",
            )),
            Self::Kms(key) if shared.kms && *key == own.kms_key => Err(fault::invalid_parameter(
                "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId \
                 parameter if you want to change Master Key",
            )),
            Self::Default | Self::Kms(_) => Ok(()),
        }
    }
}

/// Returns a key as it is kept, `None` for the one that an account has for DynamoDB.
///
/// Errors: `ValidationException` for what is no name of a key of the region.
pub(super) fn own_key(key: &str, region: &RegionName) -> Result<Option<String>, Fault> {
    if key == OF_DYNAMODB {
        return Ok(None);
    }
    if key.starts_with("arn:") {
        let arn = Arn::parse(key).filter(|arn| arn.service == "kms");
        let Some(arn) = arn.filter(|arn| is_key(&arn.resource) || is_alias(&arn.resource)) else {
            return Err(no_key(format_args!("Invalid keyId {key}")));
        };
        if arn.region != region.as_str() {
            return Err(no_key(format_args!("Invalid arn {}", arn.region)));
        }
    } else if !is_alias(key) && !is_id(key) {
        return Err(no_key(format_args!("Invalid keyId {key}")));
    }
    Ok(Some(key.to_owned()))
}

/// Tells by which key of KMS a table is encrypted in `region`, if by one.
pub(super) fn describe(
    members: &mut Map<String, Value>,
    (shared, own): (&Shared, &Own),
    (region, account): (&RegionName, AccountId),
) {
    if !shared.kms {
        return;
    }
    let told = json!({
        "Status": "ENABLED",
        "SSEType": "KMS",
        "KMSMasterKeyArn": key_arn(own.kms_key.as_deref(), region, account),
    });
    members.insert("SSEDescription".to_owned(), told);
}

/// Returns the name of a key: of one that is known by an alias alone, one that follows from it.
pub(crate) fn key_arn(key: Option<&str>, region: &RegionName, account: AccountId) -> String {
    let named = |resource: String| Arn::new("kms", region, account, resource);
    let key = key.unwrap_or(OF_DYNAMODB);
    let arn = match Arn::parse(key) {
        Some(arn) => arn,
        None if is_alias(key) => named(key.to_owned()),
        None => named(format!("key/{key}")),
    };
    if !is_alias(&arn.resource) {
        return arn.to_string();
    }
    let sum = u128::from_be_bytes(md5::sum(arn.to_string().as_bytes()));
    let resource = format!(
        "key/{:08x}-{:04x}-3{:03x}-8{:03x}-{:012x}",
        sum >> 96,
        (sum >> 80) & 0xffff,
        (sum >> 64) & 0xfff,
        (sum >> 48) & 0xfff,
        sum & 0xffff_ffff_ffff,
    );
    Arn { resource, ..arn }.to_string()
}

fn is_alias(resource: &str) -> bool {
    resource.strip_prefix("alias/").is_some_and(is_named)
}

fn is_key(resource: &str) -> bool {
    resource.strip_prefix("key/").is_some_and(is_id)
}

fn is_id(id: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !id.is_empty() && id.bytes().all(is_letter)
}

fn is_named(alias: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
    !alias.is_empty() && alias.bytes().all(is_letter)
}

fn no_key(what: std::fmt::Arguments<'_>) -> Fault {
    fault::validation(format!("KMS validation error: {what}"))
}

/// The key of KMS that an account has for DynamoDB.
const OF_DYNAMODB: &str = "alias/aws/dynamodb";

#[cfg(test)]
mod tests {
    use base::name::AccountId;
    use base::region::RegionName;

    use super::{key_arn, own_key};

    const KEY: &str = "0a1b2c3d-0000-1111-2222-333344445555";

    fn region() -> RegionName {
        RegionName::parse("eu-west-1").expect("a region")
    }

    #[test]
    fn keys_have_names_of_four_forms() {
        let of = |key: &str| own_key(key, &region()).map_err(|fault| fault.message);
        let arn = format!("arn:aws:kms:eu-west-1:000000000000:key/{KEY}");
        let alias = "arn:aws:kms:eu-west-1:000000000000:alias/carts";
        for key in [KEY, &arn, alias, "alias/carts", "mrk-12ab"] {
            assert_eq!(of(key), Ok(Some(key.to_owned())), "{key}");
        }
        assert_eq!(of("alias/aws/dynamodb"), Ok(None));
        let elsewhere = format!("arn:aws:kms:us-east-1:000000000000:key/{KEY}");
        let topic = "arn:aws:sns:eu-west-1:000000000000:carts";
        for (key, told) in [
            ("", "Invalid keyId "),
            ("a key", "Invalid keyId a key"),
            ("alias/", "Invalid keyId alias/"),
            (topic, &format!("Invalid keyId {topic}")),
            (&elsewhere, "Invalid arn us-east-1"),
        ] {
            assert_eq!(of(key), Err(format!("KMS validation error: {told}")));
        }
    }

    #[test]
    fn each_key_has_one_name() {
        let of = |key| key_arn(key, &region(), AccountId::DEFAULT);
        let named = format!("arn:aws:kms:eu-west-1:000000000000:key/{KEY}");
        assert_eq!(of(Some(KEY)), named);
        assert_eq!(of(Some(&named)), named);
        let alias = of(Some("alias/carts"));
        assert_eq!(
            of(Some("arn:aws:kms:eu-west-1:000000000000:alias/carts")),
            alias
        );
        let default = of(None);
        assert!(default.starts_with("arn:aws:kms:eu-west-1:000000000000:key/"));
        assert_eq!(default.len(), named.len());
        assert_ne!(default, alias);
    }
}
