//! CloudWatch's calls that read metrics, in each of its three protocols.
//!
//! It measures nothing: a region hands it its figures.

pub mod facade;

pub mod port;

mod answer;

mod data;

mod list;

mod metric;

mod request;

mod spread;

mod statistics;

mod limits;
