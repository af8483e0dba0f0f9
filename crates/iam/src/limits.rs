//! Limits of policies and credentials.

/// Longest managed policy, white space not counted. 6,144 characters.
/// Source: IAM user guide, "IAM and AWS STS quotas".
pub const MANAGED_CHARS_MAX: usize = 6_144;

/// Longest inline policy of a user, white space not counted. 2,048 characters, all together.
/// Source: IAM user guide, "IAM and AWS STS quotas".
pub const INLINE_CHARS_MAX: usize = 2_048;

/// Longest session policy, white space not counted. 2,048 characters.
/// Source: IAM user guide, "IAM and AWS STS quotas".
pub const SESSION_CHARS_MAX: usize = 2_048;

/// Longest resource policy, white space counted. 20 KiB.
/// Source: DynamoDB developer guide, "Quotas" (resource-based policies).
pub const RESOURCE_CHARS_MAX: usize = 20 * 1024;

/// Longest text that is looked at as a policy, white space and all. 128 KiB, the longest that the
/// service's own model takes; what is longer is refused unread.
/// Source: IAM user guide, "IAM and AWS STS quotas"; botocore's model of `CreatePolicy`.
pub const TEXT_BYTES_MAX: usize = 131_072;

/// Deepest nesting of a document's JSON. 16; the deepest that means anything has 6.
pub const DEPTH_MAX: usize = 16;

/// Most mistakes that are told of one document. 100; the rest would drown them.
pub const MISTAKES_MAX: usize = 100;

/// Most values that a variable is replaced by in one comparison, in bytes. 16 KiB: a longer value
/// counts as no value. Keys of items, the longest values that are compared, have 2 KiB.
pub const VARIABLE_BYTES_MAX: usize = 16 * 1024;

/// Most access keys of one user. 2, so that one can be replaced without a pause.
/// Source: IAM user guide, "IAM and AWS STS quotas".
pub const ACCESS_KEYS_MAX: usize = 2;

/// Longest name of a user. 64 characters.
/// Source: IAM user guide, "IAM and AWS STS quotas".
pub const USER_NAME_CHARS_MAX: usize = 64;

/// Longest name of a policy. 128 characters.
/// Source: IAM user guide, "IAM and AWS STS quotas".
pub const POLICY_NAME_CHARS_MAX: usize = 128;

/// Longest path of a user or a policy. 512 characters.
/// Source: IAM user guide, "IAM and AWS STS quotas".
pub const PATH_CHARS_MAX: usize = 512;

/// Most managed policies of a user. 10.
/// Source: IAM user guide, "IAM and AWS STS quotas".
pub const ATTACHED_POLICIES_MAX: usize = 10;

/// Most tags of a user or a policy. 50.
/// Source: IAM user guide, "IAM and AWS STS quotas".
pub const TAGS_MAX: usize = 50;

/// Shortest and longest access key id. 16 to 128 characters.
/// Source: IAM user guide, "IAM and AWS STS quotas"; botocore's model of `UpdateAccessKey`.
pub const ACCESS_KEY_ID_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// Shortest life of a session. 15 minutes.
/// Source: IAM user guide, "Temporary security credentials".
pub const SESSION_SECS_MIN: i64 = 900;

/// Longest life of a session of a user. 36 hours.
/// Source: IAM user guide, "Temporary security credentials".
pub const SESSION_SECS_MAX: i64 = 129_600;

/// Longest life of a session of the root user. 1 hour.
/// Source: IAM user guide, "Temporary security credentials".
pub const ROOT_SESSION_SECS_MAX: i64 = 3_600;

/// Largest contents of a session token, before they are sealed. 4 KiB: a token travels in a header
/// of every request, and servers bound their headers.
pub const SESSION_BYTES_MAX: usize = 4_096;
