//! Tests of hosted zones, changes, limits, tags and names that are no operation.

use std::sync::Arc;

use api_protocol::caller::Authority;
use base::name::AccountId;
use iam::identity::Identity;
use iam::kind::Kind;
use iam::policy::Policy;
use iam::principal::Principal;

use crate::sut::{Region, change, value};

#[tokio::test]
async fn a_zone_comes_with_its_name_servers_and_goes_with_them() {
    let region = Region::open("eu-west-1").await;
    let body = "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
        <Name>Shop.Test</Name><CallerReference>one</CallerReference>\
        <HostedZoneConfig><Comment>ours</Comment></HostedZoneConfig></CreateHostedZoneRequest>";
    let made = region.send("POST", "hostedzone", body).await;
    assert_eq!(
        (made.status, made.document.name.as_str()),
        (201, "CreateHostedZoneResponse")
    );
    let id = made.text("HostedZone/Id");
    assert_eq!(
        made.headers["location"],
        format!("https://route53.amazonaws.com/2013-04-01{id}")
    );
    assert_eq!(made.text("HostedZone/Name"), "shop.test.");
    assert_eq!(made.text("HostedZone/Config/Comment"), "ours");
    assert_eq!(made.text("HostedZone/Config/PrivateZone"), "false");
    assert_eq!(made.text("HostedZone/ResourceRecordSetCount"), "2");
    assert!(made.text("ChangeInfo/Id").starts_with("/change/C"));
    let servers = made.document.child("DelegationSet").unwrap();
    let servers: Vec<_> = servers
        .members("NameServers", "NameServer")
        .map(|server| server.text.clone())
        .collect();
    assert_eq!(
        servers,
        [
            "ns-1.eu-west-1.hither.internal",
            "ns-1.us-east-1.hither.internal",
            "ns-1.ap-northeast-1.hither.internal",
        ]
    );
    // The id with its prefix, put into the path as it is.
    let read = region.send("GET", &format!("hostedzone/{id}"), "").await;
    assert_eq!(read.text("HostedZone/CallerReference"), "one");
    let sets = region
        .send("GET", &format!("hostedzone{}/rrset", &id[11..]), "")
        .await;
    let types = sets.texts("ResourceRecordSets", "ResourceRecordSet", "Type");
    assert_eq!(types, ["NS", "SOA"]);
    let gone = region.send("DELETE", &format!("hostedzone/{id}"), "").await;
    assert_eq!(
        (gone.status, gone.text("ChangeInfo/Status")),
        (200, "INSYNC".to_owned())
    );
    let bare = id.strip_prefix("/hostedzone/").unwrap();
    assert_eq!(
        region
            .send("GET", &format!("hostedzone/{bare}"), "")
            .await
            .failure(),
        (
            404,
            "NoSuchHostedZone".to_owned(),
            format!("No hosted zone found with ID: {bare}")
        )
    );
    assert!(
        region
            .node
            .control
            .all::<control::dns::RecordSet>()
            .is_empty()
    );
}

#[tokio::test]
async fn one_call_makes_one_zone() {
    let region = Region::open("eu-west-1").await;
    let id = region.zone("a.test").await;
    let body = "<CreateHostedZoneRequest><Name>b.test</Name>\
        <CallerReference>a.test</CallerReference></CreateHostedZoneRequest>";
    let again = region.send("POST", "hostedzone", body).await;
    assert_eq!(
        (again.status, again.failure().1.as_str()),
        (409, "HostedZoneAlreadyExists")
    );
    // Made anew after it is gone.
    region.send("DELETE", &format!("hostedzone/{id}"), "").await;
    assert_eq!(region.zone("a.test").await, id);
}

#[tokio::test]
async fn zones_belong_to_their_account() {
    let region = Region::open("eu-west-1").await;
    let id = region.zone("a.test").await;
    let other = AccountId::parse("111111111111").unwrap();
    let list = region.send_as(other, "GET", "hostedzone", "").await;
    assert_eq!(list.texts("HostedZones", "HostedZone", "Id").len(), 0);
    let read = region
        .send_as(other, "GET", &format!("hostedzone/{id}"), "")
        .await;
    assert_eq!(read.status, 404);
    let rest = value("192.0.2.1");
    let path = format!("hostedzone/{id}/rrset");
    let body = format!(
        "<ChangeResourceRecordSetsRequest><ChangeBatch><Changes>{}</Changes></ChangeBatch>\
         </ChangeResourceRecordSetsRequest>",
        change("CREATE", "x.a.test", "A", &rest)
    );
    assert_eq!(
        region.send_as(other, "POST", &path, &body).await.status,
        404
    );
}

