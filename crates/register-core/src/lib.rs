//! An item's replicated register: one chain of editions that three voters agree on.
//!
//! It opens no socket, reads no clock and writes no file: a [`register::Register`] is driven by
//! `handle_*` and says through `poll_output` and `poll_timeout` what to do. It knows no tables and
//! no expressions: values are bytes, and a [`register::Write`] says what follows which. It is not
//! the log that regions ship to each other without waiting; that is `replica-core`.
//!
//! ```text
//! edition 0 ─► edition 1 ─► … ─► edition n ─► edition n+1: promised, voted on, chosen
//! nothing      chosen              chosen       by two of three voters
//! ```

pub mod edition;
pub mod limits;
pub mod members;
pub mod message;
pub mod planted;
pub mod register;
pub mod voter;
