//! HTTP APIs and custom domains, each in one region, and what a gateway serves of them.
//!
//! It routes nothing. Kinds share a table and are told apart by their sort keys, which begin with
//! the kind: `api ID`, `route API ID`, `stage API NAME`.
//! Source: API Gateway v2 API reference.

use std::collections::BTreeMap;

use base::region::RegionName;
use serde::{Deserialize, Serialize};
use store::port::Store;

use crate::control::Control;
use crate::resource::Resource;
use crate::system::SystemTable;

pub mod build;

/// An HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    /// The region.
    pub region: String,
    /// The account that owns it.
    pub account: String,
    /// Its id.
    pub id: String,
    /// The name its owner gave it.
    pub name: String,
    /// What its owner says about it.
    pub description: Option<String>,
    /// A version that its owner gave it.
    pub version: Option<String>,
    /// Which other sites' scripts may call it.
    pub cors: Option<Cors>,
    /// Whether its own endpoint is switched off.
    pub endpoint_disabled: bool,
    /// The kinds of addresses by which it may be called.
    pub ip_address_type: String,
    /// When it was made, in microseconds since 1970.
    pub created_micros: i64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// Which other sites' scripts may call an API, as it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "each member is the one of that name in API Gateway's `Cors`"
)]
pub struct Cors {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_credentials: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i32>,
}

/// Where an API's routes lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// The region.
    pub region: String,
    /// The API's id.
    pub api: String,
    /// Its id.
    pub id: String,
    /// What its owner says about it.
    pub description: Option<String>,
    /// Whether API Gateway made it, by a quick create.
    pub managed: bool,
    /// Where it leads.
    pub backend: Backend,
}

/// Where an integration leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// What is there.
    pub kind: BackendKind,
    /// The function's ARN in either form, or a URL.
    pub uri: String,
    /// The method with which an HTTP server is called; `ANY` for the client's own.
    pub method: String,
    /// The form in which a function gets the request: `1.0` or `2.0`.
    pub payload_format: String,
    /// How long it may take. Units: milliseconds.
    pub timeout_millis: u32,
}

/// What is behind an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackendKind {
    /// A function.
    #[serde(rename = "AWS_PROXY")]
    Function,
    /// An HTTP server.
    #[serde(rename = "HTTP_PROXY")]
    Http,
}

/// What an API matches, and where that leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The region.
    pub region: String,
    /// The API's id.
    pub api: String,
    /// Its id.
    pub id: String,
    /// What it matches, as in `GET /carts/{id}`.
    pub key: String,
    /// The id of its integration.
    pub integration: Option<String>,
    /// A name that its owner gave it.
    pub operation_name: Option<String>,
    /// Whether API Gateway made it, by a quick create.
    pub managed: bool,
}

/// A stage of an API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The region.
    pub region: String,
    /// The API's id.
    pub api: String,
    /// Its name.
    pub name: String,
    /// What its owner says about it.
    pub description: Option<String>,
    /// What its routes are.
    pub deploys: Deploys,
    /// The stage variables by name.
    pub variables: BTreeMap<String, String>,
    /// Whether API Gateway made it, by a quick create.
    pub managed: bool,
    /// When it was made, in microseconds since 1970.
    pub created_micros: i64,
    /// When it was changed last, in microseconds since 1970.
    pub updated_micros: i64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// What a stage serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deploys {
    /// The API's routes as they are at each moment.
    Automatically,
    /// The routes of a deployment, by its id; none before the first.
    Chosen(Option<String>),
}

/// An API's routes as they were at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The region.
    pub region: String,
    /// The API's id.
    pub api: String,
    /// Its id.
    pub id: String,
    /// What its owner says about it.
    pub description: Option<String>,
    /// When it was made, in microseconds since 1970.
    pub created_micros: i64,
    /// The routes by key, and where they led.
    pub routes: BTreeMap<String, Option<Backend>>,
}

