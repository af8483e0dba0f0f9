//! The public Rust runtime, `lambda_http`, as the other end of the Runtime API.

use std::env;

use lambda_http::{Body, Error, Request, RequestExt, Response, service_fn};

use crate::bootstrap::{World, package, text};

/// Not a test of its own: started again as a function's bootstrap, it is the function.
#[tokio::test]
async fn as_bootstrap() {
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let greet = |request: Request| async move {
        let name = request.raw_http_path().to_owned();
        let fails = request.method() == "DELETE";
        let body = Body::Text(format!("hello {name}"));
        let response = Response::builder().status(201).body(body)?;
        if fails {
            return Err::<_, Error>("no deletes".into());
        }
        Ok(response)
    };
    lambda_http::run(service_fn(greet)).await.unwrap();
}

fn event(method: &str) -> String {
    format!(
        r#"{{"version": "2.0", "routeKey": "$default", "rawPath": "/ann", "rawQueryString": "",
            "headers": {{"host": "api.shop.test"}}, "isBase64Encoded": false,
            "requestContext": {{"accountId": "000000000000", "apiId": "a1b2c3", "stage": "$default",
                "domainName": "api.shop.test", "requestId": "1", "routeKey": "$default",
                "time": "31/Jan/2026:12:00:00 +0000", "timeEpoch": 1769860800000,
                "http": {{"method": "{method}", "path": "/ann", "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1", "userAgent": "test"}}}}}}"#
    )
}

#[tokio::test]
async fn a_function_of_the_public_crate_runs_unchanged() {
    let myself = env::current_exe().unwrap();
    let bootstrap = format!(
        "#!/bin/sh\nexec {} --exact public_client::as_bootstrap --nocapture\n",
        myself.display()
    );
    let world = World::new();
    let code = world.put(package(bootstrap.as_bytes(), 0o755));
    world.change(|spec| spec.code = code);
    for _ in 0..3 {
        let answer = world.text(&event("GET")).await;
        assert!(answer.contains(r#""statusCode":201"#), "{answer}");
        assert!(answer.contains(r#""body":"hello /ann""#), "{answer}");
    }
    let failed = world.answer(&event("DELETE")).await;
    assert_eq!(failed.function_error(), Some("Unhandled"));
    assert!(text(&failed).contains("no deletes"), "{}", text(&failed));
    assert_eq!(world.host.instances().values().sum::<usize>(), 1);
}
