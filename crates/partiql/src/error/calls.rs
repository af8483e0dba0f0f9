//! What can be wrong with where a statement stands, not with what it says.

/// A statement that may not stand in the call that it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallProblem {
    /// An `EXISTS` outside a transaction.
    #[error("EXISTS can only be used in ExecuteTransaction write requests.")]
    ExistsOutside,
    /// A `SELECT` in a transaction reads more than the item of a key, or tests it.
    #[error(
        "Select statements within ExecuteTransaction must specify the primary key in the where \
         clause."
    )]
    SelectInTransaction,
    /// A `SELECT` in a batch reads more than the item of a key, or tests it.
    #[error(
        "Select statements within BatchExecuteStatement must specify the primary key in the where \
         clause."
    )]
    SelectInBatch,
    /// A `SELECT` in a transaction reads an index.
    #[error("Reads on indices are not supported within transactions.")]
    IndexInTransaction,
    /// A write in a transaction returns an item.
    #[error("RETURNING clause is not supported in ExecuteTransaction.")]
    ReturningInTransaction,
    /// A transaction reads and writes.
    #[error(
        "ExecuteTransaction API does not support both read and write operations in the same \
         request."
    )]
    MixedTransaction,
    /// A batch reads and writes.
    #[error("Read and write requests together in the same batch is not supported.")]
    MixedBatch,
}
