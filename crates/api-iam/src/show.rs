//! Users, keys and policies in IAM's XML.
//!
//! It looks nothing up.

use api_protocol::timestamp::iso_seconds;
use api_protocol::xml::XmlWriter;
use clock::time::WallTime;
use control::access::{AccessKey, ManagedPolicy, User};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How many users have a policy.
#[derive(Clone, Copy, Default)]
pub(crate) struct Uses {
    /// Those that it is attached to.
    pub(crate) attached: usize,
    /// Those that it bounds.
    pub(crate) bounding: usize,
}

/// Writes a moment.
pub(crate) fn moment(xml: &mut XmlWriter, name: &str, micros: i64) {
    xml.leaf(name, &iso_seconds(WallTime::from_micros(micros)));
}

/// Writes a user; lists leave out boundary and tags.
pub(crate) fn user(xml: &mut XmlWriter, user: &User) {
    xml.leaf("Path", &user.path);
    xml.leaf("UserName", &user.name);
    xml.leaf("UserId", &user.id);
    xml.leaf("Arn", &user.arn());
    moment(xml, "CreateDate", user.created_micros);
}

/// Writes what of a user lists leave out.
pub(crate) fn user_rest(xml: &mut XmlWriter, user: &User) {
    if let Some(boundary) = &user.boundary {
        xml.within("PermissionsBoundary", |xml| {
            xml.leaf("PermissionsBoundaryType", "Policy");
            xml.leaf("PermissionsBoundaryArn", boundary);
        });
    }
    tags(xml, user.tags.iter());
}

/// Writes tags; none at all where there are none.
pub(crate) fn tags<'t>(
    xml: &mut XmlWriter,
    tags: impl ExactSizeIterator<Item = (&'t String, &'t String)>,
) {
    if tags.len() == 0 {
        return;
    }
    xml.within("Tags", |xml| {
        for (key, value) in tags {
            xml.within("member", |xml| {
                xml.leaf("Key", key);
                xml.leaf("Value", value);
            });
        }
    });
}

/// Writes a key without its secret.
pub(crate) fn key(xml: &mut XmlWriter, key: &AccessKey) {
    xml.leaf("UserName", &key.user);
    xml.leaf("AccessKeyId", &key.id);
    xml.leaf("Status", key.state().as_str());
    moment(xml, "CreateDate", key.created_micros);
}

/// Writes a policy, without its document, which has one version always.
pub(crate) fn policy(xml: &mut XmlWriter, policy: &ManagedPolicy, uses: Uses) {
    xml.leaf("PolicyName", &policy.name);
    xml.leaf("PolicyId", &policy.id);
    xml.leaf("Arn", &policy.arn());
    xml.leaf("Path", &policy.path);
    xml.leaf("DefaultVersionId", VERSION);
    xml.leaf("AttachmentCount", &uses.attached.to_string());
    xml.leaf("PermissionsBoundaryUsageCount", &uses.bounding.to_string());
    xml.leaf("IsAttachable", "true");
    if !policy.description.is_empty() {
        xml.leaf("Description", &policy.description);
    }
    moment(xml, "CreateDate", policy.created_micros);
    moment(xml, "UpdateDate", policy.updated_micros);
    tags(xml, policy.tags.iter());
}

/// Writes the one version of a policy.
pub(crate) fn version(xml: &mut XmlWriter, policy: &ManagedPolicy) {
    xml.leaf("Document", &document(&policy.document));
    xml.leaf("VersionId", VERSION);
    xml.leaf("IsDefaultVersion", "true");
    moment(xml, "CreateDate", policy.updated_micros);
}

/// Returns a document as IAM shows it: encoded as in a URL.
///
/// Source: IAM API reference, `GetPolicyVersion` ("compliant with RFC 3986").
pub(crate) fn document(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

/// Writes whether a list goes on, and where.
pub(crate) fn end(xml: &mut XmlWriter, marker: Option<&str>) {
    xml.leaf(
        "IsTruncated",
        if marker.is_some() { "true" } else { "false" },
    );
    if let Some(marker) = marker {
        xml.leaf("Marker", marker);
    }
}

/// The id of a policy's only version.
pub(crate) const VERSION: &str = "v1";

const RESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
