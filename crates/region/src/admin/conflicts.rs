//! The calls of the conflict log: its races listed, one shown whole, a loser written again.
//!
//! It decides no race, and which races are kept is decided elsewhere.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::hlc::{Hlc, Version};
use item::key::{Key, KeySchema};
use store::port::Store;
use table::conflict::restore::{Over, RestoreError};
use table::conflict::{self, Conflict, RaceId};
use table::tables::ReadError;

use super::{Admin, Mode, answer, no_table};
use crate::limits::{CONFLICTS_LOOKED_AT, CONFLICTS_SHOWN};

/// Which races are asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    limit: usize,
    start: Option<Vec<u8>>,
    since: Option<Hlc>,
    key: Option<Key>,
    winner: Option<RegionId>,
    loser: Option<RegionId>,
}

impl<S: Store> Admin<S> {
    /// Returns whether a call may show and write items: where callers of the AWS APIs must sign,
    /// whoever has the project's key may, and no other.
    pub(super) fn may_see_items<B>(&self, request: &Request<B>) -> bool {
        self.mode == Mode::Development || self.is_proven(request)
    }

    /// Returns whether whoever calls has the project's key.
    pub(super) fn is_proven<B>(&self, request: &Request<B>) -> bool {
        let path = request.uri().path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        let call = (request.method(), path);
        self.proofs.has(self.clock.wall(), call, request.headers())
    }

    /// Answers with a page of a table's races: `limit` of them, from where the `next` of the page
    /// before said that this one starts; those alone of a `key`, `since` a stamp, of a `winner`'s
    /// and a `loser`'s region, where that is asked for.
    pub(super) async fn conflicts(
        &self,
        table: &str,
        query: &BTreeMap<String, String>,
    ) -> Response<Bytes> {
        let Some((id, schema)) = self.table(table) else {
            return no_table(table);
        };
        let asked = match asked(query, &schema) {
            Ok(asked) => asked,
            Err(text) => return answer(StatusCode::BAD_REQUEST, &json!({"message": text})),
        };
        match self.page(id, &asked).await {
            Ok((races, next)) => {
                let shown = races.iter().map(|race| self.show(race, &schema));
                let shown: Vec<Value> = shown.collect();
                let next = next.as_deref().map(token);
                let page = json!({
                    "table": table,
                    "region": self.sources.control.project().region.as_str(),
                    "conflicts": shown,
                    "next": next,
                });
                answer(StatusCode::OK, &page)
            }
            Err(error) => failed(&error),
        }
    }

    /// Reads races until as many are found as are asked for, or enough were looked at.
    async fn page(
        &self,
        id: TableId,
        asked: &Asked,
    ) -> Result<(Vec<Conflict>, Option<Bytes>), ReadError> {
        let tables = self.sources.control.tables();
        let since = asked.since.map(conflict::start_at);
        let mut start: Option<Bytes> = asked.start.clone().max(since).map(Bytes::from);
        let (mut found, mut looked_at) = (Vec::new(), 0);
        loop {
            let limit = asked.limit - found.len();
            let page = tables.conflicts_page(id, start.as_deref(), limit).await?;
            looked_at += page.conflicts.len();
            let races = page.conflicts.into_iter();
            found.extend(races.filter(|race| asked.admits(race)));
            start = page.next;
            if start.is_none() || asked.limit <= found.len() || CONFLICTS_LOOKED_AT <= looked_at {
                return Ok((found, start));
            }
        }
    }

    /// Answers with one race, and whether the item is still as its winner left it.
    pub(super) async fn conflict(
        &self,
        table: &str,
        query: &BTreeMap<String, String>,
    ) -> Response<Bytes> {
        let Some((id, schema)) = self.table(table) else {
            return no_table(table);
        };
        let race = match race_id(query) {
            Ok(race) => race,
            Err(error) => return wrong(&error),
        };
        let tables = self.sources.control.tables();
        let found = match tables.conflict(id, race).await {
            Ok(Some(found)) => found,
            Ok(None) => return missing(&RestoreError::NoRace(race)),
            Err(error) => return failed(&error),
        };
        let mut shown = self.show(&found, &schema);
        shown["table"] = table.into();
        shown["seen_by"] = self.sources.control.project().region.as_str().into();
        if let Some(def) = tables.table(id) {
            match tables.is_winners(&def, &found).await {
                Ok(is_winners) => shown["is_winners"] = is_winners.into(),
                Err(error) => return failed(&error),
            }
        }
        answer(StatusCode::OK, &shown)
    }

    /// Writes a race's loser again, if the item is still the winner's, or with `force`.
    pub(super) async fn restore(
        &self,
        table: &str,
        query: &BTreeMap<String, String>,
    ) -> Response<Bytes> {
        let tables = self.sources.control.tables();
        let view = self.sources.control.table_named(table);
        let Some(def) = view.and_then(|view| tables.table(view.table.id())) else {
            return no_table(table);
        };
        let race = match race_id(query) {
            Ok(race) => race,
            Err(error) => return wrong(&error),
        };
        let over = match query.get("force").map(String::as_str) {
            Some("yes") => Over::Anything,
            Some(_) | None => Over::Winner,
        };
        match tables.restore_loser(def, race, over).await {
            Ok(written) => {
                let told = json!({
                    "table": table,
                    "id": race.to_string(),
                    "region": self.sources.control.project().region.as_str(),
                    "item": written.new.as_ref().map(shown_item),
                });
                answer(StatusCode::OK, &told)
            }
            Err(error @ RestoreError::NoRace(_)) => missing(&error),
            Err(error @ (RestoreError::Changed(_) | RestoreError::Forgotten(_))) => {
                answer(StatusCode::CONFLICT, &json!({"message": error.to_string()}))
            }
            Err(error @ (RestoreError::Write(_) | RestoreError::Read(_))) => failed(&error),
        }
    }

