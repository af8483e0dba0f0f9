//! `INSERT`, `UPDATE`, `DELETE` and `EXISTS`: a plan becomes one conditional write.
//!
//! It decides nothing that a put, an update or a delete does not decide.
//! Source: DynamoDB developer guide, "PartiQL statements".

use std::sync::Arc;

use api_protocol::fault::Fault;
use expr::projection::Projection;
use item::key::Key;
use item::size::item_size;
use partiql::plan::{Plan, Returning};
use store::port::Store;
use table::write::{Decide, Write, Written};

use super::Prepared;
use crate::capacity::Side;
use crate::catalog::OpenTable;
use crate::choices::ReturnOnFailure;
use crate::facade::DynamoDb;
use crate::fault::{self, Refused};
use crate::indexes::{self, Writing};
use crate::items::{self, Intent};
use crate::transactions::cancelled::OnFailure;
use crate::transactions::run::Action;
use crate::wire::render;

/// A write, and what is answered of its item.
pub(super) struct Change {
    pub(super) given: String,
    pub(super) open: Arc<OpenTable>,
    key: Key,
    decide: Decide,
    on_failure: OnFailure,
    /// The bytes that it brings with it.
    bytes: usize,
    returns: Option<Returns>,
}

/// An image of an item, or a part of one.
struct Returns {
    is_new: bool,
    part: Option<Projection>,
}

impl Prepared {
    /// Returns what a plan writes.
    ///
    /// Errors: `ValidationException` for an item that cannot be stored.
    pub(super) fn change(self, on_failure: ReturnOnFailure) -> Result<Change, Fault> {
        let Self {
            given, open, plan, ..
        } = self;
        let schema = &open.def.schema;
        let condition = OnFailure::Condition(on_failure);
        let mut returns = None;
        let (key, bytes, on_failure, decide) = match plan {
            Plan::Insert(insert) => {
                items::check_size(&insert.item, items::TOO_LARGE)?;
                indexes::check_item(&open, &insert.item, Writing::Put)?;
                let bytes = item_size(&insert.item);
                let decide = items::decide(Intent::Put(insert.item), Some(insert.condition));
                (insert.key, bytes, OnFailure::Duplicate, decide)
            }
            Plan::Update(update) => {
                let key = update.key.to_item(schema);
                let bytes = item_size(&key);
                returns = update.returning.map(|returning| Returns {
                    is_new: matches!(returning, Returning::AllNew | Returning::ModifiedNew),
                    part: match returning {
                        Returning::AllNew | Returning::AllOld => None,
                        Returning::ModifiedNew | Returning::ModifiedOld => {
                            Some(update.changes.touched())
                        }
                    },
                });
                let update_of = Intent::Update {
                    update: update.changes,
                    key,
                    resolver: open.def.resolver,
                };
                let decide = items::decide(update_of, Some(update.condition));
                let decide = indexes::checked(&open, Writing::Update, decide);
                (update.key, bytes, condition, decide)
            }
            Plan::Delete(delete) => {
                returns = delete.returns_old.then_some(Returns {
                    is_new: false,
                    part: None,
                });
                let bytes = item_size(&delete.key.to_item(schema));
                let decide = items::decide(Intent::Delete, delete.condition);
                (delete.key, bytes, condition, decide)
            }
            Plan::Check(check) => {
                let bytes = item_size(&check.key.to_item(schema));
                let decide = items::decide(Intent::Check, Some(check.condition));
                (check.key, bytes, condition, decide)
            }
            // Callers read what a `SELECT` reads: nothing is written of it.
            Plan::Select(_) => {
                return Err(fault::validation("Read operations cannot be written"));
            }
        };
        Ok(Change {
            given,
            open,
            key,
            decide,
            on_failure,
            bytes,
            returns,
        })
    }
}

impl Change {
    /// Returns the item that it means.
    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    /// Returns it as an action of a transaction.
    pub(super) fn into_action(self) -> Action {
        Action {
            given: self.given,
            write: Write {
                table: Arc::clone(&self.open.def),
                key: self.key,
                decide: self.decide,
            },
            open: self.open,
            on_failure: self.on_failure,
            bytes: self.bytes,
        }
    }
}

impl<S: Store> DynamoDb<S> {
    /// Writes a change alone; returns what was written, and what is answered of it as JSON.
    pub(super) async fn write_change(
        &self,
        change: Change,
    ) -> Result<(Written, Option<Vec<u8>>), Refused> {
        let write = Write {
            table: Arc::clone(&change.open.def),
            decide: {
                let bounded = self.bounded(&change.open, &change.key, Side::Plain, change.decide);
                bounded.await?
            },
            key: change.key,
        };
        let written = match change.on_failure {
            OnFailure::Condition(on_failure) => self.write(write, on_failure).await?,
            OnFailure::Duplicate => {
                let written = self.write(write, ReturnOnFailure::None).await;
                written.map_err(|Refused(fault)| match &*fault.code {
                    "ConditionalCheckFailedException" => fault::duplicate_item().into(),
                    _ => Refused(fault),
                })?
            }
        };
        let returned = change.returns.map(|returns| returns.of(&written));
        Ok((written, returned.transpose()?.flatten()))
    }
}

impl Returns {
    /// Returns what is answered; `None` where the item has nothing of it.
    fn of(&self, written: &Written) -> Result<Option<Vec<u8>>, Refused> {
        let image = if self.is_new {
            &written.new
        } else {
            &written.old
        };
        let Some(image) = image else {
            return Ok(None);
        };
        let mut out = Vec::with_capacity(image.len() * 3 / 2);
        let has_any = match &self.part {
            None => {
                render::item(&mut out, image)?;
                true
            }
            Some(part) => render::projected(&mut out, image, part)?,
        };
        Ok(has_any.then_some(out))
    }
}
