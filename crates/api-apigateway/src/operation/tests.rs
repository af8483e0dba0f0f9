//! Paths of the service model.

use super::*;

#[track_caller]
fn check(method: Method, path: &str, expect: Result<Operation<'_>, &str>) {
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let found = Operation::of(&method, &segments);
    match (found, expect) {
        (Ok(found), Ok(expect)) => assert_eq!(found, expect),
        (Err(fault), Err(name)) => {
            assert_eq!(fault.code, "UnknownOperationException");
            assert!(fault.message.ends_with(name), "{fault}");
        }
        (found, expect) => panic!("{path}: {found:?}, not {expect:?}"),
    }
}

#[test]
fn paths_name_operations() {
    check(Method::POST, "/v2/apis", Ok(Operation::Api(Verb::Create)));
    check(
        Method::PATCH,
        "/v2/apis/a",
        Ok(Operation::Api(Verb::Update("a"))),
    );
    check(
        Method::DELETE,
        "/v2/apis/a/cors",
        Ok(Operation::DeleteCors("a")),
    );
    let stage = Operation::Stage("a", Verb::Get("$default"));
    check(Method::GET, "/v2/apis/a/stages/$default", Ok(stage));
    let mapping = Operation::Mapping("d.test", Verb::Delete("m"));
    check(
        Method::DELETE,
        "/v2/domainnames/d.test/apimappings/m",
        Ok(mapping),
    );
    let arn = "arn:aws:apigateway:r::/apis/a";
    let tags = Operation::GetTags(arn.to_owned());
    check(Method::GET, &format!("/v2/tags/{arn}"), Ok(tags));
}

#[test]
fn what_is_not_served_is_named() {
    check(
        Method::POST,
        "/v2/apis/a/authorizers",
        Err("CreateAuthorizer"),
    );
    check(Method::PUT, "/v2/apis", Err("ImportApi"));
    check(
        Method::DELETE,
        "/v2/apis/a/stages/s/routesettings/k",
        Err("DeleteRouteSettings"),
    );
    check(Method::GET, "/v2/vpclinks", Err("GetVpcLinks"));
    check(Method::GET, "/restapis", Err("GET /restapis"));
    check(Method::GET, "/v2/tags", Err("GET /v2/tags"));
    check(
        Method::PUT,
        "/v2/apis/a/stages",
        Err("PUT /v2/apis/a/stages"),
    );
}
