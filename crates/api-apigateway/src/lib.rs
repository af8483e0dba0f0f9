//! API Gateway v2's REST-JSON shapes over control's resources.
//!
//! It serves no gateway request.
