//! Whole cores against each other: stories with exact bounds, and seeded rounds of faults.

mod rounds;
mod stories;
mod world;
