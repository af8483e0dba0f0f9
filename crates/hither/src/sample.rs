//! The sample app: this binary, when it is started as the app's bootstrap.
//!
//! The app is a crate of its own that knows nothing of Hither; it is linked in so that one build
//! makes everything that the demo needs.

use std::process::ExitCode;

/// The argument by which the bootstrap asks for the app.
const ASK: &str = "sample-app";

/// Returns whether this process is to be the sample app.
pub(crate) fn is_asked_for() -> bool {
    std::env::args()
        .nth(1)
        .is_some_and(|argument| argument == ASK)
}

/// Runs the sample app until its region ends it.
pub(crate) fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| {
            runtime
                .block_on(cart::run())
                .map_err(|error| error.to_string())
        });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the text of a `bootstrap` that becomes the sample app, for as long as this process runs.
///
/// It names the process, not its file, in whose place a build may put another. Source:
/// proc_pid_exe(5).
pub(crate) fn bootstrap() -> String {
    format!("#!/bin/sh\nexec /proc/{}/exe {ASK}\n", std::process::id())
}
