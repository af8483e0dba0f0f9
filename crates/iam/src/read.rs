//! Documents: from JSON to statements, with every mistake at its place.
//!
//! It evaluates nothing. A statement with something that is not known is kept, undecided, for
//! those that were stored by another build; whoever uploads is refused.
//! Source: IAM user guide, "Grammar of the IAM JSON policy language".

mod conditions;

use std::collections::BTreeSet;

use crate::action::ActionPattern;
use crate::arn::ArnPattern;
use crate::json::{self, Node};
use crate::kind::Kind;
use crate::limits::MISTAKES_MAX;
use crate::mistake::{Mistake, Problem};
use crate::policy::{Effect, Listed, Statement};
use crate::principal::{PrincipalPattern, Principals};
use crate::template::Variables;

/// What was read in a document.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The statements that could be read at least in part.
    pub(crate) statements: Vec<Statement>,
    /// What is wrong.
    pub(crate) mistakes: Vec<Mistake>,
    /// Whether nothing is wrong but what another build may know.
    pub(crate) is_whole: bool,
}

/// Reads a document.
pub(crate) fn read(text: &str, kind: Kind) -> Reading {
    let mut reader = Reader {
        kind,
        variables: Variables::Literal,
        mistakes: Vec::new(),
        is_whole: true,
    };
    let (length, most) = (kind.length(text), kind.chars_max());
    if most < length {
        reader.tell(String::new(), Problem::TooLong { length, most });
    }
    let strange = |letter: &char| !matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if let Some(letter) = text.chars().find(strange) {
        reader.tell(String::new(), Problem::Character(u32::from(letter)));
    }
    let statements = match json::read(text) {
        Ok(node) => reader.document(&node),
        Err(problem) => {
            reader.tell(String::new(), problem);
            Vec::new()
        }
    };
    Reading {
        statements,
        mistakes: reader.mistakes,
        is_whole: reader.is_whole,
    }
}

pub(crate) struct Reader {
    kind: Kind,
    variables: Variables,
    mistakes: Vec<Mistake>,
    is_whole: bool,
}

/// The members of a map, each at most once.
type Members<'n> = Vec<(&'n str, &'n Node)>;

impl Reader {
    /// Notes a mistake that no build would let pass.
    fn tell(&mut self, place: String, problem: Problem) {
        self.is_whole = false;
        self.tell_newer(place, problem);
    }

    /// Notes something that another build may know.
    fn tell_newer(&mut self, place: String, problem: Problem) {
        if self.mistakes.len() < MISTAKES_MAX {
            self.mistakes.push(Mistake { place, problem });
        }
    }