    fn show(&self, race: &Conflict, schema: &KeySchema) -> Value {
        let side = |version: Version, image: Option<&Bytes>| {
            json!({
                "region": self.name_of(version.origin),
                "stamp_micros": version.hlc.0,
                "item": image.map(shown_item),
            })
        };
        json!({
            "id": race.id().to_string(),
            "key": parsed(api_dynamodb::show::key(&race.key, schema)),
            "winner": side(race.winner, race.winner_image.as_ref()),
            "loser": side(race.loser, race.loser_image.as_ref()),
            "cause": cause(race),
            "restored_micros": race.restored.map(clock::time::WallTime::as_micros),
        })
    }
}

impl Asked {
    fn admits(&self, race: &Conflict) -> bool {
        let is = |asked: Option<RegionId>, found: Version| {
            asked.is_none_or(|region| region == found.origin)
        };
        is(self.winner, race.winner)
            && is(self.loser, race.loser)
            && self.key.as_ref().is_none_or(|key| *key == race.key)
    }
}

/// Reads what is asked for.
///
/// Errors: what is wrong with it, for whoever asks.
fn asked(query: &BTreeMap<String, String>, schema: &KeySchema) -> Result<Asked, String> {
    let bounds = || {
        format!("`limit` is a number from 1 to {CONFLICTS_SHOWN}, `start` another page's `next`")
    };
    let limit = match query.get("limit") {
        None => CONFLICTS_SHOWN,
        Some(limit) => limit.parse().map_err(|_| bounds())?,
    };
    if !(1..=CONFLICTS_SHOWN).contains(&limit) {
        return Err(bounds());
    }
    let start = query
        .get("start")
        .map(|token| start_of(token).ok_or_else(bounds));
    let since = query.get("since").map(|since| since.parse().map(Hlc));
    let since = since.transpose();
    let key = query.get("key").map(|key| {
        let key: Vec<u8> = percent_decode_str(key).collect();
        let wanted = || "`key` is the item's whole key, in DynamoDB's JSON".to_owned();
        api_dynamodb::show::parse_key(&key, schema).ok_or_else(wanted)
    });
    let region = |name: &str| {
        let named = query.get(name).map(|region| RegionName::parse(region));
        let region = named.transpose().map_err(|error| error.to_string())?;
        Ok::<_, String>(region.map(|region| region.id()))
    };
    Ok(Asked {
        limit,
        start: start.transpose()?,
        since: since.map_err(|_| "`since` is a stamp in microseconds since 1970".to_owned())?,
        key: key.transpose()?,
        winner: region("winner")?,
        loser: region("loser")?,
    })
}

/// Answers a call that shows or writes items, and whose caller proves nothing.
pub(super) fn refused() -> Response<Bytes> {
    let text = "callers of this region sign, and this call shows or writes items: prove that you \
                have the project's key: `--project-key FILE` of `hither`";
    answer(
        StatusCode::FORBIDDEN,
        &json!({"message": text, "code": "ProofRequired"}),
    )
}

fn race_id(query: &BTreeMap<String, String>) -> Result<RaceId, conflict::NoRaceId> {
    let id = query.get("id").map(String::as_str);
    id.unwrap_or_default().parse()
}

fn wrong(error: &dyn std::error::Error) -> Response<Bytes> {
    answer(
        StatusCode::BAD_REQUEST,
        &json!({"message": error.to_string()}),
    )
}

/// Says why the winner won: neither write had seen the other, so nothing but their versions counts.
fn cause(race: &Conflict) -> &'static str {
    if race.loser.hlc < race.winner.hlc {
        "later-stamp"
    } else {
        "equal-stamps-higher-region"
    }
}

fn shown_item(image: &Bytes) -> Value {
    parsed(api_dynamodb::show::item(image))
}

fn parsed(json: Option<Vec<u8>>) -> Value {
    json.and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or(Value::Null)
}

fn missing(error: &RestoreError) -> Response<Bytes> {
    answer(
        StatusCode::NOT_FOUND,
        &json!({"message": error.to_string()}),
    )
}

fn failed(error: &dyn std::error::Error) -> Response<Bytes> {
    let error = json!({"message": error.to_string()});
    answer(StatusCode::INTERNAL_SERVER_ERROR, &error)
}

/// Writes where a page starts, as two hexadecimal digits a byte.
fn token(start: &[u8]) -> String {
    let mut token = String::with_capacity(2 * start.len());
    for byte in start {
        for digit in [byte >> 4, byte & 0xf] {
            token.extend(char::from_digit(digit.into(), 16));
        }
    }
    token
}

/// Reads what [`token`] wrote.
fn start_of(token: &str) -> Option<Vec<u8>> {
    let digits = |at| token.get(at..at + 2);
    if !token.len().is_multiple_of(2) || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..token.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits(at)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests;
