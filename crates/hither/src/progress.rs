//! How far something has come: bars on standard error, where that is a terminal.
//!
//! What is said in lines goes to standard output, around the bars.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use deploy::execute::{Event, State};

/// The bars that are shown.
pub(crate) struct Progress {
    bars: MultiProgress,
    lines: Lines,
}

/// Whether sentences are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    /// On standard output.
    Shown,
    /// Not at all: standard output is for a machine.
    Hidden,
}

impl Progress {
    /// Shows bars where there is a terminal and somebody reads.
    pub(crate) fn new(lines: Lines) -> Self {
        let target = if lines == Lines::Shown && std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            bars: MultiProgress::with_draw_target(target),
            lines,
        }
    }

    /// Prints a line.
    pub(crate) fn line(&self, text: &str) {
        if self.lines == Lines::Shown {
            self.bars.suspend(|| println!("{text}"));
        }
    }

    /// Shows that something takes a while; the bar ends when it is dropped.
    pub(crate) fn waits(&self, text: &str) -> Bar {
        self.show(ProgressBar::new_spinner(), SPINNER, text)
    }

    /// Shows how many of `all` are done; the bar ends when it is dropped.
    pub(crate) fn counts(&self, text: &str, all: usize) -> Bar {
        self.show(ProgressBar::new(as_u64(all)), COUNTER, text)
    }

    /// Prints a deployment's calls, and shows how far it has come.
    pub(crate) fn deployment(&self) -> Deployment<'_> {
        Deployment {
            progress: self,
            bar: None,
        }
    }

    fn show(&self, bar: ProgressBar, template: &str, text: &str) -> Bar {
        let style = ProgressStyle::with_template(template).expect("the template is a constant");
        // Added first: a bar that is not yet one of several draws by itself.
        let bar = self.bars.add(bar.with_style(style));
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Bar(bar)
    }
}

/// A running bar.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn says(&self, text: String) {
        self.0.set_message(text);
    }

    /// So many are done.
    pub(crate) fn reached(&self, done: usize) {
        self.0.set_position(as_u64(done));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A deployment on its way.
pub(crate) struct Deployment<'p> {
    progress: &'p Progress,
    bar: Option<Bar>,
}

impl Deployment<'_> {
    /// Tells of a call as the command that would make it, and of a failure.
    pub(crate) fn tell(&mut self, event: &Event) {
        let Event {
            step,
            region,
            resource,
            state,
            task,
            tasks,
        } = event;
        let all = *tasks;
        let bar = self
            .bar
            .get_or_insert_with(|| self.progress.counts("", all));
        bar.reached(*task);
        bar.says(format!("{region}: {resource}"));
        let number = step.number();
        match state {
            State::Calling(command) => {
                self.progress
                    .line(&format!("  {number}. {region}  {command}"));
            }
            State::Waiting(_) | State::Settled(_) => {}
            State::Failed(why) => self.progress.bars.suspend(|| {
                eprintln!("  {number}. {region}  {resource}: {why}");
            }),
        }
    }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

const SPINNER: &str = "  {spinner} {msg}";

const COUNTER: &str = "  [{bar:24}] {pos}/{len}  {msg}";
