//! ARNs of requests, and the patterns of policies: compared part by part.
//!
//! It builds none, and knows no service's resources.
//! Source: IAM user guide, "IAM JSON policy elements: Resource", "IAM JSON policy elements:
//! Condition operators" (ARN operators).

use crate::context::Context;
use crate::mistake::Problem;
use crate::template::{self, Match, Part, Template, Variables, Wildcards};

/// What a request is about: an ARN in its six parts, or `*` where an action has no resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    whole: &'a str,
    parts: Option<[&'a str; PARTS]>,
}

/// A pattern of a policy.
#[derive(Clone, Debug)]
pub(crate) enum ArnPattern {
    /// `*`
    Any,
    /// One ARN.
    Exact(Box<str>),
    /// Six parts, each compared by itself: a `*` does not reach over a colon, except in the last
    /// one, which has the colons of the resource in it.
    Parts(Box<[Template; PARTS]>),
    /// Where a variable stands for several parts at once: compared as a text.
    Whole(Template),
}

/// `arn`, partition, service, region, account, resource.
const PARTS: usize = 6;

impl<'a> Target<'a> {
    pub(crate) fn of(whole: &'a str) -> Self {
        let mut split = whole.splitn(PARTS, ':');
        let parts: Option<Vec<&str>> = (0..PARTS).map(|_| split.next()).collect();
        let parts = parts.and_then(|parts| <[&str; PARTS]>::try_from(parts).ok());
        let parts = parts.filter(|parts| parts.first() == Some(&"arn"));
        Self { whole, parts }
    }

    pub(crate) fn is_arn(&self) -> bool {
        self.parts.is_some()
    }
}

impl ArnPattern {
    /// Reads a value of `Resource`.
    ///
    /// Errors: what AWS says of one that is no ARN, and of variables before its last part.
    pub(crate) fn parse_resource(text: &str, variables: Variables) -> Result<Self, Problem> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let refused = || Problem::Resource(text.to_owned());
        if !text.starts_with("arn:") {
            return Err(refused());
        }
        let mut parts = split(&read(text, variables)?);
        let has_variable = |parts: &[Part]| {
            parts
                .iter()
                .any(|part| matches!(part, Part::Variable { .. }))
        };
        if parts.iter().take(PARTS - 1).any(|part| has_variable(part)) {
            return Err(Problem::VariablePlace(text.to_owned()));
        }
        check_head(text, &parts)?;
        // AWS completes what is left out by wildcards.
        parts.resize(PARTS, vec![Part::Many]);
        Self::of_parts(text, parts).ok_or_else(refused)
    }

    /// Reads a value of an ARN operator; `None` for what can be no ARN.
    ///
    /// Errors: a variable that cannot be read.
    pub(crate) fn parse_value(text: &str, variables: Variables) -> Result<Option<Self>, Problem> {
        if text == "*" {
            return Ok(Some(Self::Any));
        }
        let parts = read(text, variables)?;
        let has_variables = parts
            .iter()
            .any(|part| matches!(part, Part::Variable { .. }));
        let split = split(&parts);
        if split.len() < PARTS && has_variables {
            return Ok(Some(Self::Whole(Template::of(parts))));
        }
        Ok(Self::of_parts(text, split))
    }

    fn of_parts(text: &str, parts: Vec<Vec<Part>>) -> Option<Self> {
        let is_plain = |part: &Part| matches!(part, Part::Text(_));
        if !text.contains("${") && parts.len() == PARTS && parts.iter().flatten().all(is_plain) {
            return Some(Self::Exact(text.into()));
        }
        let parts: Vec<Template> = parts.into_iter().map(Template::of).collect();
        <[Template; PARTS]>::try_from(parts)
            .ok()
            .map(|parts| Self::Parts(Box::new(parts)))
    }

    /// Returns whether it has a variable of this key, in lower case.
    pub(crate) fn mentions(&self, key: &str) -> bool {
        match self {
            Self::Any | Self::Exact(_) => false,
            Self::Parts(parts) => parts.iter().any(|part| part.mentions(key)),
            Self::Whole(template) => template.mentions(key),
        }
    }

    /// Returns whether this stands for `target`.
    pub(crate) fn matches(&self, target: &Target<'_>, context: &Context<'_>) -> Match {
        match self {
            Self::Any => Match::Yes,
            Self::Exact(own) => Match::of(**own == *target.whole),
            Self::Whole(template) => template.matches(target.whole, context),
            Self::Parts(own) => {
                let Some(parts) = &target.parts else {
                    return Match::No;
                };
                let mut answer = Match::Yes;
                for (own, part) in own.iter().zip(parts) {
                    match own.matches(part, context) {
                        Match::Yes => {}
                        Match::Unknown => answer = Match::Unknown,
                        differs @ (Match::No | Match::Valueless) => return differs,
                    }
                }
                answer
            }
        }
    }
}

fn read(text: &str, variables: Variables) -> Result<Vec<Part>, Problem> {
    template::read(text, variables, Wildcards::Yes).map_err(|_| Problem::Variable(text.to_owned()))
}

/// Splits a text at its first five colons, those in variables left aside.
fn split(parts: &[Part]) -> Vec<Vec<Part>> {
    let mut split = vec![Vec::new()];
    for part in parts {
        let Part::Text(text) = part else {
            push(&mut split, part.clone());
            continue;
        };
        let mut rest = text.as_str();
        while split.len() < PARTS
            && let Some((head, tail)) = rest.split_once(':')
        {
            if !head.is_empty() {
                push(&mut split, Part::Text(head.to_owned()));
            }
            split.push(Vec::new());
            rest = tail;
        }
        if !rest.is_empty() {
            push(&mut split, Part::Text(rest.to_owned()));
        }
    }
    split
}

fn push(split: &mut [Vec<Part>], part: Part) {
    if let Some(last) = split.last_mut() {
        last.push(part);
    }
}

/// Checks the parts before the resource as IAM does.
fn check_head(text: &str, parts: &[Vec<Part>]) -> Result<(), Problem> {
    let is_wild = |parts: &[Part]| parts.iter().any(|part| !matches!(part, Part::Text(_)));
    let literal = |at: usize| match parts.get(at).map(Vec::as_slice) {
        Some([Part::Text(text)]) => Some(text.as_str()),
        Some(_) | None => None,
    };
    let partition = parts.get(1).map(Vec::as_slice).unwrap_or_default();
    if !is_wild(partition) && !literal(1).is_some_and(|name| name.starts_with("aws")) {
        return Err(Problem::Partition {
            partition: literal(1).unwrap_or_default().to_owned(),
            resource: text.to_owned(),
        });
    }
    match parts.get(2).map(Vec::as_slice) {
        Some(service) if is_wild(service) => return Err(Problem::ResourceVendor),
        Some(_) if literal(2).is_some() => {}
        Some(_) | None => return Err(Problem::Resource(text.to_owned())),
    }
    // A slash before the resource means that a part has been left out: nothing would ever match,
    // and a deny would be none.
    let head = parts.iter().take(PARTS - 1).flatten();
    let mut texts = head.filter_map(|part| match part {
        Part::Text(text) => Some(text),
        Part::One | Part::Many | Part::Variable { .. } => None,
    });
    if texts.any(|text| text.contains('/')) {
        return Err(Problem::Resource(text.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
