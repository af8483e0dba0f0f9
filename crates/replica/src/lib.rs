//! Log tailing and region-to-region links around replica-core.
//!
//! It merges nothing itself.
