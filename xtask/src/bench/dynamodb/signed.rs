//! Calls with real signatures, signed ahead so that only checking them is measured.
//!
//! The keys are made for the run and are worth nothing elsewhere. Source: AWS general reference,
//! "Signature Version 4", by the official signer.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::bench::dynamodb::work::Work;
use crate::bench::http;
use crate::bench::load::Ask;
use crate::bench::region::REGION;

/// Signed calls of one kind, which are sent in turn.
#[derive(Clone)]
pub(super) struct Signed {
    requests: Arc<[Vec<u8>]>,
    work: Work,
}

impl Signed {
    /// Signs as many calls as a part of the memory holds. They are good for five minutes.
    pub(super) fn new(work: Work, address: SocketAddr, items: u64) -> Result<Self> {
        let host = address.to_string();
        let mut body = Vec::new();
        let (mut requests, mut bytes, mut at) = (Vec::new(), 0, 0);
        while bytes < POOL_BYTES && requests.len() < POOL {
            body.clear();
            work.body(at, items, &mut body);
            let request = signed(work.operation(), &host, std::str::from_utf8(&body)?)?;
            bytes += request.len();
            requests.push(request);
            at += 1;
        }
        let requests = requests.into();
        Ok(Self { requests, work })
    }
}

impl Ask for Signed {
    fn write(&self, at: u64, out: &mut Vec<u8>) {
        let at = usize::try_from(at).unwrap_or(0) % self.requests.len();
        out.extend_from_slice(&self.requests[at]);
    }

    fn is_done(&self, body: &[u8]) -> bool {
        self.work.is_done(body)
    }
}

/// Writes the file of credentials that a region checks signatures with.
pub(super) fn credentials(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("credentials");
    let text = format!("[default]\naws_access_key_id={KEY}\naws_secret_access_key={SECRET}\n");
    std::fs::write(&path, text).context("write credentials")?;
    Ok(path)
}

fn signed(operation: &str, host: &str, body: &str) -> Result<Vec<u8>> {
    let identity = Credentials::new(KEY, SECRET, None, None, "bench").into();
    let target = format!("DynamoDB_20120810.{operation}");
    let plain = [
        ("host", host),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", &*target),
    ];
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("dynamodb")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?
        .into();
    let url = format!("http://{host}/");
    let signable = SignableBody::Bytes(body.as_bytes());
    let signable = SignableRequest::new("POST", url, plain.into_iter(), signable)?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    let (added, _) = instructions.into_parts();
    let added: Vec<(String, String)> = added
        .into_iter()
        .map(|header| (header.name().to_owned(), header.value().to_owned()))
        .collect();
    let all = plain.into_iter();
    let all = all.chain(added.iter().map(|(name, value)| (&**name, &**value)));
    let headers: Vec<(&str, &str)> = all.collect();
    Ok(http::request("POST", "/", &headers, body))
}

/// Calls that are signed ahead, and the bytes that they take at most. 10,000, as many as a small
/// table has items; 32 MiB.
const POOL: usize = 10_000;
const POOL_BYTES: usize = 32 * 1_048_576;

const KEY: &str = "AKIABENCHBENCHBENCH0";
const SECRET: &str = "bench/secret/bench/secret/bench/secret00";
