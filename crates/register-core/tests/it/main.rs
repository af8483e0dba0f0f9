//! Registers of three regions in a seeded world, judged by an oracle that knows no ballots.

mod chance;
mod oracle;
mod seeds;
mod world;
mod write;
