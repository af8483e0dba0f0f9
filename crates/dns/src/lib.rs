//! UDP and TCP listeners around dns-core.
//!
//! It decides no answer.
