//! Who may use a project: users, their access keys with sealed secrets, policies, tags.
//!
//! It decides nothing: [`directory`] makes of it what authentication and decisions need, and the
//! facade checks names and documents before they get here.
//! Source: IAM user guide, "IAM identities"; botocore's model of IAM, shapes `User`, `AccessKey`,
//! `Policy`.

pub mod directory;

pub mod tokens;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use base::name::AccountId;
use iam::credentials::{AccessKeyId, KeyKind, KeyState, Secret, UserName};
use iam::limits::ACCESS_KEYS_MAX;
use store::port::Store;

use crate::control::{Control, ControlError};
use crate::resource::{Change, Resource};
use crate::seal::{self, SealError};
use crate::system::SystemTable;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The account.
    pub account: String,
    /// Its name, unique in its account, case aside.
    pub name: String,
    /// Its path: begins and ends with `/`.
    pub path: String,
    /// Its unique id, as in `AIDA…`.
    pub id: String,
    /// When it was made, in microseconds since 1970.
    pub created_micros: i64,
    /// The ids of its access keys, oldest first. One that is not here does not count.
    pub access_keys: Vec<String>,
    /// The ARNs of the policies that are attached to it.
    pub attached: Vec<String>,
    /// Its own policies, as documents, by name.
    pub inline: BTreeMap<String, String>,
    /// The ARN of the policy that is its boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// An access key that lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Its id, as in `AKIA…`.
    pub id: String,
    /// The account.
    pub account: String,
    /// The name of its user.
    pub user: String,
    /// The unique id of its user: a later user of the same name has other keys.
    pub user_id: String,
    /// Whether it may be used.
    pub is_active: bool,
    /// Its secret, sealed for [`secret_purpose`].
    pub sealed_secret: String,
    /// When it was made, in microseconds since 1970.
    pub created_micros: i64,
}

/// A policy of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    /// The account.
    pub account: String,
    /// Its name, unique in its account, case aside.
    pub name: String,
    /// Its path: begins and ends with `/`.
    pub path: String,
    /// Its unique id, as in `ANPA…`.
    pub id: String,
    /// What its owner says about it.
    pub description: String,
    /// Its document, as it was written.
    pub document: String,
    /// When it was made, in microseconds since 1970.
    pub created_micros: i64,
    /// When its document was changed last, in microseconds since 1970.
    pub updated_micros: i64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A change of keys that was not made.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The user has as many keys as it may have.
    #[error("make an access key: a user has at most {ACCESS_KEYS_MAX}")]
    TooManyKeys,
    /// The tables refused it: somebody else has changed the user, or they failed.
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl Resource for User {
    const TABLE: SystemTable = SystemTable::Keys;

    fn partition(&self) -> String {
        self.account.clone()
    }

    fn sort(&self) -> String {
        sort_of(USER, &self.name)
    }
}

impl Resource for AccessKey {
    const TABLE: SystemTable = SystemTable::Keys;

    /// A request names a key and nobody's account, so that its id is all that finds it.
    fn partition(&self) -> String {
        self.id.clone()
    }

    fn sort(&self) -> String {
        ACCESS_KEY.to_owned()
    }
}

impl Resource for ManagedPolicy {
    const TABLE: SystemTable = SystemTable::Keys;

    fn partition(&self) -> String {
        self.account.clone()
    }

    fn sort(&self) -> String {
        sort_of(POLICY, &self.name)
    }
}

const USER: &str = "user/";
const POLICY: &str = "policy/";
const ACCESS_KEY: &str = "access-key";

/// Names that differ in case alone are one.
fn sort_of(prefix: &str, name: &str) -> String {
    format!("{prefix}{}", name.to_ascii_lowercase())
}

impl User {
    /// Returns the user's ARN.
    pub fn arn(&self) -> String {
        let Self {
            account,
            path,
            name,
            ..
        } = self;
        format!("arn:aws:iam::{account}:user{path}{name}")
    }
}

impl AccessKey {
    /// Returns the key's state.
    pub fn state(&self) -> KeyState {
        if self.is_active {
            KeyState::Active
        } else {
            KeyState::Inactive
        }
    }
}

impl ManagedPolicy {
    /// Returns the policy's ARN.
    pub fn arn(&self) -> String {
        let Self {
            account,
            path,
            name,
            ..
        } = self;
        format!("arn:aws:iam::{account}:policy{path}{name}")
    }
}

