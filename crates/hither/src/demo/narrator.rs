//! What the demo says while it runs: sentences on stdout, progress on a terminal's stderr.
//!
//! With `--json` it says nothing; the report says it all.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use deploy::execute::{Event, State};

/// Says what happens.
pub(crate) struct Narrator {
    quiet: bool,
    bars: bool,
}

impl Narrator {
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            quiet,
            bars: !quiet && std::io::stderr().is_terminal(),
        }
    }

    pub(crate) fn heading(&self, text: &str) {
        if !self.quiet {
            println!("\n{text}\n");
        }
    }

    pub(crate) fn line(&self, text: &str) {
        if !self.quiet {
            println!("  {text}");
        }
    }

    /// Tells of a call as the command that would make it.
    pub(crate) fn event(&self, event: Event) {
        let Event {
            step,
            region,
            resource,
            state,
        } = event;
        match state {
            State::Calling(command) => {
                self.line(&format!("{}. [{region}] {command}", step.number()));
            }
            State::Waiting(_) | State::Settled(_) => {}
            State::Failed(why) => eprintln!("  {}. [{region}] {resource}: {why}", step.number()),
        }
    }

    /// Shows that something takes a while; the returned bar ends when it is dropped.
    pub(crate) fn waits(&self, text: &str) -> Bar {
        let bar = ProgressBar::new_spinner();
        if !self.bars {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.set_style(ProgressStyle::default_spinner());
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Bar(bar)
    }
}

/// A running progress bar.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn says(&self, text: String) {
        self.0.set_message(text);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