#[tokio::test]
async fn lists_come_in_pages() {
    let region = Region::open("eu-west-1").await;
    let mut ids = Vec::new();
    for name in ["b.test", "a.b.test", "a.test"] {
        ids.push(region.zone(name).await);
    }
    ids.sort();
    let first = region.send("GET", "hostedzone?maxitems=2", "").await;
    assert_eq!(first.text("IsTruncated"), "true");
    let marker = first.text("NextMarker");
    let rest = region
        .send("GET", &format!("hostedzone?maxitems=2&marker={marker}"), "")
        .await;
    assert_eq!(rest.text("IsTruncated"), "false");
    let listed: Vec<String> = [first, rest]
        .iter()
        .flat_map(|page| page.texts("HostedZones", "HostedZone", "Id"))
        .map(|id| id.strip_prefix("/hostedzone/").unwrap().to_owned())
        .collect();
    assert_eq!(listed, ids);
    let by_name = region
        .send("GET", "hostedzonesbyname?dnsname=b.test", "")
        .await;
    let names = by_name.texts("HostedZones", "HostedZone", "Name");
    assert_eq!(names, ["b.test.", "a.b.test."]);
    let by_name = region.send("GET", "hostedzonesbyname?maxitems=1", "").await;
    assert_eq!(
        by_name.texts("HostedZones", "HostedZone", "Name"),
        ["a.test."]
    );
    assert_eq!(by_name.text("NextDNSName"), "b.test.");
    let count = region.send("GET", "hostedzonecount", "").await;
    assert_eq!(count.text("HostedZoneCount"), "3");
}

#[tokio::test]
async fn a_change_is_in_sync_once_every_live_region_has_it() {
    let here = Region::open("eu-west-1").await;
    let there = Region::open("us-east-1").await;
    here.reached(&there, true);
    let id = here.zone("a.test").await;
    let changed = here
        .change(
            &id,
            &[change("CREATE", "x.a.test", "A", &value("192.0.2.1"))],
        )
        .await;
    assert_eq!(changed.text("ChangeInfo/Status"), "PENDING");
    let path = changed.text("ChangeInfo/Id");
    let status = async || {
        here.send("GET", &path[1..], "")
            .await
            .text("ChangeInfo/Status")
    };
    assert_eq!(status().await, "PENDING");
    there.catch_up(&here).await;
    here.reached(&there, true);
    assert_eq!(status().await, "INSYNC");
    // The other region knows the zone, the records and the change.
    let sets = there
        .send("GET", &format!("hostedzone/{id}/rrset"), "")
        .await;
    assert_eq!(
        sets.texts("ResourceRecordSets", "ResourceRecordSet", "Type")
            .len(),
        3
    );
    let change = there.send("GET", &path[1..], "").await;
    assert_eq!(change.text("ChangeInfo/Status"), "INSYNC");
    assert_eq!(
        here.send("GET", "change/C123", "").await.failure().1,
        "NoSuchChange"
    );
}

#[tokio::test]
async fn a_region_that_is_down_keeps_no_change_pending() {
    let here = Region::open("eu-west-1").await;
    let down = Region::open("us-east-1").await;
    let there = Region::open("ap-northeast-1").await;
    here.reached(&down, false);
    let id = here.zone("a.test").await;
    let read = here.send("GET", &format!("hostedzone/{id}"), "").await;
    assert_eq!(read.status, 200);
    let rest = value("192.0.2.1");
    let changed = here
        .change(&id, &[change("CREATE", "x.a.test", "A", &rest)])
        .await;
    // Alone, a region cannot tell which of both sides is cut off.
    assert_eq!(changed.text("ChangeInfo/Status"), "PENDING");
    there.catch_up(&here).await;
    here.reached(&there, true);
    let path = changed.text("ChangeInfo/Id");
    let read = here.send("GET", &path[1..], "").await;
    assert_eq!(read.text("ChangeInfo/Status"), "INSYNC");
}

#[tokio::test]
async fn comments_limits_and_signing_can_be_asked_for() {
    let region = Region::open("eu-west-1").await;
    let id = region.zone("a.test").await;
    let body = "<UpdateHostedZoneCommentRequest><Comment>x &amp; y</Comment>\
        </UpdateHostedZoneCommentRequest>";
    let updated = region.send("POST", &format!("hostedzone/{id}"), body).await;
    assert_eq!(updated.text("HostedZone/Config/Comment"), "x & y");
    let limit = region
        .send(
            "GET",
            &format!("hostedzonelimit/{id}/MAX_RRSETS_BY_ZONE"),
            "",
        )
        .await;
    assert_eq!(
        (limit.text("Limit/Value"), limit.text("Count")),
        ("10000".into(), "2".into())
    );
    let limit = region
        .send("GET", "accountlimit/MAX_HOSTED_ZONES_BY_OWNER", "")
        .await;
    assert_eq!(
        (limit.text("Limit/Value"), limit.text("Count")),
        ("500".into(), "1".into())
    );
    let dnssec = region
        .send("GET", &format!("hostedzone/{id}/dnssec"), "")
        .await;
    assert_eq!(dnssec.text("Status/ServeSignature"), "NOT_SIGNING");
}

