//! DynamoDB's wire shapes over tables.
//!
//! It stores nothing itself.
