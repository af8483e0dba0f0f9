//! Policies from their text to the decision, as a facade uses them.

mod differential;
mod documents;
mod dynamodb;
mod evaluation;
mod operators;
mod world;
