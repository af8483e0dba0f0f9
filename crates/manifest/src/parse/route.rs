//! Route keys and targets of a domain.
//!
//! It matches no requests: the gateway does.
//! Source: API Gateway developer guide, "Working with routes for HTTP APIs".

use crate::model::{RouteKey, RouteTarget};

/// Reads `METHOD /path` or `$default`.
///
/// Errors: what is wrong, as a fragment.
pub(super) fn key(text: &str) -> Result<RouteKey, String> {
    if text == "$default" {
        return Ok(RouteKey::Default);
    }
    let Some((method, path)) = text.split_once(' ') else {
        return Err("it has no method and path".to_owned());
    };
    let Some(method) = METHODS.iter().find(|known| **known == method) else {
        return Err(format!("`{method}` is no method"));
    };
    Ok(RouteKey::Path {
        method,
        path: path_of(path)?,
    })
}

fn path_of(path: &str) -> Result<String, String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err("its path does not start with a slash".to_owned());
    };
    // A final `*` is how most other tools spell API Gateway's greedy parameter.
    let greedy = rest
        .strip_suffix('*')
        .filter(|head| head.is_empty() || head.ends_with('/'));
    let path = match greedy {
        Some(head) => format!("/{head}{{proxy+}}"),
        None => path.to_owned(),
    };
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let mut names: Vec<&str> = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        let last = at + 1 == segments.len();
        let Some(name) = segment.strip_prefix('{') else {
            let odd = |c: char| !c.is_ascii_graphic() || "{}*?#\"<>\\".contains(c);
            if let Some(c) = segment.chars().find(|c| odd(*c)) {
                return Err(format!("its path has a {c:?}"));
            }
            if segment.is_empty() && !last {
                return Err("its path has an empty segment".to_owned());
            }
            continue;
        };
        let name = name
            .strip_suffix('}')
            .ok_or_else(|| format!("`{segment}` must be a whole segment, `{{name}}`"))?;
        let plain = name.strip_suffix('+').unwrap_or(name);
        if plain.len() < name.len() && !last {
            return Err(format!("`{segment}` must be the last segment"));
        }
        let shaped = !plain.is_empty()
            && plain
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-:".contains(&b));
        if !shaped {
            return Err(format!("`{segment}` has no proper name"));
        }
        if names.contains(&plain) {
            return Err(format!("`{plain}` stands twice in its path"));
        }
        names.push(plain);
    }
    Ok(path)
}

/// Reads `function:NAME` or a URL.
///
/// Errors: what is wrong, as a fragment.
pub(super) fn target(text: &str) -> Result<RouteTarget, String> {
    if let Some(name) = text.strip_prefix("function:") {
        return match name {
            "" => Err("it names no function".to_owned()),
            name => Ok(RouteTarget::Function(name.to_owned())),
        };
    }
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .ok_or_else(|| "it is neither `function:NAME` nor a URL".to_owned())?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("its URL has no host, or white space".to_owned());
    }
    Ok(RouteTarget::Url(text.to_owned()))
}

/// Returns what two routes have in common when they match the same requests.
pub(super) fn shape(key: &RouteKey) -> String {
    match key {
        RouteKey::Default => "$default".to_owned(),
        RouteKey::Path { method, path } => {
            let segments = path.split('/').map(|segment| match segment {
                greedy if greedy.ends_with("+}") => "{+}",
                parameter if parameter.starts_with('{') => "{}",
                literal => literal,
            });
            format!("{method} {}", segments.collect::<Vec<_>>().join("/"))
        }
    }
}

/// Returns whether a route answers GET requests of `path`.
pub(super) fn answers(key: &RouteKey, path: &str) -> bool {
    let RouteKey::Path { method, path: own } = key else {
        return false;
    };
    if !matches!(*method, "ANY" | "GET") {
        return false;
    }
    let mut asked = path.split('?').next().unwrap_or_default().split('/');
    for segment in own.split('/') {
        if segment.ends_with("+}") {
            return asked.next().is_some();
        }
        match asked.next() {
            Some(_) if segment.starts_with('{') => {}
            Some(literal) if literal == segment => {}
            Some(_) | None => return false,
        }
    }
    asked.next().is_none()
}

/// Methods of a route key.
/// Source: API Gateway developer guide, "Working with routes for HTTP APIs".
pub(super) const METHODS: [&str; 8] = [
    "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
];

#[cfg(test)]
mod tests;
