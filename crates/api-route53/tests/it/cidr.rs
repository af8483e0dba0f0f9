//! Tests of CIDR collections, and of the answers that DNS gives by them.

use crate::sut::{Answer, Region, change, value};

impl Region {
    async fn collection(&self, name: &str, reference: &str) -> Answer {
        let body = format!(
            "<CreateCidrCollectionRequest><Name>{name}</Name>\
             <CallerReference>{reference}</CallerReference></CreateCidrCollectionRequest>"
        );
        self.send("POST", "cidrcollection", &body).await
    }

    /// Changes blocks, as `PUT office 192.0.2.0/24` tells them.
    async fn blocks(&self, id: &str, version: Option<u64>, changes: &[&str]) -> Answer {
        let changes: Vec<String> = changes
            .iter()
            .map(|change| {
                let [action, location, block] = change.split(' ').collect::<Vec<_>>()[..] else {
                    panic!("{change} is no change");
                };
                format!(
                    "<member><LocationName>{location}</LocationName><Action>{action}</Action>\
                     <CidrList><Cidr>{block}</Cidr></CidrList></member>"
                )
            })
            .collect();
        let version =
            version.map(|version| format!("<CollectionVersion>{version}</CollectionVersion>"));
        let body = format!(
            "<ChangeCidrCollectionRequest>{}<Changes>{}</Changes>\
             </ChangeCidrCollectionRequest>",
            version.unwrap_or_default(),
            changes.concat()
        );
        self.send("POST", &format!("cidrcollection/{id}"), &body)
            .await
    }

    async fn refused(&self, id: &str, changes: &[&str]) -> (u16, String) {
        let (status, code, _) = self.blocks(id, None, changes).await.failure();
        (status, code)
    }

    async fn listed(&self, id: &str, query: &str) -> Vec<String> {
        let path = format!("cidrcollection/{id}/cidrblocks{query}");
        let page = self.send("GET", &path, "").await;
        let blocks = page.texts("CidrBlocks", "member", "CidrBlock");
        let locations = page.texts("CidrBlocks", "member", "LocationName");
        let both = locations.into_iter().zip(blocks);
        both.map(|(location, block)| format!("{location} {block}"))
            .collect()
    }
}

/// Checks which error was answered.
fn assert_is(failure: &(u16, String, String), expected: (u16, &str)) {
    assert_eq!((failure.0, failure.1.as_str()), expected, "{failure:?}");
}

fn routed(action: &str, id: &str, location: &str, last: u8) -> String {
    let rest = format!(
        "<SetIdentifier>{location}</SetIdentifier><CidrRoutingConfig><CollectionId>{id}\
         </CollectionId><LocationName>{location}</LocationName></CidrRoutingConfig>{}",
        value(&format!("192.0.2.{last}"))
    );
    change(action, "c.shop.test", "A", &rest)
}

#[tokio::test]
async fn collections_are_made_listed_changed_and_removed() {
    let region = Region::open("us-east-1").await;
    let made = region.collection("offices", "r-1").await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.text("Collection/Id");
    assert_eq!(made.text("Collection/Version"), "1");
    assert_eq!(
        made.text("Collection/Arn"),
        format!("arn:aws:route53:::cidrcollection/{id}")
    );
    assert_eq!(
        made.headers["location"],
        format!("https://route53.amazonaws.com/2013-04-01/cidrcollection/{id}")
    );
    // The same call again finds it; another with its name does not.
    assert_eq!(
        region
            .collection("offices", "r-1")
            .await
            .text("Collection/Id"),
        id
    );
    let again = region.collection("offices", "r-2").await.failure();
    assert_is(&again, (400, "CidrCollectionAlreadyExistsException"));
    assert_eq!(
        region.collection("an office", "r-2").await.failure().1,
        "InvalidInput"
    );
    let changed = region
        .blocks(
            &id,
            Some(1),
            &[
                "PUT office 10.1.0.0/16",
                "PUT home 10.2.0.0/16",
                "PUT home 2001:DB8::/32",
            ],
        )
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let info = region
        .send("GET", &format!("change/{}", changed.text("Id")), "")
        .await;
    assert_eq!(info.status, 200, "{info:?}");
    let stale = region
        .blocks(&id, Some(1), &["PUT home 10.3.0.0/16"])
        .await
        .failure();
    assert_is(&stale, (409, "CidrCollectionVersionMismatchException"));
}

