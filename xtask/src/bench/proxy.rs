//! Processor time per proxied request beside nginx.
//!
//! Both lead the same requests to the same upstream, over kept connections, without TLS and
//! without a cache. The upstream is ours and its cost is counted to neither.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::bench::load::{self, Ask, Load};
use crate::bench::process::{Process, accepts, free_port};
use crate::bench::region::{self, Binary, REGION};
use crate::bench::report::Figure;
use crate::bench::{debian, folder, http, runtime};

pub(super) fn measure(binary: &Binary) -> Result<Vec<Figure>> {
    let folder = folder("proxy")?;
    let upstream = Upstream::start()?;
    let ours = region::alone(binary, &folder)?;
    let host = runtime()?.block_on(make_api(ours.ports.api(), upstream.address))?;
    let ours_us = micros_per_request(&ours.process, ours.ports.http(), &host).context("ours")?;
    drop(ours);
    let mut figure = Figure::new("processor time per proxied request", ours_us, "µs");
    match nginx(&folder, upstream.address) {
        Ok(theirs) => figure = figure.beside("nginx", theirs),
        Err(error) => eprintln!("no nginx: {error:#}"),
    }
    Ok(vec![figure])
}

/// Makes an HTTP API that leads everything to the upstream; returns the host of its endpoint.
async fn make_api(api: SocketAddr, upstream: SocketAddr) -> Result<String> {
    let call = |path: String, body: serde_json::Value| async move {
        region::rest_json(api, "apigateway", ("POST", &path), &body).await
    };
    let text = |value: &serde_json::Value, key: &str| {
        value[key]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("an answer has {key}"))
    };
    let made = call(
        "/v2/apis".to_owned(),
        json!({"name": "bench", "protocolType": "HTTP"}),
    );
    let id = text(&made.await?, "apiId")?;
    let integration = json!({
        "integrationType": "HTTP_PROXY",
        "integrationMethod": "ANY",
        "integrationUri": format!("http://{upstream}/"),
        "payloadFormatVersion": "1.0",
    });
    let made = call(format!("/v2/apis/{id}/integrations"), integration).await?;
    let target = format!("integrations/{}", text(&made, "integrationId")?);
    let route = json!({"routeKey": "$default", "target": target});
    call(format!("/v2/apis/{id}/routes"), route).await?;
    let stage = json!({"stageName": "$default", "autoDeploy": true});
    call(format!("/v2/apis/{id}/stages"), stage).await?;
    Ok(format!("{id}.execute-api.{REGION}.hither.internal"))
}

fn nginx(folder: &Path, upstream: SocketAddr) -> Result<f64> {
    let port = free_port(Ipv4Addr::LOCALHOST.into())?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let home = folder.display();
    let configuration = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid {home}/nginx.pid;\n\
         error_log {home}/error.log;\nevents {{ worker_connections 1024; }}\nhttp {{\n\
         access_log off;\nclient_body_temp_path {home}/body;\nproxy_temp_path {home}/proxy;\n\
         fastcgi_temp_path {home}/f;\nuwsgi_temp_path {home}/u;\nscgi_temp_path {home}/s;\n\
         keepalive_requests 100000000;\n\
         upstream bench {{ server {upstream}; keepalive 128; keepalive_requests 100000000; }}\n\
         server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://bench; \
         proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }}\n}}\n"
    );
    let path = folder.join("nginx.conf");
    std::fs::write(&path, configuration)?;
    let mut command = debian::command("nginx", &["nginx-light", "nginx-common"])?;
    command.arg("-c").arg(&path).arg("-p").arg(folder);
    let mut process = Process::start(&mut command, &folder.join("nginx.log"))?;
    process.wait_for(Duration::from_secs(10), || accepts(address))?;
    micros_per_request(&process, address, "bench.test")
}

fn micros_per_request(process: &Process, address: SocketAddr, host: &str) -> Result<f64> {
    let request = http::request("GET", "/item?q=1", &[("host", host), ("accept", "*/*")], "");
    let mut times = Vec::new();
    let outcome = load::run(address, Load::USUAL, &Same(request.into()), || {
        times.push(process.cpu()?);
        Ok(())
    })?;
    let (Some(before), Some(after)) = (times.first(), times.get(1)) else {
        anyhow::bail!("the load ended early");
    };
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
    let requests = outcome.requests.max(1) as f64;
    Ok(after.saturating_sub(*before).as_secs_f64() * 1e6 / requests)
}

/// The same request each time; any body is its answer.
#[derive(Clone)]
struct Same(std::sync::Arc<[u8]>);

impl Ask for Same {
    fn write(&self, _at: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn is_done(&self, body: &[u8]) -> bool {
        BODY_BYTES <= body.len()
    }
}

/// A server that answers every request with the same 1 KB, on a thread of its own.
struct Upstream {
    address: SocketAddr,
}

impl Upstream {
    /// Starts it; it ends with this process.
    fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = runtime()?;
        std::thread::Builder::new()
            .name("upstream".to_owned())
            .spawn(move || runtime.block_on(serve(listener)))?;
        Ok(Self { address })
    }
}

async fn serve(listener: std::net::TcpListener) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let body = "x".repeat(BODY_BYTES);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer: std::sync::Arc<[u8]> = answer.into_bytes().into();
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = std::sync::Arc::clone(&answer);
        tokio::spawn(async move {
            let mut buf = Vec::with_capacity(4_096);
            // A request of ours has no body, so it ends with its head.
            while stream.read_buf(&mut buf).await.is_ok_and(|read| read != 0) {
                if buf.ends_with(b"\r\n\r\n") {
                    buf.clear();
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

/// What the upstream answers with.
const BODY_BYTES: usize = 1_024;
