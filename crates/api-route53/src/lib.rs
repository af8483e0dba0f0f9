//! Route 53's REST-XML shapes over control's resources.
//!
//! It answers no DNS query.