/// A custom domain in a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainName {
    /// The region.
    pub region: String,
    /// The account that owns it.
    pub account: String,
    /// The name, lower case; it may begin with `*.`.
    pub name: String,
    /// The first part of the name that DNS records point to, without `d-`.
    pub id: String,
    /// The ARN of its certificate.
    pub certificate_arn: String,
    /// The kinds of addresses by which it may be called.
    pub ip_address_type: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// Which API a domain shows under a base path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiMapping {
    /// The region.
    pub region: String,
    /// The domain.
    pub domain: String,
    /// Its id.
    pub id: String,
    /// The base path, without slashes at its ends; empty for all that no other maps.
    pub key: String,
    /// The API's id.
    pub api: String,
    /// The stage's name.
    pub stage: String,
}

/// A kind of resource that belongs to an API or a domain, and shares a table with others.
pub trait Kind: Resource {
    /// The first word of its sort key.
    const WORD: &'static str;

    /// Returns the sort key of the one named `name` of `owner`, or what all of `owner` begin with
    /// where `name` is empty.
    fn sort_of(owner: &str, name: &str) -> String {
        format!("{} {owner} {name}", Self::WORD)
    }

    /// Returns the one named `name` of `owner` in a region.
    fn find<S: Store>(control: &Control<S>, region: &str, owner: &str, name: &str) -> Option<Self> {
        control.get(region, &Self::sort_of(owner, name))
    }

    /// Returns all of `owner` in a region, by their sort keys.
    fn of_owner<S: Store>(control: &Control<S>, region: &str, owner: &str) -> Vec<Self> {
        control.list(region, &Self::sort_of(owner, ""))
    }
}

impl Api {
    /// Returns the sort key of an API, or what all begin with where `id` is empty.
    pub fn sort_of(id: &str) -> String {
        format!("api {id}")
    }

    /// Returns an API of a region.
    pub fn find<S: Store>(control: &Control<S>, region: &str, id: &str) -> Option<Self> {
        control.get(region, &Self::sort_of(id))
    }

    /// Returns all APIs of a region, by id.
    pub fn in_region<S: Store>(control: &Control<S>, region: &str) -> Vec<Self> {
        control.list(region, &Self::sort_of(""))
    }
}

impl DomainName {
    /// Returns the sort key of a domain, or what all begin with where `name` is empty.
    pub fn sort_of(name: &str) -> String {
        format!("domain {name}")
    }

    /// Returns a domain of a region.
    pub fn find<S: Store>(control: &Control<S>, region: &str, name: &str) -> Option<Self> {
        control.get(region, &Self::sort_of(name))
    }

    /// Returns all domains of a region, by name.
    pub fn in_region<S: Store>(control: &Control<S>, region: &str) -> Vec<Self> {
        control.list(region, &Self::sort_of(""))
    }

    /// Returns the domain's ARN.
    pub fn arn(&self) -> String {
        format!(
            "arn:aws:apigateway:{}::/domainnames/{}",
            self.region, self.name
        )
    }
}

/// Returns the id of the hosted zone in which a region's gateway has its names.
pub fn hosted_zone_id(region: &RegionName) -> String {
    dns_core::internal::gateway_zone_id(region.id())
}

macro_rules! resource {
    ($type:ty, $table:ident, $sort:expr) => {
        impl Resource for $type {
            const TABLE: SystemTable = SystemTable::$table;

            fn partition(&self) -> String {
                self.region.clone()
            }

            fn sort(&self) -> String {
                let sort: fn(&Self) -> String = $sort;
                sort(self)
            }
        }
    };
}

macro_rules! kind {
    ($type:ty, $table:ident, $word:literal, $owner:ident, $name:ident) => {
        resource!($type, $table, |one| {
            <$type as Kind>::sort_of(&one.$owner, &one.$name)
        });

        impl Kind for $type {
            const WORD: &'static str = $word;
        }
    };
}

resource!(Api, Apis, |api| Api::sort_of(&api.id));
resource!(DomainName, Domains, |domain| DomainName::sort_of(
    &domain.name
));
kind!(Integration, Apis, "integration", api, id);
kind!(Route, Apis, "route", api, id);
kind!(Stage, Apis, "stage", api, name);
kind!(Deployment, Apis, "deployment", api, id);
kind!(ApiMapping, Domains, "mapping", domain, id);

#[cfg(test)]
mod tests;
