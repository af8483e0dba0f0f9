//! Which operation a method and a path name.
//!
//! It reads no body. Source: the service model of API Gateway v2, version 2018-11-29.

use api_protocol::fault::Fault;
use http::Method;

use crate::unserved;

/// An operation with the names in its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation<'p> {
    /// An operation on all APIs or one.
    Api(Verb<'p>),
    /// `DeleteCorsConfiguration`, of an API.
    DeleteCors(&'p str),
    /// An operation on the integrations of an API.
    Integration(&'p str, Verb<'p>),
    /// An operation on the routes of an API.
    Route(&'p str, Verb<'p>),
    /// An operation on the stages of an API.
    Stage(&'p str, Verb<'p>),
    /// An operation on the deployments of an API.
    Deployment(&'p str, Verb<'p>),
    /// An operation on all domains or one.
    Domain(Verb<'p>),
    /// An operation on the mappings of a domain.
    Mapping(&'p str, Verb<'p>),
    /// `GetTags`, of an ARN.
    GetTags(String),
    /// `TagResource`, of an ARN.
    Tag(String),
    /// `UntagResource`, of an ARN.
    Untag(String),
}

/// What is done, and to which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb<'p> {
    /// One is made.
    Create,
    /// All are listed.
    List,
    /// One is read.
    Get(&'p str),
    /// One is changed.
    Update(&'p str),
    /// One is removed.
    Delete(&'p str),
}

impl<'p> Operation<'p> {
    /// Returns the operation of a request.
    ///
    /// Errors: `UnknownOperationException`, which names the operation where it is known.
    pub(crate) fn of(method: &Method, segments: &'p [&'p str]) -> Result<Self, Fault> {
        Self::find(method, segments).ok_or_else(|| {
            let method = method.as_str();
            let path = || format!("{method} /{}", segments.join("/"));
            let name = unserved::name(method, segments);
            Fault::unknown_operation(&name.map_or_else(path, str::to_owned))
        })
    }

    fn find(method: &Method, segments: &'p [&'p str]) -> Option<Self> {
        let segments = segments.strip_prefix(&["v2"])?;
        match segments {
            ["apis"] => Some(Self::Api(Verb::of_all(method)?)),
            ["apis", api] => Some(Self::Api(Verb::of_one(method, api)?)),
            ["apis", api, "cors"] if method == Method::DELETE => Some(Self::DeleteCors(api)),
            ["apis", api, kind] => Self::of_api(api, kind, Verb::of_all(method)?),
            ["apis", api, kind, name] => Self::of_api(api, kind, Verb::of_one(method, name)?),
            ["domainnames"] => Some(Self::Domain(Verb::of_all(method)?)),
            ["domainnames", name] => Some(Self::Domain(Verb::of_one(method, name)?)),
            ["domainnames", name, "apimappings"] => {
                Some(Self::Mapping(name, Verb::of_all(method)?))
            }
            ["domainnames", name, "apimappings", id] => {
                Some(Self::Mapping(name, Verb::of_one(method, id)?))
            }
            // An ARN holds slashes, which not every client escapes.
            ["tags", arn @ ..] if !arn.is_empty() => {
                let arn = arn.join("/");
                match *method {
                    Method::GET => Some(Self::GetTags(arn)),
                    Method::POST => Some(Self::Tag(arn)),
                    Method::DELETE => Some(Self::Untag(arn)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn of_api(api: &'p str, kind: &str, verb: Verb<'p>) -> Option<Self> {
        match kind {
            "integrations" => Some(Self::Integration(api, verb)),
            "routes" => Some(Self::Route(api, verb)),
            "stages" => Some(Self::Stage(api, verb)),
            "deployments" => Some(Self::Deployment(api, verb)),
            _ => None,
        }
    }

    /// Returns whether the operation changes anything.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Self::Api(verb)
            | Self::Integration(_, verb)
            | Self::Route(_, verb)
            | Self::Stage(_, verb)
            | Self::Deployment(_, verb)
            | Self::Domain(verb)
            | Self::Mapping(_, verb) => !matches!(verb, Verb::List | Verb::Get(_)),
            Self::GetTags(_) => false,
            Self::DeleteCors(_) | Self::Tag(_) | Self::Untag(_) => true,
        }
    }
}

impl<'p> Verb<'p> {
    fn of_all(method: &Method) -> Option<Self> {
        match *method {
            Method::GET => Some(Self::List),
            Method::POST => Some(Self::Create),
            _ => None,
        }
    }

    fn of_one(method: &Method, name: &'p str) -> Option<Self> {
        match *method {
            Method::GET => Some(Self::Get(name)),
            Method::PATCH => Some(Self::Update(name)),
            Method::DELETE => Some(Self::Delete(name)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
