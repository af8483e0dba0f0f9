//! IAM's wire shapes over users, keys and policies.
//!
//! It stores nothing itself and authenticates nobody. Source: IAM service model 2010-05-08.

pub mod facade;

mod need;

mod form;

mod fault;

mod show;

mod users;

mod keys;

mod policies;

mod inline;

mod attached;

mod tags;

mod simulate;

mod unserved;
