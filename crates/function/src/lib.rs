//! Function processes, their pools and the Lambda Runtime API they call.
//!
//! It is no sandbox for hostile code: a function runs as the user of the region's own process,
//! its memory size is told to it, not enforced, and any process of the machine can reach the
//! loopback port of its Runtime API. When the region's process is killed, functions lose their
//! Runtime API and end by themselves the next time they ask it for something.
//!
//! ```text
//! invoke ─► host ─► dispatch (pool: which instance?) ─► instance ─ GET …/next ─► bootstrap
//!    ▲                                                     │                        │
//!    └──────────── answer ◄── report, log ◄────────────────┴── POST …/response ◄────┘
//! ```

pub mod call;
pub mod code;
pub mod host;
pub mod interpreter;
pub mod limits;
pub mod log;
pub mod spec;

mod dispatch;
mod environment;
mod event;
mod instance;
mod locked;
mod pool;
mod report;