#[tokio::test]
async fn collections_locations_and_blocks_are_listed_in_pages() {
    let region = Region::open("us-east-1").await;
    let made = region.collection("offices", "r-1").await;
    let id = made.text("Collection/Id");
    let first = [
        "PUT office 10.1.0.0/16",
        "PUT home 10.2.0.0/16",
        "PUT home 2001:DB8::/32",
    ];
    assert_eq!(region.blocks(&id, Some(1), &first).await.status, 200);
    let all = [
        "home 10.2.0.0/16",
        "home 2001:db8::/32",
        "office 10.1.0.0/16",
    ];
    assert_eq!(region.listed(&id, "").await, all);
    assert_eq!(region.listed(&id, "?location=office").await, all[2..]);
    assert_eq!(region.listed(&id, "?maxresults=2").await, all[..2]);
    assert_eq!(
        region
            .listed(&id, "?maxresults=2&nexttoken=office%2010.1.0.0/16")
            .await,
        all[2..]
    );
    let locations = region
        .send("GET", &format!("cidrcollection/{id}"), "")
        .await;
    assert_eq!(
        locations.texts("CidrLocations", "member", "LocationName"),
        ["home", "office"]
    );
    let collections = region.send("GET", "cidrcollection", "").await;
    assert_eq!(
        collections.texts("CidrCollections", "member", "Version"),
        ["2"]
    );
}

#[tokio::test]
async fn blocks_move_between_locations_and_empty_collections_are_removed() {
    let region = Region::open("us-east-1").await;
    let made = region.collection("offices", "r-1").await;
    let id = made.text("Collection/Id");
    let first = [
        "PUT office 10.1.0.0/16",
        "PUT home 10.2.0.0/16",
        "PUT home 2001:db8::/32",
    ];
    assert_eq!(region.blocks(&id, Some(1), &first).await.status, 200);
    // A block lies in one location; it moves in one change, whichever part comes first.
    let taken = region.refused(&id, &["PUT home 10.1.0.0/16"]).await;
    assert_eq!(taken, (400, "CidrBlockInUseException".to_owned()));
    let moved = [
        "PUT home 10.1.0.0/16",
        "DELETE_IF_EXISTS office 10.1.0.0/16",
    ];
    assert_eq!(region.blocks(&id, Some(2), &moved).await.status, 200);
    assert_eq!(region.listed(&id, "?location=home").await.len(), 3);
    // What is not there, or not in that location, is left as it is.
    let absent = [
        "DELETE_IF_EXISTS office 10.2.0.0/16",
        "DELETE_IF_EXISTS home 10.9.0.0/16",
    ];
    assert_eq!(region.blocks(&id, None, &absent).await.status, 200);
    let used = region
        .send("DELETE", &format!("cidrcollection/{id}"), "")
        .await
        .failure();
    assert_is(&used, (400, "CidrCollectionInUseException"));
    let rest = ["10.1.0.0/16", "10.2.0.0/16", "2001:db8::/32"]
        .map(|b| format!("DELETE_IF_EXISTS home {b}"));
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    assert_eq!(region.blocks(&id, None, &rest).await.status, 200);
    assert_eq!(
        region
            .send("DELETE", &format!("cidrcollection/{id}"), "")
            .await
            .status,
        200
    );
    let gone = region
        .send("GET", &format!("cidrcollection/{id}"), "")
        .await
        .failure();
    assert_is(&gone, (404, "NoSuchCidrCollectionException"));
}

