//! Cross-origin answers that the gateway gives in the backend's place.
//!
//! It checks no credentials.
//! Source: API Gateway developer guide, "Configure CORS for HTTP APIs"; Fetch standard, "CORS".

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// Which other sites' scripts may call an API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins, `*`, or `http://*` and `https://*`.
    pub allow_origins: Vec<String>,
    /// Methods, or `*`.
    pub allow_methods: Vec<String>,
    /// Request headers, or `*`.
    pub allow_headers: Vec<String>,
    /// Response headers that scripts may read, or `*`.
    pub expose_headers: Vec<String>,
    /// How long browsers may keep the answer. Units: seconds.
    pub max_age: Option<u32>,
    /// Whether cookies and credentials may be sent.
    pub credentials: Credentials,
}

/// Whether scripts of other sites may send credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// They may not.
    #[default]
    Omitted,
    /// They may.
    Allowed,
}

/// Headers of a backend's response that the API's own CORS configuration replaces.
const BACKEND_HEADERS: [HeaderName; 6] = [
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

impl Cors {
    /// Returns the headers of the answer to a preflight request; none for other origins.
    pub fn preflight(&self, request: &HeaderMap) -> HeaderMap {
        let mut answer = HeaderMap::new();
        if !self.allow_origin(request, &mut answer) {
            return answer;
        }
        put_list(
            &mut answer,
            ACCESS_CONTROL_ALLOW_METHODS,
            &self.allow_methods,
        );
        put_list(
            &mut answer,
            ACCESS_CONTROL_ALLOW_HEADERS,
            &self.allow_headers,
        );
        if let Some(seconds) = self.max_age {
            answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
        }
        answer
    }

    /// Replaces a backend's CORS headers by the API's own.
    pub fn apply(&self, request: &HeaderMap, response: &mut HeaderMap) {
        for name in BACKEND_HEADERS {
            response.remove(name);
        }
        if self.allow_origin(request, response) {
            put_list(
                response,
                ACCESS_CONTROL_EXPOSE_HEADERS,
                &self.expose_headers,
            );
        }
    }

    fn allow_origin(&self, request: &HeaderMap, answer: &mut HeaderMap) -> bool {
        let Some(origin) = request.get(ORIGIN) else {
            return false;
        };
        let text = origin.to_str().unwrap_or_default();
        let named = self.allow_origins.iter().any(|allowed| {
            let scheme = allowed
                .strip_suffix('*')
                .filter(|scheme| !scheme.is_empty());
            match scheme {
                Some(scheme) => text.starts_with(scheme),
                None => allowed == text,
            }
        });
        if named {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.append(VARY, HeaderValue::from_static("origin"));
        } else if self.allow_origins.iter().any(|allowed| allowed == "*") {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            return false;
        }
        if matches!(self.credentials, Credentials::Allowed) {
            answer.insert(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
        true
    }
}

/// Returns whether a request is a browser's question before the real request.
pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn put_list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if values.is_empty() {
        return;
    }
    if let Ok(value) = HeaderValue::from_str(&values.join(",")) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests;
