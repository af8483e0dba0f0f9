//! Resources of functions: their configuration, their permissions, their code in chunks.
//!
//! It runs none. A function belongs to one region and is known in all.
//! Source: Lambda API reference, data type `FunctionConfiguration`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use base::name::AccountId;
use base::region::RegionName;
use item::key::{Key, KeyValue};
use store::port::Store;
use table::write::{Effect, Write};

use crate::control::{Control, ControlError};
use crate::resource::Resource;
use crate::system::SystemTable;

/// A function as it was deployed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// The region it runs in.
    pub region: String,
    /// The account that owns it.
    pub account: String,
    /// Its name, unique in its region.
    pub name: String,
    /// What runs it, as AWS names it.
    pub runtime: String,
    /// The role it was given. Kept, and without effect: its processes have the region's own key.
    pub role: String,
    /// Where its code begins, for runtimes that need to know.
    pub handler: String,
    /// What its owner says about it.
    pub description: String,
    /// How long an invocation may take, in seconds.
    pub timeout_secs: u32,
    /// Its memory size in MiB.
    pub memory_mb: u32,
    /// The size of its directory for temporary files in MiB, as it was asked for.
    pub ephemeral_mb: u32,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// The machines its code is for, as AWS names them.
    pub architecture: String,
    /// Its code.
    pub code: CodeRef,
    /// Most instances at once; the region's default where nothing was asked for.
    pub concurrency: Option<u32>,
    /// Changes with every change of it.
    pub revision: String,
    /// When it was changed last, in microseconds since 1970.
    pub modified_micros: i64,
    /// Who may do what with it, by statement id.
    pub permissions: BTreeMap<String, Permission>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Which code a function has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRef {
    /// The SHA-256 of the deployment package, in lower-case hexadecimal.
    pub sha256: String,
    /// The size of the package in bytes.
    pub bytes: u64,
}

/// One statement of a function's policy, with the members that `AddPermission` has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each member is the one of that name in Lambda's AddPermission"
)]
pub struct Permission {
    pub action: String,
    pub principal: String,
    pub source_arn: Option<String>,
    pub source_account: Option<String>,
    pub principal_org_id: Option<String>,
}

impl Resource for Function {
    const TABLE: SystemTable = SystemTable::Functions;

    fn partition(&self) -> String {
        self.region.clone()
    }

    fn sort(&self) -> String {
        sort_of(&self.name)
    }
}

const PREFIX: &str = "function/";

fn sort_of(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// Returns a function of `account`; `None` where that account has none of this name.
pub fn function<S: Store>(
    control: &Control<S>,
    region: &RegionName,
    account: AccountId,
    name: &str,
) -> Option<Function> {
    named(control, region, name).filter(|function| function.account == account.to_string())
}

/// Returns a function of whatever account.
pub fn named<S: Store>(control: &Control<S>, region: &RegionName, name: &str) -> Option<Function> {
    control.get(region.as_str(), &sort_of(name))
}

/// Returns the functions of a region, all accounts', in the order of their names.
pub fn in_region<S: Store>(control: &Control<S>, region: &RegionName) -> Vec<Function> {
    control.list(region.as_str(), PREFIX)
}

/// Bytes of a package that one item holds. 350 KiB, so that with its keys it stays below the
/// 400 KiB that an item may have.
pub const CHUNK_BYTES: usize = 350 * 1024;

/// Code that is not, or not all, in this region.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// It has not arrived from the region where it was stored, or never will.
    #[error("find code {0}: it is not in this region")]
    Absent(String),
    /// What is stored is not what it says it is.
    #[error("read code {0}: what is stored has another hash")]
    Damaged(String),
    /// The tables failed.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// Stores a deployment package. Returns once all of it is on disk here.
///
/// What some function has already is not stored again: the name of a package is its hash. What
/// no function has is, so that a removal elsewhere that has not arrived here yet loses to it.
///
/// Errors: those of the tables; a part of the package may then be stored, which does no harm.
pub async fn store_code<S: Store>(
    control: &Control<S>,
    package: &Bytes,
) -> Result<CodeRef, ControlError> {
    let code = CodeRef {
        sha256: hash_of(package),
        bytes: package.len() as u64,
    };
    let is_shared = is_used(control, &code);
    let chunks = package.len().div_ceil(CHUNK_BYTES).max(1);
    for number in 0..chunks {
        let from = number * CHUNK_BYTES;
        let chunk = package.slice(from..package.len().min(from + CHUNK_BYTES));
        let sort = chunk_sort(number);
        let table = SystemTable::FunctionCode;
        if is_shared {
            let stored = control.blob(table, &code.sha256, &sort).await?;
            if stored.as_ref() == Some(&chunk) {
                continue;
            }
        }
        control.put_blob(table, &code.sha256, &sort, chunk).await?;
    }
    Ok(code)
}

/// Returns the deployment package of a hash, in lower-case hexadecimal.
///
/// Errors: [`CodeError`].
pub async fn load_code<S: Store>(control: &Control<S>, sha256: &str) -> Result<Bytes, CodeError> {
    let mut package = BytesMut::new();
    for number in 0.. {
        let table = SystemTable::FunctionCode;
        let chunk = control.blob(table, sha256, &chunk_sort(number)).await?;
        let Some(chunk) = chunk else {
            break;
        };
        package.extend_from_slice(&chunk);
        if chunk.len() < CHUNK_BYTES {
            break;
        }
    }
    let package = package.freeze();
    if hash_of(&package) == sha256 {
        Ok(package)
    } else if package.len().is_multiple_of(CHUNK_BYTES) {
        // It ends where a chunk ends: the next one may be on its way.
        Err(CodeError::Absent(sha256.to_owned()))
    } else {
        Err(CodeError::Damaged(sha256.to_owned()))
    }
}

/// Removes code that no function of any region has, as far as this region knows.
///
/// It is called for code that has just lost its last function. Where another region gives the
/// very same code to a function before either hears of the other, the removal may win; that
/// function's instances then say that their code is absent, until it is deployed again.
///
/// Errors: those of the tables.
pub async fn drop_code<S: Store>(control: &Control<S>, code: &CodeRef) -> Result<(), ControlError> {
    if is_used(control, code) {
        return Ok(());
    }
    let tables = control.tables();
    let Some(table) = tables.table(SystemTable::FunctionCode.id()) else {
        return Ok(());
    };
    let chunks = usize::try_from(code.bytes).unwrap_or(usize::MAX);
    for number in 0..chunks.div_ceil(CHUNK_BYTES).max(1) {
        let write = Write {
            table: Arc::clone(&table),
            key: Key {
                partition: KeyValue::from(code.sha256.as_str()),
                sort: Some(KeyValue::from(chunk_sort(number).as_str())),
            },
            decide: Box::new(|_: &_| Ok(Effect::Delete)),
        };
        tables.write(write).await.map_err(ControlError::Write)?;
    }
    Ok(())
}

/// Returns whether a function of any region has this code.
fn is_used<S: Store>(control: &Control<S>, code: &CodeRef) -> bool {
    let functions = control.all::<Function>();
    functions.iter().any(|function| function.code == *code)
}

fn chunk_sort(number: usize) -> String {
    format!("{number:08}")
}

fn hash_of(package: &[u8]) -> String {
    let hash = digest(&SHA256, package);
    let mut text = String::with_capacity(64);
    for byte in hash.as_ref() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
