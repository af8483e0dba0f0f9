//! Conditions: what `WHERE` says, in the words of `expr`.

use expr::checked::{self, Called};
use expr::condition::{Condition, Operand};
use expr::error::Problem;
use item::value::Kind;

use super::Bound;
use crate::ast::{Literal, Node, NodeKind, Operation, Operator};
use crate::error::{OperandProblem, PartiqlError};

impl Bound<'_> {
    /// Returns the condition that `WHERE` has.
    pub(super) fn condition(self, node: &Node) -> Result<Condition, PartiqlError> {
        self.condition_or(node, OperandProblem::Where)
    }

    /// Returns the condition that a node is, or else a problem.
    fn condition_or(self, node: &Node, wrong: OperandProblem) -> Result<Condition, PartiqlError> {
        let all = |nodes: &[Node]| -> Result<Vec<Condition>, PartiqlError> {
            let one = |node| self.condition_or(node, OperandProblem::AndOr);
            nodes.iter().map(one).collect()
        };
        let operation = match &node.kind {
            NodeKind::Operation(operation) => operation,
            NodeKind::Call { name, arguments } => {
                return match self.call(name, arguments)? {
                    Called::Condition(condition) => Ok(condition),
                    Called::Operand(_) => Err(wrong.into()),
                };
            }
            NodeKind::Missing => return Err(OperandProblem::Missing.into()),
            NodeKind::Path(_) | NodeKind::Literal(_) => return Err(wrong.into()),
        };
        match operation {
            Operation::And(nodes) => all(nodes).map(Condition::And),
            Operation::Or(nodes) => all(nodes).map(Condition::Or),
            Operation::Not(negated) => {
                let negated = self.condition_or(negated, OperandProblem::Not)?;
                Ok(Condition::Not(Box::new(negated)))
            }
            Operation::Binary {
                operator: Operator::Compare(comparator),
                left,
                right,
            } => {
                let (left, right) = (self.operand(left)?, self.operand(right)?);
                Ok(checked::compare(left, *comparator, right)?)
            }
            Operation::Between {
                operand,
                lower,
                upper,
            } => {
                let (lower, upper) = (self.operand(lower)?, self.operand(upper)?);
                Ok(checked::between(self.operand(operand)?, lower, upper)?)
            }
            Operation::In {
                operand,
                candidates,
            } => self.among(operand, candidates),
            Operation::Is { operand, kind } => self.is(operand, kind, node),
            Operation::Binary {
                operator: Operator::Plus | Operator::Minus | Operator::Other(_),
                ..
            } => Err(OperandProblem::InCondition(operation.as_str()).into()),
            Operation::Signed => Err(wrong.into()),
        }
    }

    fn among(self, operand: &Node, candidates: &Node) -> Result<Condition, PartiqlError> {
        let operand = self.operand(operand)?;
        let NodeKind::Literal(Literal::List(candidates) | Literal::Bag(candidates)) =
            &candidates.kind
        else {
            return Err(OperandProblem::In.into());
        };
        if candidates.is_empty() {
            return Err(OperandProblem::In.into());
        }
        let candidates = candidates.iter().map(|candidate| self.operand(candidate));
        let candidates = candidates.collect::<Result<_, _>>()?;
        Ok(checked::among(operand, candidates)?)
    }

    fn is(self, operand: &Node, kind: &str, node: &Node) -> Result<Condition, PartiqlError> {
        if !matches!(operand.kind, NodeKind::Literal(_) | NodeKind::Path(_)) {
            return Err(OperandProblem::Is.into());
        }
        let operand = self.operand(operand)?;
        let kind = match kind {
            "MISSING" => {
                let Operand::Path(path) = operand else {
                    let function = "attribute_not_exists".to_owned();
                    return Err(Problem::PathRequired { function }.into());
                };
                return Ok(Condition::NotExists(path));
            }
            "NULL" => Kind::Null,
            "BOOLEAN" | "BOOL" => Kind::Bool,
            "BLOB" => Kind::B,
            "STRING" => Kind::S,
            "NUMERIC" => Kind::N,
            "STRUCT" | "TUPLE" => Kind::M,
            "LIST" => Kind::L,
            other => {
                let other = if other == "INT" { "INTEGER" } else { other };
                let (kind, at) = (other.to_owned(), node.at);
                return Err(OperandProblem::IsType { kind, at }.into());
            }
        };
        Ok(Condition::HasType { operand, kind })
    }

    fn call(self, name: &str, arguments: &[Node]) -> Result<Called, PartiqlError> {
        // Of an unknown function, the operands mean nothing.
        if let Err(error @ Problem::UnknownFunction { .. }) = checked::condition_arity(name) {
            return Err(error.into());
        }
        let arguments = arguments.iter().map(|argument| self.operand(argument));
        let arguments = arguments.collect::<Result<_, _>>()?;
        Ok(checked::condition_call(name, arguments)?)
    }

    /// Returns the operand that a node is.
    fn operand(self, node: &Node) -> Result<Operand, PartiqlError> {
        match &node.kind {
            NodeKind::Path(path) => {
                self.check_path(path)?;
                Ok(Operand::Path(path.clone()))
            }
            NodeKind::Missing => Err(OperandProblem::Missing.into()),
            NodeKind::Call { name, arguments } => match self.call(name, arguments)? {
                Called::Operand(operand) => Ok(operand),
                Called::Condition(_) => {
                    let name = name.clone();
                    Err(Problem::MisusedFunction { name }.into())
                }
            },
            NodeKind::Literal(_) => self.value(node).map(Operand::Value),
            NodeKind::Operation(operation) => {
                Err(OperandProblem::InCondition(operation.as_str()).into())
            }
        }
    }
}
