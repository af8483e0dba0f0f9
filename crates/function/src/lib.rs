//! Function processes, their pools and the Lambda Runtime API they call.
//!
//! It is no sandbox for hostile code.
