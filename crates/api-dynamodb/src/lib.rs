//! DynamoDB's wire shapes over tables.
//!
//! It stores nothing and decides no merge: expressions are `expr`'s, items are `table`'s, and
//! the definitions of tables are `control`'s. Source: DynamoDB service model 2012-08-10.

pub mod buckets;
pub mod coverage;
pub mod exports;
pub mod facade;
pub mod loading;
pub mod model;
pub mod records;
pub mod show;
pub mod throttle;

mod absent;
mod access;
mod backups;
mod batches;
mod bulk;
mod capacity;
mod catalog;
mod choices;
mod collections;
mod expressions;
mod fault;
pub mod faults;
mod global_tables;
mod imports;
mod indexes;
mod items;
mod legacy;
mod limits;
mod operations;
mod part;
mod partiql;
mod policies;
mod reads;
mod resolver;
mod settings;
mod streams;
mod tables;
mod tokens;
mod transactions;
mod wire;
