//! From text to a manifest, with every mistake on the way.
//!
//! Pure: it opens no file. A syntax error costs only the values around it, so that one run
//! reports what is wrong everywhere.
//! Source: TOML 1.1.

mod clients;
mod domains;
mod functions;
mod nearest;
mod project;
mod regions;
mod route;
mod section;
mod tables;
mod value;

use std::cell::RefCell;
use std::ops::Range;

use base::region::RegionName;
use toml::de::DeTable;

use crate::limits::FILE_BYTES_MAX;
use crate::model::{Function, Manifest, Region};
use crate::parse::section::Section;
use crate::problem::{Code, Problem, Source};

/// Reads a manifest; `name` is what problems call the file.
///
/// Shape: a manifest unless one of the problems is an error; hints come with a manifest.
pub fn parse(text: &str, name: &str) -> (Option<Manifest>, Vec<Problem>) {
    let (draft, problems) = draft(text, name);
    let refused = problems.iter().any(Problem::is_error);
    (draft.filter(|_| !refused), problems)
}

/// Reads as much of a manifest as can be understood, so that the rest of its mistakes can be
/// told with those of the text. It is for checks alone: what was wrong is left out of it.
///
/// Shape: `None` for what is no TOML, or has no project.
pub fn draft(text: &str, name: &str) -> (Option<Manifest>, Vec<Problem>) {
    let ctx = Ctx::new(text, name);
    if text.len() > FILE_BYTES_MAX.as_len() {
        let message = format!("the file is larger than {FILE_BYTES_MAX}");
        ctx.problem(Code::TooMany, 0..0, message, "larger than any manifest", "");
        return (None, ctx.problems.into_inner());
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let whole = document.span();
    let root = Section::of_table(&ctx, "", whole, document.get_ref(), &SECTIONS);
    let draft = read(&ctx, &root);
    ctx.syntax(&errors);
    let problems = ctx.problems.into_inner();
    let is_toml = problems
        .iter()
        .all(|problem| problem.code() != Code::Syntax);
    (draft.filter(|_| is_toml), problems)
}

fn read(ctx: &Ctx, root: &Section<'_>) -> Option<Manifest> {
    let project = project::read(root);
    let regions = regions::read(root);
    let tables = tables::read(root, &regions);
    let functions = functions::read(root);
    let domains = domains::read(root, &functions);
    let clients = clients::read(root, &regions);
    Some(Manifest {
        source: ctx.source.clone(),
        project: project?,
        regions,
        tables,
        functions: functions.into_iter().filter_map(|f| f.read).collect(),
        domains,
        clients,
    })
}

/// A function by name, also one whose own values are wrong: a route to it is not.
struct NamedFunction {
    name: String,
    read: Option<Function>,
}

/// Where problems are collected while a file is read.
struct Ctx {
    source: Source,
    problems: RefCell<Vec<Problem>>,
}

impl Ctx {
    fn new(text: &str, name: &str) -> Self {
        Self {
            source: Source::new(name, text),
            problems: RefCell::new(Vec::new()),
        }
    }

    fn push(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    fn start(&self, code: Code, span: Range<usize>, message: String) -> Problem {
        Problem::new(&self.source, code, span, message)
    }

    fn problem(&self, code: Code, span: Range<usize>, message: String, label: &str, fix: &str) {
        self.push(self.start(code, span, message).label(label).fix(fix));
    }

    /// Reports syntax errors, and withdraws what follows from them alone.
    ///
    /// A key may seem missing only because its line is broken. An inline table that is not
    /// closed swallows the lines below it: of such a run of errors the first is reported.
    fn syntax(&self, errors: &[toml::de::Error]) {
        let text = self.source.text();
        let mut last_line = None;
        let mut swallowed_from = text.len();
        for error in errors {
            let span = error.span().unwrap_or_default();
            let span = span.start.min(text.len())..span.end.min(text.len());
            if error.message() == "duplicate key" {
                let key = text.get(span.clone()).unwrap_or_default();
                let message = format!("`{key}` is given twice");
                let fix = "keep one of the two, and merge what they say";
                self.problem(Code::DuplicateKey, span, message, "given again", fix);
                continue;
            }
            if ["inline table", "unclosed"]
                .iter()
                .any(|sign| error.message().contains(sign))
            {
                swallowed_from = swallowed_from.min(span.start);
            }
            let before = text.get(..span.start).unwrap_or_default();
            let line = before.matches('\n').count();
            let follows = last_line.is_some_and(|last| line <= last + 1);
            last_line = Some(line);
            if !follows {
                let message = format!("not TOML: {}", error.message());
                self.problem(Code::Syntax, span, message, "here", "see https://toml.io");
            }
        }
        if last_line.is_some() {
            self.problems.borrow_mut().retain(|problem| {
                let code = problem.code();
                let syntax = [Code::Syntax, Code::DuplicateKey].contains(&code);
                let missing = [Code::MissingKey, Code::NoHealth].contains(&code);
                syntax || (!missing && problem.span().end < swallowed_from)
            });
        }
    }

    /// Reports a region that is not configured.
    fn unknown_region(&self, span: Range<usize>, name: &str, regions: &[Region]) {
        let names: Vec<&str> = regions.iter().map(|region| region.name.as_str()).collect();
        let fix = nearest::fix(name, &names, "regions");
        let message = format!("there is no region `{name}`");
        self.problem(Code::UnknownRegion, span, message, "not in [regions]", &fix);
    }
}

fn find_region(regions: &[Region], name: &str) -> Option<RegionName> {
    let region = regions.iter().find(|r| r.name.as_str() == name)?;
    Some(region.name.clone())
}

const SECTIONS: [&str; 6] = [
    "project",
    "regions",
    "tables",
    "functions",
    "domains",
    "clients",
];

#[cfg(test)]
mod tests;
