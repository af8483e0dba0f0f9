//! Policies, compiled: what a document allows and denies, ready to be asked.
//!
//! It weighs no policy against another: [`crate::decision`] does.
//! Source: IAM user guide, "IAM JSON policy element reference".

use crate::action::{Action, ActionPattern};
use crate::arn::{ArnPattern, Target};
use crate::condition::{Answer, Condition};
use crate::context::Context;
use crate::kind::Kind;
use crate::mistake::Mistakes;
use crate::principal::{Naming, Principal, Principals};
use crate::read;
use crate::template::Match;

/// A policy, ready to be asked.
#[derive(Clone, Debug)]
pub struct Policy {
    name: Box<str>,
    statements: Box<[Statement]>,
    /// Whether it denies everything, because it cannot be read.
    is_closed: bool,
}

/// What a statement does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies.
    Deny,
}

/// One statement.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) effect: Effect,
    /// Whom it is for, in a resource's policy.
    pub(crate) principals: Option<Principals>,
    pub(crate) actions: Listed<ActionPattern>,
    pub(crate) resources: Listed<ArnPattern>,
    pub(crate) conditions: Box<[Condition]>,
    /// Whether it has something that this build does not know.
    pub(crate) is_undecided: bool,
}

/// These, or all but these.
#[derive(Clone, Debug)]
pub(crate) struct Listed<P> {
    pub(crate) negated: bool,
    pub(crate) patterns: Box<[P]>,
}

impl<P> Default for Listed<P> {
    fn default() -> Self {
        Self {
            negated: false,
            patterns: Box::default(),
        }
    }
}

/// What policies are asked about one resource.
pub(crate) struct Question<'q> {
    pub(crate) principal: &'q Principal,
    pub(crate) action: &'q Action,
    pub(crate) target: Target<'q>,
    pub(crate) context: &'q Context<'q>,
}

/// What one policy says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Word {
    /// The first statement that denies; the place past the last where the whole policy does.
    pub(crate) deny: Option<usize>,
    /// The statement that allows and names who asks most closely, and how closely.
    pub(crate) allow: Option<(usize, Naming)>,
}

impl Policy {
    /// Reads and compiles a document that somebody wants to use.
    ///
    /// `name` is what decisions name it by: the policy's ARN, its name, or its resource's ARN.
    ///
    /// Errors: every mistake with its place.
    pub fn compile(name: &str, text: &str, kind: Kind) -> Result<Self, Mistakes> {
        let reading = read::read(text, kind);
        if !reading.mistakes.is_empty() {
            return Err(Mistakes::new(reading.mistakes));
        }
        Ok(Self {
            name: name.into(),
            statements: reading.statements.into(),
            is_closed: false,
        })
    }

    /// Compiles a document that has been stored, perhaps by a newer build.
    ///
    /// Where it has something that is not known, its statements allow nothing and deny what they
    /// could; where it cannot be read at all it denies everything.
    pub fn stored(name: &str, text: &str, kind: Kind) -> Self {
        let reading = read::read(text, kind);
        if !reading.is_whole {
            return Self::closed(name);
        }
        Self {
            name: name.into(),
            statements: reading.statements.into(),
            is_closed: false,
        }
    }

    /// Makes a policy that denies everything: for one that should be there, and is not.
    pub fn closed(name: &str) -> Self {
        Self {
            name: name.into(),
            statements: Box::default(),
            is_closed: true,
        }
    }

    /// Returns what decisions name it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether it denies everything because it cannot be read.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Returns whether any condition looks at `key`: what none looks at need not be filled in.
    /// Variables are looked at too. A key that ends with `/` stands for all that begin with it.
    pub fn mentions(&self, key: &str) -> bool {
        let key = key.to_lowercase();
        let in_conditions = |statement: &Statement| {
            let mut conditions = statement.conditions.iter();
            conditions.any(|condition| condition.mentions(&key))
        };
        let in_resources = |statement: &Statement| {
            let mut patterns = statement.resources.patterns.iter();
            patterns.any(|pattern| pattern.mentions(&key))
        };
        self.statements
            .iter()
            .any(|statement| in_conditions(statement) || in_resources(statement))
    }

    /// Returns the id of a statement, where it has one.
    pub(crate) fn sid(&self, statement: usize) -> Option<&str> {
        self.statements.get(statement)?.sid.as_deref()
    }

    /// Asks the policy.
    pub(crate) fn ask(&self, question: &Question<'_>) -> Word {
        let mut word = Word::default();
        if self.is_closed {
            word.deny = Some(self.statements.len());
            return word;
        }
        for (at, statement) in self.statements.iter().enumerate() {
            let Some(naming) = statement.names(question.principal) else {
                continue;
            };
            let is_closer = word.allow.is_none_or(|(_, known)| known < naming);
            match statement.effect {
                // Nothing that is allowed changes what has been allowed as closely already.
                Effect::Allow if !is_closer => {}
                Effect::Allow => {
                    if statement.applies(question) == Answer::Yes {
                        word.allow = Some((at, naming));
                    }
                }
                Effect::Deny => {
                    if statement.applies(question) != Answer::No {
                        word.deny = Some(at);
                        return word;
                    }
                }
            }
        }
        word
    }
}

impl Statement {
    /// Returns how closely it names who asks; `None` where it is for others.
    fn names(&self, who: &Principal) -> Option<Naming> {
        match &self.principals {
            Some(principals) => principals.naming(who),
            None => Some(Naming::Itself),
        }
    }

    /// Returns whether it is about what is asked.
    fn applies(&self, question: &Question<'_>) -> Answer {
        let listed = self
            .actions
            .patterns
            .iter()
            .any(|pattern| pattern.matches(question.action));
        if listed == self.actions.negated {
            return Answer::No;
        }
        let mut answer = self.is_about(&question.target, question.context);
        for condition in &self.conditions {
            if answer == Answer::No {
                return answer;
            }
            answer = answer.and(condition.holds(question.context));
        }
        if self.is_undecided {
            answer = answer.and(Answer::Undecided);
        }
        answer
    }

    fn is_about(&self, target: &Target<'_>, context: &Context<'_>) -> Answer {
        let Listed { negated, patterns } = &self.resources;
        let mut answer = Answer::No;
        for pattern in patterns {
            match pattern.matches(target, context) {
                Match::Yes => return Answer::of(!negated),
                Match::Unknown => answer = Answer::Undecided,
                // A variable without a value names no resource; what is left out by it is open.
                Match::Valueless if *negated => answer = Answer::Undecided,
                Match::No | Match::Valueless => {}
            }
        }
        if *negated && answer == Answer::No {
            return Answer::Yes;
        }
        answer
    }
}
