//! `[project]`: the project's name and account, when writes count as done, and the cache.
//!
//! It says nothing of regions.

use base::name::AccountId;
use base::units::ByteCount;

use crate::model::{Durability, Project};
use crate::parse::section::{Entry, Section};
use crate::parse::value;
use crate::problem::Code;

pub(super) fn read(root: &Section<'_>) -> Option<Project> {
    let project = root
        .required("project", "[project] with name = \"shop\"")?
        .section(&["name", "account", "durability", "cache"], "[project]")?;
    let account = project
        .entry("account")
        .map_or(Some(AccountId::DEFAULT), |entry| account(&entry));
    let durability = project
        .entry("durability")
        .map_or(Some(Durability::Disk), |entry| durability(&entry));
    let cache = project.entry("cache").map_or(Some(CACHE_DEFAULT), |entry| {
        let mib = entry.mebibytes(CACHE_MIB, "cache = \"256 MiB\"");
        mib.map(ByteCount::mib)
    });
    let entry = project.required("name", "name = \"shop\"")?;
    let name = entry.text("name = \"shop\"")?.value;
    if !value::is_plain_name(name, NAME_CHARS_MAX) {
        let message = format!("`{name}` is no project name");
        let fix = "a project name is 1 to 64 characters of a-z, 0-9 and -, starting with a letter";
        entry.problem(Code::BadName, message, "not allowed", fix);
        return None;
    }
    Some(Project {
        name: name.to_owned(),
        account: account?,
        durability: durability?,
        cache: cache?,
    })
}

fn durability(entry: &Entry<'_>) -> Option<Durability> {
    let words = DURABILITIES.map(|(word, _)| word);
    let at = entry.word(&words, "durability = \"async\"")?;
    DURABILITIES.get(at).map(|(_, durability)| *durability)
}

fn account(entry: &Entry<'_>) -> Option<AccountId> {
    let text = entry.text("account = \"123456789012\"")?.value;
    let account = AccountId::parse(text);
    if account.is_none() {
        let message = format!("`{text}` is no account");
        let fix = "an account is twelve digits in quotes, such as \"123456789012\"";
        entry.problem(Code::BadAccount, message, "not twelve digits", fix);
    }
    account
}

const DURABILITIES: [(&str, Durability); 2] =
    [("disk", Durability::Disk), ("async", Durability::Async)];

/// What a region keeps of its items in memory unless told otherwise. 64 MiB: three regions fit on
/// a laptop, and what the cache lacks is in the operating system's memory as a rule.
const CACHE_DEFAULT: ByteCount = ByteCount::mib(64);

/// Least and largest cache, in MiB. 8 MiB: the upper levels of what is on disk. 1 TiB.
const CACHE_MIB: (u64, u64) = (8, 1024 * 1024);

/// Longest project name. 64 characters; it is part of the names of local files.
const NAME_CHARS_MAX: usize = 64;
