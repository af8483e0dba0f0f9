//! DynamoDB's dialect of PartiQL: a statement becomes a plan that a table can run.
//!
//! It knows no JSON, no request and no stored item; it reads and writes nothing.
//! Source: DynamoDB developer guide, "PartiQL - a SQL-compatible query language".
//!
//! ```text
//! text ── statement::parse ──► Statement ── plan::of(keys, parameters) ──► Plan
//!                              table(), index():                           │
//!                              the caller finds the keys                   ▼
//!                                    plan::check_call, plan::check_together: may it stand there?
//! ```
//!
//! | plan | how it runs |
//! |---|---|
//! | [`plan::Select`] | `reads` in their order; `filter` on each item; `list.of` what is kept |
//! | [`plan::Insert`] | put `item` if `condition` holds, else `DuplicateItemException` |
//! | [`plan::Update`] | apply `changes` if `condition` holds, which says that the item is there |
//! | [`plan::Delete`] | delete if `condition` holds, as it does of an item that is not there |
//! | [`plan::Check`] | the transaction is cancelled unless `condition` holds |
//!
//! Beyond DynamoDB Local, parameters may stand inside lists, maps and sets. Not supported, with
//! an error of its own, is what DynamoDB does not support: aliases, joins, aggregates, subqueries,
//! `LIMIT`, `LIKE`, `INSERT` of several items, `ON CONFLICT`.

pub mod error;
pub mod limits;
pub mod plan;
pub mod statement;

mod ast;
mod keywords;
mod lexer;
mod lower;
mod parse;
