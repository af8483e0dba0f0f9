//! Route 53's REST-XML shapes over control's resources.
//!
//! It answers no DNS query and probes nothing: what it stores, DNS and the health plane work from.
//! A request's walk: [`operation`] names it, [`facade`] dispatches it to the module of its noun.

pub mod facade;
pub mod limits;
pub mod operation;

mod change_id;
mod changes;
mod check_xml;
mod checks;
mod cidr;
mod cidr_xml;
mod faults;
mod quotas;
mod record_xml;
mod records;
mod tags;
mod test_answer;
mod zones;
