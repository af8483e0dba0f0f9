//! Quotas and sizes of the control plane.
//!
//! Limits of requests to APIs are gateway-core's.
//! Source: API Gateway developer guide, "Quotas for HTTP APIs".

/// Most APIs of an account in a region. 600.
pub(crate) const APIS_MAX: usize = 600;

/// Most routes of an API. 300.
pub(crate) const ROUTES_MAX: usize = 300;

/// Most integrations of an API. 300.
pub(crate) const INTEGRATIONS_MAX: usize = 300;

/// Most stages of an API. 10.
pub(crate) const STAGES_MAX: usize = 10;

/// Most deployments of an API. 300; AWS names no number, but each holds all routes.
pub(crate) const DEPLOYMENTS_MAX: usize = 300;

/// Most custom domains of an account in a region. 120.
pub(crate) const DOMAINS_MAX: usize = 120;

/// Most mappings of a domain. 200.
pub(crate) const MAPPINGS_MAX: usize = 200;

/// Most stage variables. 100.
pub(crate) const STAGE_VARIABLES_MAX: usize = 100;

/// Longest name of a stage variable. 64 characters.
pub(crate) const STAGE_VARIABLE_NAME_MAX: usize = 64;

/// Longest value of a stage variable. 512 characters.
pub(crate) const STAGE_VARIABLE_VALUE_MAX: usize = 512;

/// Most tags of a resource. 50.
pub(crate) const TAGS_MAX: usize = 50;

/// Longest name of an API, a stage or a version. 128 characters.
pub(crate) const NAME_MAX: usize = 128;

/// Longest description. 1,024 characters.
pub(crate) const DESCRIPTION_MAX: usize = 1_024;

/// Entries of a page where the caller names no number. 100.
pub(crate) const PAGE_DEFAULT: usize = 100;

/// Most entries of a page. 500.
pub(crate) const PAGE_MAX: usize = 500;
