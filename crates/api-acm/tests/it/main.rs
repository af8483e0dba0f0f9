//! The facade of Certificate Manager over a region in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a world that cannot be set up is a failed test"
)]

use std::collections::BTreeMap;

use api_acm::facade::Acm;
use api_protocol::caller::{Caller, Service};
use api_protocol::request_id::RequestId;
use base::name::AccountId;
use base::region::RegionName;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use control::certificates::{by_arn, served};
use control::gateway::DomainName;
use control::resource::Change;
use control::testing::{Node, pull};
use http::Request;
use serde_json::{Value, json};
use store::memory::MemStore;

const REGION: &str = "eu-west-1";

struct World {
    node: Node,
    facade: Acm<MemStore>,
    caller: Caller,
}

struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn new(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        Self {
            certificate: made.cert.pem().replace("\r\n", "\n"),
            key: made.signing_key.serialize_pem().replace("\r\n", "\n"),
        }
    }

    fn body(&self) -> Value {
        json!({
            "Certificate": STANDARD.encode(&self.certificate),
            "PrivateKey": STANDARD.encode(&self.key),
        })
    }
}

impl World {
    async fn new() -> Self {
        let node = Node::open(REGION).await;
        let region = RegionName::parse(REGION).unwrap();
        Self {
            facade: Acm::new(node.control.clone()),
            caller: Caller::internal(Service::Acm, region, RequestId::from_bits([1; 4])),
            node,
        }
    }