#[tokio::test]
async fn bounds_and_shapes_are_held() {
    let region = Region::open("us-east-1").await;
    let id = region
        .collection("offices", "r")
        .await
        .text("Collection/Id");
    for bad in [
        "PUT office 10.0.0.0/25",
        "PUT office 10.0.0.1/24",
        "PUT office 2001:db8::/49",
        "PUT office 0.0.0.0/0",
        "PUT * 10.0.0.0/24",
        "PUT a-name-too-long-x 10.0.0.0/24",
        "DROP office 10.0.0.0/24",
    ] {
        assert_eq!(
            region.refused(&id, &[bad]).await,
            (400, "InvalidInput".to_owned()),
            "{bad}"
        );
    }
    assert_eq!(region.refused(&id, &[]).await.1, "InvalidInput");
    let puts = |from: usize, count: usize| -> Vec<String> {
        let block = |n: usize| format!("PUT office 10.{}.{}.0/24", n / 256, n % 256);
        (from..from + count).map(block).collect()
    };
    let most = puts(0, 1_000);
    let most: Vec<&str> = most.iter().map(String::as_str).collect();
    let made = region.blocks(&id, Some(1), &most).await;
    assert_eq!(made.status, 200, "{made:?}");
    let more = puts(1_000, 1);
    assert_eq!(
        region.refused(&id, &[&more[0]]).await,
        (400, "LimitsExceeded".to_owned())
    );
    assert_eq!(
        region
            .refused(&id, &[&most[..], &["PUT office 10.0.0.0/24"]].concat())
            .await
            .1,
        "LimitsExceeded"
    );
    for number in 0..4 {
        let made = region.collection(&format!("c{number}"), "r").await;
        assert_eq!(made.status, 201);
    }
    assert_eq!(
        region.collection("c5", "r").await.failure().1,
        "LimitsExceeded"
    );
}

#[tokio::test]
async fn sets_of_locations_are_stored_shown_and_answered_in_every_region() {
    let (region, other) = (
        Region::open("us-east-1").await,
        Region::open("eu-west-1").await,
    );
    let zone = region.zone("shop.test").await;
    let id = region
        .collection("offices", "r")
        .await
        .text("Collection/Id");
    let nowhere = region
        .change(&zone, &[routed("CREATE", &id, "office", 1)])
        .await;
    assert_eq!(nowhere.failure().1, "InvalidChangeBatch");
    region.blocks(&id, None, &["PUT office 10.1.0.0/16"]).await;
    let batch = [
        routed("CREATE", &id, "office", 1),
        routed("CREATE", &id, "*", 2),
    ];
    let made = region.change(&zone, &batch).await;
    assert_eq!(made.status, 200, "{made:?}");
    let path = format!("hostedzone/{zone}/rrset?name=c.shop.test");
    let sets = region.send("GET", &path, "").await;
    let shown = sets
        .document
        .members("ResourceRecordSets", "ResourceRecordSet");
    let shown = shown.map(|set| {
        let config = set.child("CidrRoutingConfig").unwrap();
        let of = |member| config.text_of(member).unwrap().to_owned();
        (of("CollectionId"), of("LocationName"))
    });
    let expected = ["*", "office"].map(|location| (id.clone(), location.to_owned()));
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    // The last block of a location that is used stays.
    let last = region
        .refused(&id, &["DELETE_IF_EXISTS office 10.1.0.0/16"])
        .await;
    assert_eq!(last, (400, "CidrBlockInUseException".to_owned()));
    other.catch_up(&region).await;
    for at in [&region, &other] {
        at.publish();
        for (subnet, address) in [("10.1.3.0", "192.0.2.1"), ("10.2.3.0", "192.0.2.2")] {
            let path = format!(
                "testdnsanswer?hostedzoneid={zone}&recordname=c.shop.test&recordtype=A\
                 &resolverip=192.0.2.1&edns0clientsubnetip={subnet}"
            );
            let answer = at.send("GET", &path, "").await;
            assert_eq!(answer.text("RecordData/RecordDataEntry"), address);
        }
    }
    let removed = batch.map(|set| set.replace("CREATE", "DELETE"));
    assert_eq!(region.change(&zone, &removed).await.status, 200);
    let gone = region
        .blocks(&id, None, &["DELETE_IF_EXISTS office 10.1.0.0/16"])
        .await;
    assert_eq!(gone.status, 200);
    assert_eq!(
        region
            .send("DELETE", &format!("cidrcollection/{id}"), "")
            .await
            .status,
        200
    );
}