#[tokio::test]
async fn tags_are_kept_with_their_resource() {
    let region = Region::open("eu-west-1").await;
    let id = region.zone("a.test").await;
    let path = format!("tags/hostedzone/{id}");
    let body = "<ChangeTagsForResourceRequest><AddTags><Tag><Key>a</Key><Value>1</Value></Tag>\
        <Tag><Key>b</Key><Value>2</Value></Tag></AddTags></ChangeTagsForResourceRequest>";
    assert_eq!(region.send("POST", &path, body).await.status, 200);
    let body = "<ChangeTagsForResourceRequest><RemoveTagKeys><Key>a</Key></RemoveTagKeys>\
        </ChangeTagsForResourceRequest>";
    assert_eq!(region.send("POST", &path, body).await.status, 200);
    let tags = region.send("GET", &path, "").await;
    let set = tags.document.child("ResourceTagSet").unwrap();
    let shown: Vec<_> = set
        .members("Tags", "Tag")
        .map(|tag| (tag.text_of("Key").unwrap(), tag.text_of("Value").unwrap()))
        .collect();
    assert_eq!(shown, [("b", "2")]);
    let body = format!(
        "<ListTagsForResourcesRequest><ResourceIds><ResourceId>{id}</ResourceId></ResourceIds>\
         </ListTagsForResourcesRequest>"
    );
    let several = region.send("POST", "tags/hostedzone", &body).await;
    let ids = several.texts("ResourceTagSets", "ResourceTagSet", "ResourceId");
    assert_eq!(ids, [id.as_str()]);
    // They go with it.
    region.send("DELETE", &format!("hostedzone/{id}"), "").await;
    assert_eq!(
        region.send("GET", &path, "").await.failure().1,
        "NoSuchHostedZone"
    );
    assert!(region.node.control.all::<control::dns::Tags>().is_empty());
}

#[tokio::test]
async fn tags_of_several_resources_need_leave_for_each() {
    let region = Region::open("eu-west-1").await;
    let (open, closed) = (region.zone("a.test").await, region.zone("b.test").await);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",
        "Action":"route53:ListTagsForResources","Resource":"arn:aws:route53:::hostedzone/{open}"}}}}"#
    );
    let policy = Policy::compile("own", &policy, Kind::Inline).unwrap();
    let account = AccountId::DEFAULT;
    let mut caller = region.caller();
    caller.authority = Authority::Checked(Arc::new(Identity {
        principal: Principal::user(account, "/", "anna", "AIDAANNA"),
        policies: vec![Arc::new(policy)],
        ..Identity::root(account)
    }));
    let ask = async |ids: &[&str]| {
        let ids = ids
            .iter()
            .map(|id| format!("<ResourceId>{id}</ResourceId>"));
        let body = format!(
            "<ListTagsForResourcesRequest><ResourceIds>{}</ResourceIds>\
             </ListTagsForResourcesRequest>",
            ids.collect::<String>()
        );
        let path = "tags/hostedzone";
        region.send_by(&caller, "POST", path, &body).await
    };
    assert_eq!(ask(&[&open]).await.status, 200);
    for ids in [vec![&*closed], vec![&open, &closed]] {
        let (status, code, _) = ask(&ids).await.failure();
        assert_eq!((status, code.as_str()), (403, "AccessDenied"));
    }
}

#[tokio::test]
async fn what_is_not_supported_says_so_by_name() {
    let region = Region::open("eu-west-1").await;
    let refused = region.send("GET", "trafficpolicies", "").await;
    let message = "The requested operation is not supported: ListTrafficPolicies";
    assert_eq!(
        refused.failure(),
        (
            400,
            "UnknownOperationException".to_owned(),
            message.to_owned()
        )
    );
    let refused = region.send("GET", "nothing/here", "").await;
    assert_eq!(refused.failure().1, "UnknownOperationException");
    let refused = region.send("POST", "hostedzone", "no XML").await;
    assert_eq!(refused.failure().1, "MalformedInput");
    let private = "<CreateHostedZoneRequest><Name>a.test</Name><CallerReference>r\
        </CallerReference><VPC><VPCId>v</VPCId></VPC></CreateHostedZoneRequest>";
    let refused = region.send("POST", "hostedzone", private).await;
    assert_eq!(
        refused.failure().2,
        "Private hosted zones are not supported."
    );
    for name in ["", ".", "a..b", "x.hither.internal"] {
        let body = format!(
            "<CreateHostedZoneRequest><Name>{name}</Name><CallerReference>r</CallerReference>\
             </CreateHostedZoneRequest>"
        );
        let refused = region.send("POST", "hostedzone", &body).await;
        assert_eq!(refused.failure().1, "InvalidDomainName", "{name}");
    }
}
