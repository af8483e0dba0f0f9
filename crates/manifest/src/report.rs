//! Problems as text for a person: every mistake with file, line, column, source and fix.
//!
//! It prints nothing itself. The number of mistakes shown is bounded; the rest are counted.

use std::fmt::Write;

use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::limits::PROBLEMS_SHOWN_MAX;
use crate::problem::Problem;

/// How a report is dressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dress {
    /// Colours and box drawing, for a terminal.
    Colour,
    /// Box drawing alone: `NO_COLOR`, or not a terminal.
    Plain,
}

/// Writes the problems, errors first, each kind in the order of the file.
///
/// Shape: at most [`PROBLEMS_SHOWN_MAX`] problems, then one line that counts all of them.
pub fn render(problems: &[Problem], dress: Dress) -> String {
    let theme = match dress {
        Dress::Colour => GraphicalTheme::unicode(),
        Dress::Plain => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(WIDTH)
        .with_links(false);
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|problem| (!problem.is_error(), problem.span().start));

    let mut text = String::new();
    for problem in sorted.iter().take(PROBLEMS_SHOWN_MAX) {
        if handler.render_report(&mut text, *problem).is_err() {
            text.push_str(problem.message());
        }
        text.push('\n');
    }
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let hints = problems.len() - errors;
    if problems.len() > PROBLEMS_SHOWN_MAX {
        let left = problems.len() - PROBLEMS_SHOWN_MAX;
        _ = writeln!(text, "{left} more are not shown.");
    }
    if !problems.is_empty() {
        _ = writeln!(
            text,
            "{}, {}",
            count(errors, "mistake"),
            count(hints, "hint")
        );
    }
    text
}

fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}

/// Columns that a report may take.
const WIDTH: usize = 100;

#[cfg(test)]
mod tests;
