//! What is built, and what is left out with a reason.

use super::*;

fn region() -> RegionName {
    RegionName::parse("eu-west-1").unwrap()
}

fn build(uri: &str, variables: &[(&str, &str)]) -> Result<Target, String> {
    let variables = variables
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    let parts = IntegrationParts {
        patience: Duration::from_secs(99),
        target: if uri.starts_with("http") {
            TargetParts::Http {
                uri: uri.to_owned(),
                method: "ANY".to_owned(),
            }
        } else {
            TargetParts::Function {
                uri: uri.to_owned(),
                payload: PayloadFormat::V2,
            }
        },
    };
    let built = build_integration(&region(), parts, &variables.collect())?;
    assert_eq!(built.patience, INTEGRATION_PATIENCE);
    Ok(built.target)
}

#[test]
fn stage_variables_are_put_into_uris() {
    let arn = "arn:aws:lambda:eu-west-1:000000000000:function:${stageVariables.fn}";
    let Ok(Target::Function { name, .. }) = build(arn, &[("fn", "cart")]) else {
        panic!("a function is built");
    };
    assert_eq!(name.as_str(), "cart");
    assert_eq!(build(arn, &[]).unwrap_err(), "stage variable fn is not set");
    build("http://${stageVariables.host}:80/x", &[("host", "h")]).unwrap();
    build("http://${stageVariables.host", &[("host", "h")]).unwrap_err();
}

#[test]
fn functions_elsewhere_are_left_out() {
    let elsewhere = build("arn:aws:lambda:us-east-1:000000000000:function:cart", &[]);
    assert_eq!(elsewhere.unwrap_err(), "function cart is in us-east-1");
    let alias = build(
        "arn:aws:lambda:eu-west-1:000000000000:function:cart:live",
        &[],
    );
    assert!(alias.unwrap_err().contains("(live)"));
}

#[test]
fn what_cannot_be_used_is_reported_and_the_rest_stays() {
    let api = ApiParts {
        id: "abc".to_owned(),
        account: AccountId::DEFAULT,
        name: "shop".to_owned(),
        endpoint: OwnEndpoint::Enabled,
        cors: None,
        sessions: Sessions::Off,
        stages: vec![StageParts {
            name: "$default".to_owned(),
            variables: BTreeMap::new(),
            routes: vec![("GET".to_owned(), None), ("GET /x".to_owned(), None)],
        }],
    };
    let mapping = |api: &str| MappingParts {
        key: String::new(),
        api: api.to_owned(),
        stage: "$default".to_owned(),
    };
    let domain = DomainParts {
        name: "API.Shop.Test".to_owned(),
        certificate: "arn:c".to_owned(),
        sessions: Sessions::Off,
        mappings: vec![mapping("abc"), mapping("gone")],
    };
    let (config, problems) = Config::build(&region(), vec![api], vec![domain]);
    let places: Vec<_> = problems.iter().map(|p| p.place.as_str()).collect();
    let stage = "API abc, stage $default";
    assert_eq!(places, [stage, stage, "domain api.shop.test"]);
    assert_eq!(
        config.domains().collect::<Vec<_>>(),
        [("api.shop.test", "arn:c")]
    );
}
