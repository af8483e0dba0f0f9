//! API Gateway v2's REST-JSON shapes over control's resources.
//!
//! It serves no gateway request.

pub mod facade;

mod operation;
mod unserved;

mod apis;
mod deployments;
mod domains;
mod integrations;
mod mappings;
mod routes;
mod stages;
mod tags;

mod answer;
mod fault;
mod ids;
mod limits;
mod members;
