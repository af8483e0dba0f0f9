//! Route 53's quotas, which are ours too.
//!
//! Its limit of five requests a second is not: nothing here is protected by it.

/// Most hosted zones of an account. 500.
/// Source: Route 53 developer guide, "Quotas on hosted zones".
pub const ZONES_MAX: usize = 500;

/// Most record sets of a zone. 10,000.
/// Source: Route 53 developer guide, "Quotas on records".
pub const RECORD_SETS_MAX: usize = 10_000;

/// Most health checks of an account. 200.
/// Source: Route 53 developer guide, "Quotas on health checks".
pub const CHECKS_MAX: usize = 200;

/// Most CIDR collections of an account. 5.
/// Source: Route 53 developer guide, "Quotas on entities".
pub const COLLECTIONS_MAX: usize = 5;

/// Most blocks of a CIDR collection, and most that one request names. 1,000.
/// Source: Route 53 developer guide, "Quotas on entities"; API reference, `ChangeCidrCollection`.
pub const BLOCKS_MAX: usize = 1_000;

/// Longest name of a CIDR collection. 64 characters.
/// Source: the `CollectionName` shape of Route 53's service model.
pub const COLLECTION_CHARACTERS_MAX: usize = 64;

/// Longest name of a CIDR location. 16 characters.
/// Source: the `CidrLocationNameDefaultNotAllowed` shape of Route 53's service model.
pub const LOCATION_CHARACTERS_MAX: usize = 16;

/// Longest caller reference of a CIDR collection. 64 characters.
/// Source: the `CidrNonce` shape of Route 53's service model.
pub const COLLECTION_REFERENCE_CHARACTERS_MAX: usize = 64;

/// Most records that one batch may name, those of an UPSERT twice. 1,000.
/// Source: Route 53 API reference, `ChangeResourceRecordSets`.
pub const BATCH_RECORDS_MAX: usize = 1_000;

/// Most characters of values that one batch may hold, those of an UPSERT twice. 32,000.
/// Source: Route 53 API reference, `ChangeResourceRecordSets`.
pub const BATCH_CHARACTERS_MAX: usize = 32_000;

/// Most values of one record set. 400.
/// Source: Route 53 developer guide, "Quotas on records".
pub const VALUES_MAX: usize = 400;

/// Longest value. 4,000 characters.
/// Source: the `RData` shape of Route 53's service model.
pub const VALUE_CHARACTERS_MAX: usize = 4_000;

/// Longest set identifier. 128 characters.
/// Source: the `ResourceRecordSetIdentifier` shape of Route 53's service model.
pub const SET_IDENTIFIER_CHARACTERS_MAX: usize = 128;

/// Longest caller reference of a zone. 128 characters; that of a health check has 64.
/// Source: the `Nonce` shape of Route 53's service model.
pub const ZONE_REFERENCE_CHARACTERS_MAX: usize = 128;

/// Longest caller reference of a health check. 64 characters.
/// Source: the `HealthCheckNonce` shape of Route 53's service model.
pub const CHECK_REFERENCE_CHARACTERS_MAX: usize = 64;

/// Longest comment. 256 characters.
/// Source: the `ResourceDescription` shape of Route 53's service model.
pub const COMMENT_CHARACTERS_MAX: usize = 256;

/// Most zones or checks on a page. 100.
/// Source: Route 53 API reference, `ListHostedZones`, `ListHealthChecks`.
pub const PAGE_MAX: usize = 100;

/// Most record sets on a page. 300.
/// Source: Route 53 API reference, `ListResourceRecordSets`.
pub const RECORD_PAGE_MAX: usize = 300;

/// Most tags of a resource. 50.
/// Source: Route 53 developer guide, "Tagging resources" (AWS's tag restrictions).
pub const TAGS_MAX: usize = 50;

/// Most tags, keys or resources that one tag request names. 10.
/// Source: the `TagList`, `TagKeyList` and `TagResourceIdList` shapes of the service model.
pub const TAGS_PER_REQUEST_MAX: usize = 10;

/// Longest tag key. 128 characters.
/// Source: the `TagKey` shape of the service model.
pub const TAG_KEY_CHARACTERS_MAX: usize = 128;

/// Longest tag value. 256 characters.
/// Source: the `TagValue` shape of the service model.
pub const TAG_VALUE_CHARACTERS_MAX: usize = 256;

/// Most times that a batch is checked anew because a zone changed under it. 4.
/// Beyond it the caller is told that another change is not complete.
pub const CHANGE_TRIES_MAX: usize = 4;

/// Longest list of reasons sent in a header. 4,000 characters; the rest is cut.
pub const REASONS_CHARACTERS_MAX: usize = 4_000;
