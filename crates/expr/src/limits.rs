//! Limits of expressions.

use base::units::ByteCount;

/// Longest text of one expression. 4 KiB.
/// Source: DynamoDB developer guide, "Quotas" (expression parameters).
pub const EXPRESSION_BYTES_MAX: usize = 4096;

/// Most operators and functions in one expression. 300.
/// Source: DynamoDB developer guide, "Quotas" (expression parameters).
pub const OPERATORS_MAX: usize = 300;

/// Most operands of `IN`, the tested one not counted. 100.
/// Source: DynamoDB developer guide, "Quotas" (operators).
pub const IN_OPERANDS_MAX: usize = 100;

/// Deepest document path, the attribute itself included. 32.
/// Source: DynamoDB developer guide, "Quotas" (nested attribute depth).
pub const PATH_LEVELS_MAX: usize = 32;

/// Deepest function calls and parentheses inside one operand. 64: the parser recurses three
/// frames a level there. The service gives no number; its 300 operators bound it as well.
/// Conditions in parentheses nest as deep as operators allow, without recursion.
pub const OPERAND_DEPTH_MAX: usize = 64;

/// Largest substituted names and values together. 2 MiB.
/// Source: DynamoDB developer guide, "Quotas" (substitution variables).
pub const SUBSTITUTION_BYTES_MAX: ByteCount = ByteCount::mib(2);

/// Longest substitution name with its `#` or `:`. 255 bytes.
/// Source: DynamoDB developer guide, "Quotas" (expression attribute names).
pub const PLACEHOLDER_BYTES_MAX: usize = 255;
