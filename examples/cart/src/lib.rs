//! A shopping cart behind an HTTP API: an ordinary Lambda function.
//!
//! It knows nothing of Hither: the public Lambda runtime, the AWS SDK and one table are all it
//! uses, so it runs unchanged on AWS.

pub mod app;
pub mod reply;
pub mod request;

pub use app::run;
