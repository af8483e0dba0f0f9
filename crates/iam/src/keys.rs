//! The condition keys that Hither knows, in the lower case in which they are compared.
//!
//! A policy may name any other. Nothing is known of it then: what allows with it allows nothing,
//! and what denies with it denies.
//! Source: IAM user guide, "AWS global condition context keys"; DynamoDB developer guide, "Using
//! IAM policy conditions for fine-grained access control".

/// The address of the sender. One address.
pub const SOURCE_IP: &str = "aws:sourceip";
/// When the request came. One moment.
pub const CURRENT_TIME: &str = "aws:currenttime";
/// When the request came, in seconds since 1970. One number.
pub const EPOCH_TIME: &str = "aws:epochtime";
/// Whether the request came by TLS. Yes or no.
pub const SECURE_TRANSPORT: &str = "aws:securetransport";
/// What the sender says it is. One text.
pub const USER_AGENT: &str = "aws:useragent";
/// The name of the user. One text; absent for others than users.
pub const USERNAME: &str = "aws:username";
/// The unique id of the principal. One text.
pub const USER_ID: &str = "aws:userid";
/// The principal's ARN, a session's that of its role. One ARN.
pub const PRINCIPAL_ARN: &str = "aws:principalarn";
/// The principal's account. One text.
pub const PRINCIPAL_ACCOUNT: &str = "aws:principalaccount";
/// What kind the principal is of. One text.
pub const PRINCIPAL_TYPE: &str = "aws:principaltype";
/// What a tag of the principal's begins with; its name follows.
pub const PRINCIPAL_TAG: &str = "aws:principaltag/";
/// Whether a service calls for itself. Yes or no.
pub const PRINCIPAL_IS_AWS_SERVICE: &str = "aws:principalisawsservice";
/// The name of the service that calls. One text; absent for others than services.
pub const PRINCIPAL_SERVICE_NAME: &str = "aws:principalservicename";
/// When a session's credentials were issued. One moment; absent for keys that last.
pub const TOKEN_ISSUE_TIME: &str = "aws:tokenissuetime";
/// Whether a session was begun with a second factor. Yes or no; absent for keys that last.
pub const MULTI_FACTOR_AUTH_PRESENT: &str = "aws:multifactorauthpresent";
/// The region that was asked. One text.
pub const REQUESTED_REGION: &str = "aws:requestedregion";
/// The account that owns the resource. One text.
pub const RESOURCE_ACCOUNT: &str = "aws:resourceaccount";
/// What a tag of the resource's begins with; its name follows.
pub const RESOURCE_TAG: &str = "aws:resourcetag/";
/// What a tag in the request begins with; its name follows.
pub const REQUEST_TAG: &str = "aws:requesttag/";
/// The names of the tags in the request. Many texts.
pub const TAG_KEYS: &str = "aws:tagkeys";
/// Whether a service calls for somebody else. Yes or no.
pub const VIA_AWS_SERVICE: &str = "aws:viaawsservice";

/// The values of the first attribute of the partition keys that are asked for. Many texts.
pub const LEADING_KEYS: &str = "dynamodb:leadingkeys";
/// The values of each attribute of the partition key, from the first, which is also told as
/// [`LEADING_KEYS`]; later ones are of indexes whose partition key has several. Many texts each.
pub const PARTITION_KEY_VALUES: [&str; 4] = [
    "dynamodb:firstpartitionkeyvalues",
    "dynamodb:secondpartitionkeyvalues",
    "dynamodb:thirdpartitionkeyvalues",
    "dynamodb:fourthpartitionkeyvalues",
];
/// The names of the attributes that are asked for, written or compared, keys among them. Many.
pub const ATTRIBUTES: &str = "dynamodb:attributes";
/// `Select` of a query or a scan. One text.
pub const SELECT: &str = "dynamodb:select";
/// `ReturnValues` of a write. One text.
pub const RETURN_VALUES: &str = "dynamodb:returnvalues";
/// `ReturnConsumedCapacity`. One text.
pub const RETURN_CONSUMED_CAPACITY: &str = "dynamodb:returnconsumedcapacity";
/// The operation that this one is a part of, as in `TransactWriteItems`. One text; else absent.
pub const ENCLOSING_OPERATION: &str = "dynamodb:enclosingoperation";
/// Whether a PartiQL statement goes through the whole table. Yes or no.
pub const FULL_TABLE_SCAN: &str = "dynamodb:fulltablescan";

/// What is known of any principal, told or absent.
pub const OF_PRINCIPALS: &[&str] = &[
    USERNAME,
    USER_ID,
    PRINCIPAL_ARN,
    PRINCIPAL_ACCOUNT,
    PRINCIPAL_TYPE,
    PRINCIPAL_TAG,
    PRINCIPAL_IS_AWS_SERVICE,
    PRINCIPAL_SERVICE_NAME,
    TOKEN_ISSUE_TIME,
    MULTI_FACTOR_AUTH_PRESENT,
    // Nobody comes by a second factor, by a provider of identities, or as another's root user.
    "aws:multifactorauthage",
    "aws:federatedprovider",
    "aws:assumedroot",
    "aws:sourceidentity",
];

/// What is known of any call that a caller signs, told or absent.
pub const OF_CALLS: &[&str] = &[
    CURRENT_TIME,
    EPOCH_TIME,
    SECURE_TRANSPORT,
    REQUESTED_REGION,
    RESOURCE_ACCOUNT,
    VIA_AWS_SERVICE,
    // No service calls, for itself or for somebody else.
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:sourcearn",
    "aws:sourceaccount",
];

/// What is known of any call of DynamoDB's, told or absent.
pub const OF_DYNAMODB: &[&str] = &[
    LEADING_KEYS,
    PARTITION_KEY_VALUES[0],
    PARTITION_KEY_VALUES[1],
    PARTITION_KEY_VALUES[2],
    PARTITION_KEY_VALUES[3],
    ATTRIBUTES,
    SELECT,
    RETURN_VALUES,
    RETURN_CONSUMED_CAPACITY,
    ENCLOSING_OPERATION,
    FULL_TABLE_SCAN,
    TAG_KEYS,
    REQUEST_TAG,
];

/// What is known of some calls: where they came from, and what they are about.
pub const OF_SOME: &[&str] = &[SOURCE_IP, USER_AGENT, RESOURCE_TAG];

/// Returns whether `key` is the one that is asked about; one that ends with `/` stands for all
/// that begin with it.
pub(crate) fn is_asked(key: &str, asked: &str) -> bool {
    key == asked || (asked.ends_with('/') && key.starts_with(asked))
}
