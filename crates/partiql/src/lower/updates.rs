//! Changes: what `SET` and `REMOVE` say, in the words of `expr`.

use expr::checked;
use expr::error::Problem;
use expr::limits::OPERAND_DEPTH_MAX;
use expr::path::Path;
use expr::update::{Action, SetOperand, SetValue, Update};
use item::value::Kind;

use super::Bound;
use crate::ast::{Change, Node, NodeKind, Operation, Operator};
use crate::error::{KeyProblem, OperandProblem, PartiqlError};

impl Bound<'_> {
    /// Returns the update that all changes of a statement are.
    pub(super) fn update(self, changes: &[Change]) -> Result<Update, PartiqlError> {
        let actions = changes.iter().map(|change| self.action(change));
        let actions = actions.collect::<Result<Vec<_>, _>>()?;
        let update =
            Update::new(actions).map_err(|(clash, one, two)| Problem::of_clash(clash, one, two))?;
        let mut names = update.actions().iter().map(|action| action.path().name());
        if let Some(name) = names.find(|name| self.keys.table.contains(name)) {
            let name = name.to_owned();
            return Err(KeyProblem::Updated { name }.into());
        }
        Ok(update)
    }

    fn action(self, change: &Change) -> Result<Action, PartiqlError> {
        match change {
            Change::Remove { path } => Ok(Action::Remove { path: path.clone() }),
            Change::Set { path, value } => {
                if let NodeKind::Call { name, arguments } = &value.kind
                    && let Some(set) = SetCall::of(name)
                {
                    return self.set_action(set, path, value, arguments);
                }
                Ok(Action::Set {
                    path: path.clone(),
                    value: self.set_value(value, 1)?,
                })
            }
        }
    }

    /// Returns the action that a `set_add` or `set_delete` is.
    fn set_action(
        self,
        set: SetCall,
        path: &Path,
        call: &Node,
        arguments: &[Node],
    ) -> Result<Action, PartiqlError> {
        let function = set.as_str();
        let [first, second] = arguments else {
            let at = call.at;
            return Err(OperandProblem::SetCount { function, at }.into());
        };
        if !matches!(&first.kind, NodeKind::Path(first) if first == path) {
            return Err(OperandProblem::SetPath { function }.into());
        }
        let at = first.at;
        let no_set = OperandProblem::SetValue { function, at };
        if !matches!(second.kind, NodeKind::Literal(_)) {
            return Err(no_set.into());
        }
        let (path, value) = (path.clone(), self.value(second)?);
        if !matches!(value.kind(), Kind::Ss | Kind::Ns | Kind::Bs) {
            return Err(no_set.into());
        }
        Ok(match set {
            SetCall::Add => Action::Add { path, value },
            SetCall::Delete => Action::Delete { path, value },
        })
    }

    /// Returns what is put at a path.
    fn set_value(self, node: &Node, levels: usize) -> Result<SetValue, PartiqlError> {
        if levels > OPERAND_DEPTH_MAX {
            return Err(Problem::OperandTooDeep { levels }.into());
        }
        let levels = levels + 1;
        let operand = match &node.kind {
            NodeKind::Operation(Operation::Binary {
                operator: operator @ (Operator::Plus | Operator::Minus),
                left,
                right,
            }) => {
                let left = self.set_operand(left, levels)?;
                let right = self.set_operand(right, levels)?;
                return Ok(if *operator == Operator::Plus {
                    checked::plus(left, right)?
                } else {
                    checked::minus(left, right)?
                });
            }
            NodeKind::Path(path) => SetOperand::Path(path.clone()),
            NodeKind::Call { name, arguments } => self.set_call(name, arguments, levels)?,
            NodeKind::Missing => return Err(OperandProblem::Missing.into()),
            NodeKind::Literal(_) => SetOperand::Value(self.value(node)?),
            NodeKind::Operation(Operation::Is { .. }) => {
                return Err(OperandProblem::IsInUpdate.into());
            }
            NodeKind::Operation(Operation::Signed) => {
                let (function, count) = ("-".to_owned(), 1);
                return Err(Problem::OperandCount { function, count }.into());
            }
            NodeKind::Operation(
                operation @ (Operation::Not(_)
                | Operation::And(_)
                | Operation::Or(_)
                | Operation::Binary { .. }
                | Operation::Between { .. }
                | Operation::In { .. }),
            ) => return Err(OperandProblem::InUpdate(operation.as_str()).into()),
        };
        Ok(SetValue::Operand(operand))
    }

    fn set_operand(self, node: &Node, levels: usize) -> Result<SetOperand, PartiqlError> {
        Ok(match self.set_value(node, levels)? {
            SetValue::Operand(operand) => operand,
            sum @ (SetValue::Plus(..) | SetValue::Minus(..)) => SetOperand::Nested(Box::new(sum)),
        })
    }

    fn set_call(
        self,
        name: &str,
        arguments: &[Node],
        levels: usize,
    ) -> Result<SetOperand, PartiqlError> {
        // Of a function that updates do not have, the operands mean nothing.
        checked::set_arity(name)?;
        let arguments = arguments
            .iter()
            .map(|argument| self.set_operand(argument, levels));
        let arguments = arguments.collect::<Result<_, _>>()?;
        Ok(checked::set_call(name, arguments)?)
    }
}

/// A function that changes the set at the path that it is assigned to.
#[derive(Clone, Copy)]
enum SetCall {
    Add,
    Delete,
}

impl SetCall {
    fn of(name: &str) -> Option<Self> {
        match name {
            "set_add" => Some(Self::Add),
            "set_delete" => Some(Self::Delete),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "SET_ADD",
            Self::Delete => "SET_DELETE",
        }
    }
}
