//! Tests of record sets: batches, lists, and the answers that DNS gives from them.

use control::dns::LatencyEntry;
use control::resource::Change;

use crate::sut::{Region, change, value};

#[tokio::test]
async fn a_batch_is_all_or_nothing() {
    let region = Region::open("eu-west-1").await;
    let id = region.zone("a.test").await;
    let batch = [
        change("CREATE", "x.a.test", "A", &value("192.0.2.1")),
        change("CREATE", "y.a.test", "A", &value("nowhere")),
        change("DELETE", "z.a.test", "A", &value("192.0.2.1")),
    ];
    let refused = region.change(&id, &batch).await;
    assert_eq!(
        refused.failure(),
        (
            400,
            "InvalidChangeBatch".to_owned(),
            "[Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a \
             valid IPv4 address) encountered with 'nowhere'']"
                .to_owned()
        )
    );
    let sets = region
        .send("GET", &format!("hostedzone/{id}/rrset"), "")
        .await;
    assert_eq!(
        sets.texts("ResourceRecordSets", "ResourceRecordSet", "Type"),
        ["NS", "SOA"]
    );
    let batch = [
        change("CREATE", "x.a.test", "A", &value("192.0.2.1")),
        change("DELETE", "z.a.test", "A", &value("192.0.2.1")),
        change("CREATE", "b.test", "A", &value("192.0.2.1")),
    ];
    assert_eq!(
        region.change(&id, &batch).await.failure().2,
        "[Tried to delete resource record set [name='z.a.test.', type='A'] but it was not found, \
         RRSet with DNS name b.test. is not permitted in zone a.test.]"
    );
    // A zone with record sets of its user is not removed.
    let made = region.change(&id, &batch[..1]).await;
    assert_eq!(made.status, 200);
    let refused = region.send("DELETE", &format!("hostedzone/{id}"), "").await;
    assert_eq!(refused.failure().1, "HostedZoneNotEmpty");
}

#[tokio::test]
async fn shapes_are_checked_in_route_53s_words() {
    let region = Region::open("eu-west-1").await;
    let id = region.zone("a.test").await;
    let refused = async |rest: &str| {
        let batch = [change("CREATE", "x.a.test", "A", rest)];
        let (status, code, message) = region.change(&id, &batch).await.failure();
        assert_eq!((status, code.as_str()), (400, "InvalidInput"), "{message}");
        message
    };
    let place = "in Change with [Action=CREATE, Name=x.a.test, Type=A, SetIdentifier=";
    assert_eq!(
        refused(&format!(
            "<SetIdentifier>s</SetIdentifier>{}",
            value("192.0.2.1")
        ))
        .await,
        format!(
            "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, or \
             MultiValueAnswer], but found none {place}s]"
        )
    );
    assert_eq!(
        refused("").await,
        format!(
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and \
             ResourceRecords], or TrafficPolicyInstanceId], but found none {place}null]"
        )
    );
    assert_eq!(
        refused(&format!("<Weight>1</Weight>{}", value("192.0.2.1"))).await,
        format!("Invalid request: Missing field 'SetIdentifier' {place}null]")
    );
    assert_eq!(
        refused("<AliasTarget><HostedZoneId>Z1</HostedZoneId></AliasTarget>").await,
        "Invalid XML ; cvc-complex-type.2.4.b: The content of element 'AliasTarget' is not \
         complete. One of '{\"https://route53.amazonaws.com/doc/2013-04-01/\":DNSName}' is \
         expected."
    );
    let geo = "<SetIdentifier>s</SetIdentifier><GeoLocation><CountryCode>*</CountryCode>\
        </GeoLocation>";
    assert_eq!(
        refused(&format!("{geo}{}", value("192.0.2.1"))).await,
        format!("Invalid request: GeoLocation routing is not supported {place}s]")
    );
    let batch = [change("CREATE", "x.a.test", "LOC", &value("here"))];
    assert_eq!(region.change(&id, &batch).await.failure().1, "InvalidInput");
    let check = format!("{}<HealthCheckId>none</HealthCheckId>", value("192.0.2.1"));
    let batch = [change("CREATE", "x.a.test", "A", &check)];
    let (status, code, _) = region.change(&id, &batch).await.failure();
    assert_eq!((status, code.as_str()), (404, "NoSuchHealthCheck"));
}