    async fn call(&self, operation: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .header("x-amz-target", format!("CertificateManager.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let response = self.facade.handle(&self.caller, request).await;
        assert_eq!(
            response.headers()["content-type"],
            "application/x-amz-json-1.1"
        );
        let body = serde_json::from_slice(response.body()).unwrap();
        (response.status().as_u16(), body)
    }

    async fn ok(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.call(operation, &body).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    async fn refused(&self, operation: &str, body: Value, code: &str) -> String {
        let (status, answer) = self.call(operation, &body).await;
        assert_eq!(
            (status, &answer["__type"]),
            (400, &json!(code)),
            "{operation}: {answer}"
        );
        answer["message"].as_str().unwrap_or_default().to_owned()
    }

    async fn import(&self, pair: &Pair) -> String {
        let made = self.ok("ImportCertificate", pair.body()).await;
        made["CertificateArn"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_certificate_lives_through_its_operations() {
    let world = World::new().await;
    let pair = Pair::new("api.shop.test");
    let arn = world.import(&pair).await;
    assert!(
        arn.starts_with("arn:aws:acm:eu-west-1:000000000000:certificate/"),
        "{arn}"
    );
    let by = json!({"CertificateArn": arn});
    let got = world.ok("GetCertificate", by.clone()).await;
    assert_eq!(got, json!({"Certificate": pair.certificate}));
    let described = world.ok("DescribeCertificate", by.clone()).await;
    let detail = &described["Certificate"];
    assert_eq!(detail["CertificateArn"], arn);
    assert_eq!(detail["DomainName"], "api.shop.test");
    assert_eq!(detail["SubjectAlternativeNames"], json!(["api.shop.test"]));
    assert_eq!(
        (&detail["Status"], &detail["Type"]),
        (&json!("ISSUED"), &json!("IMPORTED"))
    );
    assert_eq!(detail["KeyAlgorithm"], "EC_prime256v1");
    assert!(detail["ImportedAt"].is_number() && detail["NotAfter"].is_number());
    let listed = world.ok("ListCertificates", json!({})).await;
    assert_eq!(listed["CertificateSummaryList"][0]["CertificateArn"], arn);
    assert_eq!(listed.get("NextToken"), None);
    assert_eq!(world.ok("DeleteCertificate", by.clone()).await, json!({}));
    let gone = "ResourceNotFoundException";
    world.refused("GetCertificate", by.clone(), gone).await;
    world.refused("DeleteCertificate", by, gone).await;
}

#[tokio::test]
async fn a_key_is_stored_sealed_and_opens_in_every_region() {
    let world = World::new().await;
    let pair = Pair::new("api.shop.test");
    let arn = world.import(&pair).await;
    let stored = by_arn(&world.node.control, &arn).unwrap();
    let secret: String = pair.key.lines().nth(1).unwrap().to_owned();
    assert!(!serde_json::to_string(&stored).unwrap().contains(&secret));
    let opened = served(&world.node.control, &stored).unwrap();
    assert_eq!(opened.key_pem, pair.key.as_bytes());
    let other = Node::open("us-east-1").await;
    pull(&other, &world.node).await;
    other.control.refresh().await.unwrap();
    // It is known there, yet is not that region's.
    assert!(by_arn(&other.control, &arn).is_none());
    assert_eq!(served(&other.control, &stored).unwrap(), opened);
}

#[tokio::test]
async fn an_import_may_replace_a_certificate() {
    let world = World::new().await;
    let arn = world.import(&Pair::new("api.shop.test")).await;
    let next = Pair::new("next.shop.test");
    let mut body = next.body();
    body["CertificateArn"] = json!(arn);
    let again = world.ok("ImportCertificate", body.clone()).await;
    assert_eq!(again, json!({"CertificateArn": arn}));
    let got = world
        .ok("GetCertificate", json!({"CertificateArn": arn}))
        .await;
    assert_eq!(got["Certificate"], next.certificate);
    let stored = by_arn(&world.node.control, &arn).unwrap();
    assert_eq!(
        served(&world.node.control, &stored).unwrap().key_pem,
        next.key.as_bytes()
    );
    body["CertificateArn"] = json!(format!("{arn}0"));
    world
        .refused(
            "ImportCertificate",
            body.clone(),
            "ResourceNotFoundException",
        )
        .await;
    body["CertificateArn"] = json!("arn:aws:iam::x");
    world
        .refused("ImportCertificate", body, "InvalidArnException")
        .await;
}

#[tokio::test]
async fn what_cannot_serve_is_not_imported() {
    let world = World::new().await;
    let (one, two) = (Pair::new("a.test"), Pair::new("b.test"));
    let mut body = one.body();
    body["PrivateKey"] = two.body()["PrivateKey"].clone();
    let message = world
        .refused("ImportCertificate", body.clone(), "ValidationException")
        .await;
    assert_eq!(message, "The private key does not match the certificate");
    body["PrivateKey"] = json!("%");
    world
        .refused("ImportCertificate", body, "ValidationException")
        .await;
    let mut body = one.body();
    body["CertificateChain"] = two.body()["Certificate"].clone();
    world
        .refused("ImportCertificate", body, "ValidationException")
        .await;
    let mut body = one.body();
    body["Certificate"] = json!(STANDARD.encode(vec![0xff; 40_000]));
    world
        .refused("ImportCertificate", body, "ValidationException")
        .await;
    let empty = json!({"Certificate": "", "PrivateKey": ""});
    world
        .refused("ImportCertificate", empty, "ValidationException")
        .await;
    world
        .refused("ImportCertificate", json!({}), "SerializationException")
        .await;
    let listed = world.ok("ListCertificates", json!({})).await;
    assert_eq!(listed, json!({"CertificateSummaryList": []}));
}

#[tokio::test]
async fn a_certificate_in_use_stays() {
    let world = World::new().await;
    let arn = world.import(&Pair::new("api.shop.test")).await;
    let domain = DomainName {
        region: REGION.to_owned(),
        account: "000000000000".to_owned(),
        name: "api.shop.test".to_owned(),
        id: "x".to_owned(),
        certificate_arn: arn.clone(),
        ip_address_type: "ipv4".to_owned(),
        tags: BTreeMap::new(),
    };
    world
        .node
        .control
        .change(vec![Change::create(&domain)])
        .await
        .unwrap();
    let by = json!({"CertificateArn": arn});
    let described = world.ok("DescribeCertificate", by.clone()).await;
    assert_eq!(described["Certificate"]["InUseBy"], json!([domain.arn()]));
    let message = world
        .refused("DeleteCertificate", by.clone(), "ResourceInUseException")
        .await;
    assert!(message.contains(&domain.arn()), "{message}");
    world
        .node
        .control
        .change(vec![Change::remove(&domain)])
        .await
        .unwrap();
    world.ok("DeleteCertificate", by).await;
}

#[tokio::test]
async fn tags_are_added_and_removed() {
    let world = World::new().await;
    let arn = world.import(&Pair::new("a.test")).await;
    let tagging = |tags: Value| json!({"CertificateArn": arn, "Tags": tags});
    let two = json!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}, {"Key": "c"}]);
    world.ok("AddTagsToCertificate", tagging(two)).await;
    let some = json!([{"Key": "a", "Value": "other"}, {"Key": "b", "Value": "2"}, {"Key": "c"}]);
    world.ok("RemoveTagsFromCertificate", tagging(some)).await;
    let left = world
        .ok("ListTagsForCertificate", json!({"CertificateArn": arn}))
        .await;
    assert_eq!(left, json!({"Tags": [{"Key": "a", "Value": "1"}]}));
    let aws = tagging(json!([{"Key": "aws:x"}]));
    world
        .refused("AddTagsToCertificate", aws, "InvalidTagException")
        .await;
    let many: Vec<_> = (0..51).map(|n| json!({"Key": n.to_string()})).collect();
    world
        .refused(
            "AddTagsToCertificate",
            tagging(json!(many)),
            "TooManyTagsException",
        )
        .await;
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() {
    let world = World::new().await;
    let mut made = Vec::new();
    for name in ["a.test", "b.test", "c.test"] {
        made.push(world.import(&Pair::new(name)).await);
    }
    let arns = |answer: &Value| -> Vec<String> {
        let list = answer["CertificateSummaryList"].as_array().unwrap();
        let arn = |one: &Value| one["CertificateArn"].as_str().unwrap().to_owned();
        list.iter().map(arn).collect()
    };
    let first = world.ok("ListCertificates", json!({"MaxItems": 2})).await;
    assert_eq!(arns(&first), made[..2]);
    let token = &first["NextToken"];
    let second = world
        .ok(
            "ListCertificates",
            json!({"MaxItems": 2, "NextToken": token}),
        )
        .await;
    assert_eq!(arns(&second), made[2..]);
    assert_eq!(second.get("NextToken"), None);
    let none = json!({"Includes": {"keyTypes": ["RSA_2048"]}});
    assert!(arns(&world.ok("ListCertificates", none).await).is_empty());
    let expired = json!({"CertificateStatuses": ["EXPIRED"]});
    assert!(arns(&world.ok("ListCertificates", expired).await).is_empty());
    let descending = json!({"SortBy": "CREATED_AT", "SortOrder": "DESCENDING"});
    made.reverse();
    assert_eq!(arns(&world.ok("ListCertificates", descending).await), made);
    world
        .refused(
            "ListCertificates",
            json!({"MaxItems": 0}),
            "ValidationException",
        )
        .await;
    world
        .refused(
            "ListCertificates",
            json!({"NextToken": "x"}),
            "ValidationException",
        )
        .await;
}

#[tokio::test]
async fn what_is_not_served_is_named() {
    let mut world = World::new().await;
    let body = json!({"DomainName": "a.test"});
    let message = world
        .refused("RequestCertificate", body, "ValidationException")
        .await;
    assert!(message.contains("ImportCertificate"), "{message}");
    let unknown = "UnknownOperationException";
    let message = world.refused("RenewCertificate", json!({}), unknown).await;
    assert!(message.ends_with("RenewCertificate"), "{message}");
    let arn = world.import(&Pair::new("a.test")).await;
    world.caller.account = AccountId::parse("111111111111").unwrap();
    let by = json!({"CertificateArn": arn});
    world
        .refused("GetCertificate", by, "ResourceNotFoundException")
        .await;
}
