//! Certificate Manager's JSON shapes over control's resources.
//!
//! It signs no certificate.
