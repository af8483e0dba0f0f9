//! The app, deployed on a host of functions.

use std::env;
use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::time::Duration;

use base::region::RegionName;
use bytes::Bytes;
use clock::port::Clock as _;
use clock::wall::System;
use function::code::{CodeSource, CodeUnavailable};
use function::host::{Host, HostConfig};
use function::spec::{CodeHash, FunctionSpec, Functions, Surroundings};
use gateway_core::invoke::{FunctionName, Invoke as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::dynamodb::Table;

pub(crate) struct Shop {
    pub(crate) table: Table,
    host: Host,
    name: FunctionName,
    _functions: watch::Sender<Arc<Functions>>,
    _dir: TempDir,
}

struct Package(Bytes);

impl CodeSource for Package {
    async fn fetch(&self, _: CodeHash) -> Result<Bytes, CodeUnavailable> {
        Ok(self.0.clone())
    }
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let (table, dir) = (Table::open().await, TempDir::new().unwrap());
        let package = package();
        let name = FunctionName::parse("cart").unwrap();
        let region = RegionName::parse("eu-west-1").unwrap();
        let spec = FunctionSpec {
            name: name.clone(),
            region: region.clone(),
            arn: "arn:aws:lambda:eu-west-1:000000000000:function:cart".into(),
            code: CodeHash::of(&package),
            handler: "bootstrap".into(),
            runtime: "provided.al2023".into(),
            environment: [("TABLE".into(), "carts".into())].into(),
            timeout: Duration::from_mins(1),
            memory_mb: 128,
            revision: "1".into(),
            concurrency: None,
        };
        let functions = watch::Sender::new(Arc::new([spec].into_iter().collect()));
        let config = HostConfig {
            code_dir: dir.path().join("code"),
            surroundings: Surroundings {
                region,
                endpoint_url: format!("http://{}", table.address),
                access_key_id: "key".into(),
                secret_access_key: "secret".into(),
                session_token: None,
                search_path: "/usr/bin:/bin".into(),
            },
            clock: Arc::new(System),
            entropy: Arc::new(System),
        };
        let host = Host::start(config, functions.subscribe(), Package(package)).unwrap();
        Self {
            table,
            host,
            name,
            _functions: functions,
            _dir: dir,
        }
    }

    /// Sends a request as an HTTP API does, and returns status and body of the answer.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> (u64, Value) {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
            "headers": { "host": "api.shop.test" }, "body": body, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "000000000000", "apiId": "a1b2c3", "stage": "$default",
                "domainName": "api.shop.test", "requestId": "1", "routeKey": "$default",
                "time": "31/Jan/2026:12:00:00 +0000", "timeEpoch": 1_769_860_800_000_u64,
                "http": {
                    "method": method, "path": path, "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1", "userAgent": "test",
                },
            },
        });
        let deadline = System.now() + Duration::from_mins(2);
        let answer = self
            .host
            .invoke(&self.name, Bytes::from(event.to_string()), deadline)
            .await
            .unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        (answer["statusCode"].as_u64().unwrap(), body)
    }

    /// Returns what the app has written.
    pub(crate) fn log(&self) -> String {
        let lines = self.host.log(&self.name, 0, 1000).unwrap();
        let lines: Vec<String> = lines.into_iter().map(|line| line.text).collect();
        lines.join("\n")
    }
}

/// A package whose bootstrap is this test's program, told to be the app.
fn package() -> Bytes {
    let myself = env::current_exe().unwrap();
    let bootstrap = format!(
        "#!/bin/sh\nexec {} --exact as_bootstrap --nocapture\n",
        myself.display()
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options).unwrap();
    zip.write_all(bootstrap.as_bytes()).unwrap();
    Bytes::from(zip.finish().unwrap().into_inner())
}