#[tokio::test]
async fn lists_are_ordered_escaped_and_paged() {
    let region = Region::open("eu-west-1").await;
    let id = region.zone("z.test").await;
    let weighted = |id: &str| {
        let value = value("192.0.2.1");
        format!("<SetIdentifier>{id}</SetIdentifier><Weight>1</Weight>{value}")
    };
    let batch = [
        change("CREATE", "b.z.test", "A", &weighted("two")),
        change("CREATE", "b.z.test", "A", &weighted("one")),
        change("CREATE", "*.z.test", "TXT", &value("\"x\"")),
        change("CREATE", "a.b.z.test", "A", &value("192.0.2.1")),
        change("CREATE", "a.z.test", "MX", &value("1 m.test")),
        change("CREATE", "a.z.test", "A", &value("192.0.2.1")),
    ];
    let made = region.change(&id, &batch).await;
    assert_eq!(made.status, 200, "{made:?}");
    let list = async |query: &str| {
        region
            .send("GET", &format!("hostedzone/{id}/rrset{query}"), "")
            .await
    };
    let shown = |page: &crate::sut::Answer| {
        let names = page.texts("ResourceRecordSets", "ResourceRecordSet", "Name");
        let types = page.texts("ResourceRecordSets", "ResourceRecordSet", "Type");
        names
            .into_iter()
            .zip(types)
            .map(|(n, t)| format!("{n} {t}"))
            .collect::<Vec<_>>()
    };
    let all = list("").await;
    assert_eq!(
        shown(&all),
        [
            "z.test. NS",
            "z.test. SOA",
            "\\052.z.test. TXT",
            "a.z.test. A",
            "a.z.test. MX",
            "b.z.test. A",
            "b.z.test. A",
            "a.b.z.test. A",
        ]
    );
    let ids = all.texts("ResourceRecordSets", "ResourceRecordSet", "SetIdentifier");
    assert_eq!(ids, ["one", "two"]);
    // As Terraform reads one back: from its name and type, one item.
    let one = list("?name=a.z.test.&type=MX&maxitems=1").await;
    assert_eq!(shown(&one), ["a.z.test. MX"]);
    assert_eq!(
        (one.text("NextRecordName"), one.text("NextRecordType")),
        ("b.z.test.".into(), "A".into())
    );
    assert_eq!(one.text("NextRecordIdentifier"), "one");
    let two = list("?name=b.z.test.&type=A&identifier=two&maxitems=1").await;
    assert_eq!(shown(&two), ["b.z.test. A"]);
    assert_eq!(
        two.texts("ResourceRecordSets", "ResourceRecordSet", "SetIdentifier"),
        ["two"]
    );
    assert_eq!(
        shown(&list("?name=%5C052.z.test&maxitems=1").await),
        ["\\052.z.test. TXT"]
    );
    assert_eq!(
        shown(&list("?name=*.z.test&maxitems=1").await),
        ["\\052.z.test. TXT"]
    );
    assert_eq!(shown(&list("?name=c.z.test").await), Vec::<String>::new());
    assert_eq!(list("?type=A").await.failure().1, "InvalidInput");
    assert_eq!(list("?maxitems=0").await.failure().1, "InvalidInput");
}

/// Writes the change that leads a region's clients to its gateway.
fn latency_alias(region: &str, number: u16) -> String {
    change(
        "UPSERT",
        "api.shop.test",
        "A",
        &format!(
            "<SetIdentifier>{region}</SetIdentifier><Region>{region}</Region><AliasTarget>\
             <HostedZoneId>ZHITHER{number:06X}</HostedZoneId>\
             <DNSName>d-1.execute-api.{region}.hither.internal</DNSName>\
             <EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>"
        ),
    )
}

#[tokio::test]
async fn latency_aliases_are_stored_shown_and_answered() {
    let region = Region::open("us-east-1").await;
    let id = region.zone("shop.test").await;
    let near = |network: &str, micros: [u32; 3]| LatencyEntry {
        network: network.to_owned(),
        rtt_micros: control::testing::REGIONS
            .iter()
            .map(|region| (*region).to_owned())
            .zip(micros)
            .collect(),
    };
    let entries = [
        near("10.1.0.0/16", [5, 80, 150]),
        near("10.2.0.0/16", [80, 5, 200]),
    ];
    let changes = entries.iter().map(Change::put).collect();
    region.node.control.change(changes).await.unwrap();
    let made = region
        .change(
            &id,
            &[latency_alias("us-east-1", 1), latency_alias("eu-west-1", 6)],
        )
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let sets = region
        .send(
            "GET",
            &format!("hostedzone/{id}/rrset?name=api.shop.test"),
            "",
        )
        .await;
    let regions = sets.texts("ResourceRecordSets", "ResourceRecordSet", "Region");
    assert_eq!(regions, ["eu-west-1", "us-east-1"]);
    region.publish();
    let ask = async |subnet: &str| {
        let path = format!(
            "testdnsanswer?hostedzoneid={id}&recordname=api.shop.test&recordtype=A\
             &resolverip=192.0.2.1&edns0clientsubnetip={subnet}"
        );
        region.send("GET", &path, "").await
    };
    let answer = ask("10.2.3.4").await;
    assert_eq!(answer.text("ResponseCode"), "NOERROR");
    assert_eq!(answer.text("RecordData/RecordDataEntry"), "127.0.0.12");
    let because = &answer.headers["x-hither-because"];
    assert!(
        because.contains("client subnet 10.2.3.0 lies in 10.2.0.0/16"),
        "{because}"
    );
    assert!(
        because.contains("chosen \"eu-west-1\" by latency routing"),
        "{because}"
    );
    assert_eq!(
        ask("10.1.3.4").await.text("RecordData/RecordDataEntry"),
        "127.0.0.11"
    );
    let other = format!("testdnsanswer?hostedzoneid={id}&recordname=none.shop.test&recordtype=A");
    assert_eq!(
        region.send("GET", &other, "").await.text("ResponseCode"),
        "NXDOMAIN"
    );
}

#[tokio::test]
async fn changes_at_the_same_time_keep_a_zone_whole() {
    let region = Region::open("eu-west-1").await;
    let id = region.zone("a.test").await;
    let cname = [change("CREATE", "x.a.test", "CNAME", &value("y.test"))];
    let address = [change("CREATE", "x.a.test", "A", &value("192.0.2.1"))];
    let (one, two) = tokio::join!(region.change(&id, &cname), region.change(&id, &address));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}