/// Returns a user by its name, case aside.
pub fn user<S: Store>(control: &Control<S>, account: AccountId, name: &UserName) -> Option<User> {
    control.get(&account.to_string(), &sort_of(USER, name.as_str()))
}

/// Returns the users of an account, in the order of their names.
pub fn users<S: Store>(control: &Control<S>, account: AccountId) -> Vec<User> {
    control.list(&account.to_string(), USER)
}

/// Returns a policy by its ARN.
pub fn policy<S: Store>(control: &Control<S>, arn: &str) -> Option<ManagedPolicy> {
    let (account, rest) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    let name = rest.strip_prefix("policy/")?.rsplit('/').next()?;
    let found: ManagedPolicy = control.get(account, &sort_of(POLICY, name))?;
    (found.arn() == arn).then_some(found)
}

/// Returns the policies of an account, in the order of their names.
pub fn policies<S: Store>(control: &Control<S>, account: AccountId) -> Vec<ManagedPolicy> {
    control.list(&account.to_string(), POLICY)
}

/// Returns an access key by its id.
pub fn access_key<S: Store>(control: &Control<S>, id: &AccessKeyId) -> Option<AccessKey> {
    control.get(id.as_str(), ACCESS_KEY)
}

/// Returns the access keys of a user, oldest first.
pub fn access_keys<S: Store>(control: &Control<S>, user: &User) -> Vec<AccessKey> {
    let keys = user.access_keys.iter();
    keys.filter_map(|id| control.get(id, ACCESS_KEY)).collect()
}

/// Makes an access key for a user. The secret can be had only here.
///
/// Errors: [`AccessError::TooManyKeys`]; [`AccessError::Control`] where the user is not as it was
/// read.
pub async fn create_access_key<S: Store>(
    control: &Control<S>,
    user: &User,
) -> Result<(AccessKey, Secret), AccessError> {
    if ACCESS_KEYS_MAX <= user.access_keys.len() {
        return Err(AccessError::TooManyKeys);
    }
    let entropy = control.entropy();
    let id = AccessKeyId::generate(KeyKind::Lasting, entropy);
    let secret = Secret::generate(entropy);
    let project = &control.project().key;
    let purpose = secret_purpose(id.as_str());
    let key = AccessKey {
        id: id.as_str().to_owned(),
        account: user.account.clone(),
        user: user.name.clone(),
        user_id: user.id.clone(),
        is_active: true,
        sealed_secret: seal::seal(project, entropy, &purpose, secret.reveal().as_bytes()),
        created_micros: control.clock().wall().as_micros(),
    };
    let mut with = user.clone();
    with.access_keys.push(key.id.clone());
    // Both or none: a user never has more keys than it names.
    let changes = vec![Change::replace(user, &with), Change::create(&key)];
    control.change(changes).await?;
    Ok((key, secret))
}

/// Makes an access key active or inactive.
///
/// Errors: [`AccessError::Control`] where the key is not as it was read.
pub async fn set_state<S: Store>(
    control: &Control<S>,
    key: &AccessKey,
    state: KeyState,
) -> Result<(), AccessError> {
    let new = AccessKey {
        is_active: state == KeyState::Active,
        ..key.clone()
    };
    control.change(vec![Change::replace(key, &new)]).await?;
    Ok(())
}

/// Removes an access key of a user.
///
/// Errors: [`AccessError::Control`] where the user or the key is not as it was read.
pub async fn delete_access_key<S: Store>(
    control: &Control<S>,
    user: &User,
    key: &AccessKey,
) -> Result<(), AccessError> {
    let mut without = user.clone();
    without.access_keys.retain(|id| *id != key.id);
    let changes = vec![Change::replace(user, &without), Change::remove(key)];
    control.change(changes).await?;
    Ok(())
}

/// Returns the purpose for which the secret of an access key is sealed.
pub fn secret_purpose(id: &str) -> String {
    format!("secret of access key {id}")
}

/// Opens the secret of an access key.
///
/// Errors: [`SealError`] when it was sealed by another project.
pub fn secret_of<S: Store>(control: &Control<S>, key: &AccessKey) -> Result<Secret, SealError> {
    let project = &control.project().key;
    let bytes = seal::open(project, &secret_purpose(&key.id), &key.sealed_secret)?;
    let text = String::from_utf8(bytes).map_err(|_| SealError::Malformed)?;
    Ok(Secret::new(&text))
}

#[cfg(test)]
mod tests;
