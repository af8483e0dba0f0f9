//! Every shared resource as an item of a system table, and snapshots of them.
//!
//! It serves no request itself.