    fn members<'n>(&mut self, node: &'n Node, place: &str) -> Option<Members<'n>> {
        let Node::Map(map) = node else {
            self.tell(place.to_owned(), Problem::Wanted("an object"));
            return None;
        };
        let mut names = BTreeSet::new();
        let mut members = Vec::with_capacity(map.len());
        for (name, node) in map {
            if names.insert(name.as_str()) {
                members.push((name.as_str(), node));
            } else {
                self.tell(place.to_owned(), Problem::Twice(name.clone()));
            }
        }
        Some(members)
    }

    fn document(&mut self, node: &Node) -> Vec<Statement> {
        let Some(members) = self.members(node, "") else {
            return Vec::new();
        };
        let mut written = None;
        let mut is_undecided = false;
        for (name, node) in &members {
            match *name {
                "Version" => {
                    if **node == Node::Text("2012-10-17".to_owned()) {
                        self.variables = Variables::Replaced;
                    } else if **node != Node::Text("2008-10-17".to_owned()) {
                        self.tell("Version".to_owned(), Problem::Version);
                    }
                }
                "Id" => {
                    if !matches!(node, Node::Text(_)) {
                        self.tell("Id".to_owned(), Problem::Wanted("a string"));
                    }
                }
                "Statement" => written = Some(*node),
                other => {
                    is_undecided = true;
                    self.tell_newer(String::new(), Problem::Unknown(other.to_owned()));
                }
            }
        }
        let mut statements = match written {
            None => {
                self.tell(String::new(), Problem::Missing("Statement"));
                Vec::new()
            }
            Some(Node::List(list)) => {
                if list.is_empty() {
                    self.tell("Statement".to_owned(), Problem::Empty("Statement"));
                }
                let each = list.iter().enumerate();
                each.filter_map(|(at, node)| self.statement(node, &format!("Statement[{at}]")))
                    .collect()
            }
            Some(node) => self.statement(node, "Statement").into_iter().collect(),
        };
        self.check_sids(&statements);
        if is_undecided {
            for statement in &mut statements {
                statement.is_undecided = true;
            }
        }
        statements
    }

    fn check_sids(&mut self, statements: &[Statement]) {
        let mut seen = BTreeSet::new();
        for statement in statements {
            let sid = statement.sid.as_deref().filter(|sid| !sid.is_empty());
            if let Some(sid) = sid
                && !seen.insert(sid)
            {
                self.tell("Statement".to_owned(), Problem::SameSid);
            }
        }
    }

    fn statement(&mut self, node: &Node, place: &str) -> Option<Statement> {
        let members = self.members(node, place)?;
        let mut statement = Statement {
            sid: None,
            effect: Effect::Deny,
            principals: None,
            actions: Listed::default(),
            resources: Listed::default(),
            conditions: Box::default(),
            is_undecided: false,
        };
        let mut seen = BTreeSet::new();
        for (name, node) in members {
            seen.insert(name);
            let at = format!("{place}.{name}");
            match name {
                "Sid" => statement.sid = self.sid(node, at),
                "Effect" => statement.effect = self.effect(node, at)?,
                "Principal" | "NotPrincipal" => {
                    statement.principals = self.principals(node, &at, name == "NotPrincipal");
                }
                "Action" | "NotAction" => {
                    statement.actions = Listed {
                        negated: name == "NotAction",
                        patterns: self.actions(node, &at),
                    };
                }
                "Resource" | "NotResource" => {
                    statement.resources = Listed {
                        negated: name == "NotResource",
                        patterns: self.resources(node, &at),
                    };
                }
                "Condition" => {
                    let (conditions, is_undecided) = self.conditions(node, &at);
                    statement.conditions = conditions.into();
                    statement.is_undecided |= is_undecided;
                }
                other => {
                    statement.is_undecided = true;
                    self.tell_newer(place.to_owned(), Problem::Unknown(other.to_owned()));
                }
            }
        }
        self.check_members(&seen, &statement, place);
        Some(statement)
    }

    /// Checks that what belongs into a statement is there, once.
    fn check_members(&mut self, seen: &BTreeSet<&str>, statement: &Statement, place: &str) {
        let mut tell = |problem| self.tell(place.to_owned(), problem);
        if !seen.contains("Effect") {
            tell(Problem::Missing("Effect"));
        }
        for (is, is_not, none) in [
            ("Action", "NotAction", Problem::NoActions),
            ("Resource", "NotResource", Problem::NoResources),
        ] {
            match (seen.contains(is), seen.contains(is_not)) {
                (true, true) => tell(Problem::Both(is, is_not)),
                (false, false) => tell(none),
                (true, false) | (false, true) => {}
            }
        }
        let names = ["Principal", "NotPrincipal"].map(|name| seen.contains(name));
        match (self.kind.names_principals(), names) {
            (true, [false, true]) if statement.effect == Effect::Allow => {
                self.tell(place.to_owned(), Problem::AllowNotPrincipal);
            }
            (false, [false, false]) | (true, [true, false] | [false, true]) => {}
            (false, [true, _] | [_, true]) => {
                self.tell(place.to_owned(), Problem::PrincipalNotAllowed);
            }
            (true, [true, true]) => {
                let problem = Problem::Both("Principal", "NotPrincipal");
                self.tell(place.to_owned(), problem);
            }
            (true, [false, false]) => self.tell(place.to_owned(), Problem::PrincipalMissing),
        }
    }

    fn sid(&mut self, node: &Node, at: String) -> Option<Box<str>> {
        let Node::Text(text) = node else {
            self.tell(at, Problem::Wanted("a string"));
            return None;
        };
        // Resources' policies may have spaces and signs in it.
        let is_free = self.kind.names_principals();
        if !is_free && !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            self.tell(at, Problem::Sid);
        }
        Some(text.as_str().into())
    }

    /// Returns the effect; `None` for neither, and the statement is given up.
    fn effect(&mut self, node: &Node, at: String) -> Option<Effect> {
        match node {
            Node::Text(text) if text.eq_ignore_ascii_case("Allow") => Some(Effect::Allow),
            Node::Text(text) if text.eq_ignore_ascii_case("Deny") => Some(Effect::Deny),
            Node::Text(text) => {
                self.tell(at, Problem::Effect(text.clone()));
                None
            }
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::List(_) | Node::Map(_) => {
                self.tell(at, Problem::Wanted("a string"));
                None
            }
        }
    }

    fn actions(&mut self, node: &Node, at: &str) -> Box<[ActionPattern]> {
        let none = Problem::NoActions;
        self.each(node, at, none, |_, text| ActionPattern::parse(text))
    }

    fn resources(&mut self, node: &Node, at: &str) -> Box<[ArnPattern]> {
        self.each(node, at, Problem::NoResources, |reader, text| {
            ArnPattern::parse_resource(text, reader.variables)
        })
    }

    fn principals(&mut self, node: &Node, at: &str, negated: bool) -> Option<Principals> {
        if let Node::Text(text) = node {
            if text != "*" {
                self.tell(at.to_owned(), Problem::Principal(text.clone()));
            }
            let patterns = Box::new([PrincipalPattern::Everybody]);
            return Some(Principals { negated, patterns });
        }
        let mut patterns = Vec::new();
        let members = self.members(node, at)?;
        if members.is_empty() {
            self.tell(at.to_owned(), Problem::Empty("Principal"));
        }
        for (name, node) in members {
            let place = format!("{at}.{name}");
            let parse: fn(&Self, &str) -> Result<PrincipalPattern, Problem> = match name {
                "AWS" => |_, text| PrincipalPattern::parse_aws(text),
                "Service" => |_, text| PrincipalPattern::parse_service(text),
                "Federated" | "CanonicalUser" => |_, _| Ok(PrincipalPattern::Foreign),
                other => {
                    self.tell(at.to_owned(), Problem::Unknown(other.to_owned()));
                    continue;
                }
            };
            patterns.extend(self.each(node, &place, Problem::Empty("Principal"), parse));
        }
        let patterns = patterns.into();
        Some(Principals { negated, patterns })
    }

    /// Reads a string or a list of strings; `none` is what is wrong with an empty list.
    fn each<T>(
        &mut self,
        node: &Node,
        at: &str,
        none: Problem,
        parse: impl Fn(&Self, &str) -> Result<T, Problem>,
    ) -> Box<[T]> {
        let (list, is_list) = node.items();
        if list.is_empty() {
            self.tell(at.to_owned(), none);
        }
        let mut found = Vec::with_capacity(list.len());
        for (index, node) in list.iter().enumerate() {
            let parsed = match node {
                Node::Text(text) => parse(self, text),
                Node::Null | Node::Bool(_) | Node::Number(_) | Node::List(_) | Node::Map(_) => {
                    Err(Problem::Wanted("a string"))
                }
            };
            match parsed {
                Ok(parsed) => found.push(parsed),
                Err(problem) if is_list => self.tell(format!("{at}[{index}]"), problem),
                Err(problem) => self.tell(at.to_owned(), problem),
            }
        }
        found.into()
    }
}
