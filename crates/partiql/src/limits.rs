//! Limits of statements. Those of the expressions inside them stand in `expr`.

/// Longest statement. 8,192 characters.
/// Source: DynamoDB API reference, `ExecuteStatement`.
pub const STATEMENT_CHARACTERS_MAX: usize = 8192;

/// Deepest parentheses, calls, lists and maps in a statement. 64: the parser recurses four frames
/// a level, and a value may nest 32 levels inside parentheses. The service gives no number.
pub const NESTING_MAX: usize = 64;

/// Most partitions that one `SELECT` reads. 50; beyond it the statement is refused.
/// Source: DynamoDB developer guide, "PartiQL operators" (`IN`, hash attribute values).
pub const PARTITIONS_MAX: usize = 50;

/// Most keys and ranges of keys that one `SELECT` reads. 100, as many keys as `BatchGetItem` reads;
/// beyond it the statement is refused.
pub const KEYS_MAX: usize = 100;
