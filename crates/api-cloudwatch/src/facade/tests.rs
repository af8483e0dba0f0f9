//! Calls as each protocol writes them, over figures that are made up; nothing is measured.

use std::sync::Arc;

use api_protocol::caller::{Caller, Service};
use api_protocol::cbor;
use api_protocol::request_id::RequestId;
use base::name::TableId;
use base::region::{RegionId, RegionName};
use bytes::Bytes;
use control::testing::Node;
use http::Request;
use item::key::{KeyAttribute, KeyKind, KeySchema};
use serde_json::{Value, json};
use store::memory::MemStore;

use super::CloudWatch;
use crate::port::{Figures, Minute};

/// One table's writes, seen in one region: in minute 10 after 2 and 4 ms, in minute 11 after 9.
struct Told(TableId, RegionId);

impl Figures for Told {
    fn delays(&self) -> Vec<(TableId, RegionId)> {
        vec![(self.0, self.1), (TableId(77_777), self.1)]
    }

    fn delays_between(&self, pair: (TableId, RegionId), (from, until): (i64, i64)) -> Vec<Minute> {
        assert_eq!(pair, (self.0, self.1));
        let minute = |number, values: &[u64]| Minute {
            number,
            count: values.len() as u64,
            sum: values.iter().sum(),
            min: values[0],
            max: values[values.len() - 1],
            spread: values.iter().map(|value| (*value, 1)).collect(),
        };
        let minutes = [minute(10, &[2_000, 4_000]), minute(11, &[9_000])];
        let within = |minute: &Minute| (from..until).contains(&minute.number);
        minutes.into_iter().filter(within).collect()
    }
}

struct World {
    facade: CloudWatch<MemStore>,
    caller: Caller,
    _node: Node,
}

impl World {
    async fn open() -> Self {
        let node = Node::open("us-east-1").await;
        let partition = KeyAttribute {
            name: "id".to_owned(),
            kind: KeyKind::S,
        };
        let schema = KeySchema {
            partition,
            sort: None,
        };
        let made = node
            .control
            .create_table("carts", &schema, json!({}), json!({}));
        let table = made.await.expect("made").table.id();
        let ireland = RegionName::parse("eu-west-1").unwrap();
        let region = RegionName::parse("us-east-1").unwrap();
        let id = RequestId::from_bits([7; 4]);
        Self {
            facade: CloudWatch::new(node.control.clone(), Arc::new(Told(table, ireland.id()))),
            caller: Caller::internal(Service::CloudWatch, region, id),
            _node: node,
        }
    }

    fn json(&self, operation: &str, body: &Value) -> (u16, Value) {
        let request = Request::post("/")
            .header(
                "x-amz-target",
                format!("GraniteServiceVersion20100801.{operation}"),
            )
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = self.facade.handle(&self.caller, &request);
        let body = serde_json::from_slice(answer.body()).expect("JSON");
        (answer.status().as_u16(), body)
    }

    fn query(&self, form: &'static str) -> (u16, String) {
        let request = Request::post("/")
            .body(Bytes::from_static(form.as_bytes()))
            .unwrap();
        let answer = self.facade.handle(&self.caller, &request);
        let body = String::from_utf8(answer.body().to_vec()).expect("text");
        (answer.status().as_u16(), body)
    }
}

fn metric() -> Value {
    json!({
        "Namespace": "AWS/DynamoDB",
        "MetricName": "ReplicationLatency",
        "Dimensions": [
            { "Name": "TableName", "Value": "carts" },
            { "Name": "ReceivingRegion", "Value": "eu-west-1" },
        ],
    })
}

fn query(id: &str, period: i64, stat: &str) -> Value {
    json!({ "Id": id, "MetricStat": { "Metric": metric(), "Period": period, "Stat": stat } })
}

#[tokio::test]
async fn metrics_of_tables_that_there_are_are_listed() {
    let world = World::open().await;
    let listed = |request: Value| world.json("ListMetrics", &request).1["Metrics"].clone();
    let mut one = metric();
    one["Dimensions"].as_array_mut().unwrap().reverse();
    assert_eq!(listed(json!({})), json!([one]));
    assert_eq!(listed(json!({ "Namespace": "AWS/DynamoDB" })), json!([one]));
    assert_eq!(listed(json!({ "Namespace": "AWS/Lambda" })), json!([]));
    assert_eq!(
        listed(json!({ "MetricName": "SuccessfulRequestLatency" })),
        json!([])
    );
    let by = |name: &str, value: &str| json!({ "Dimensions": [{ "Name": name, "Value": value }] });
    assert_eq!(listed(by("TableName", "carts")), json!([one]));
    assert_eq!(listed(by("TableName", "seats")), json!([]));
    assert_eq!(listed(json!({ "NextToken": "1" })), json!([]));
}

#[tokio::test]
async fn data_comes_in_pages_newest_first() {
    let world = World::open().await;
    let mut request = json!({
        "MetricDataQueries": [query("mean", 60, "Average"), query("worst", 120, "p99")],
        "StartTime": 590, "EndTime": 720,
    });
    let (status, body) = world.json("GetMetricData", &request);
    let result = |id: &str, times: Value, values: Value, status: &str| {
        json!({
            "Id": id,
            "Label": "ReplicationLatency",
            "Timestamps": times,
            "Values": values,
            "StatusCode": status,
        })
    };
    let mean = result("mean", json!([660, 600]), json!([9.0, 3.0]), "Complete");
    let worst = result("worst", json!([600]), json!([9.0]), "Complete");
    let all = json!({ "MetricDataResults": [mean, worst], "Messages": [] });
    assert_eq!((status, body), (200, all));
    request["MaxDatapoints"] = 1.into();
    request["ScanBy"] = "TimestampAscending".into();
    let mut pages = Vec::new();
    loop {
        let (_, body) = world.json("GetMetricData", &request);
        for result in body["MetricDataResults"].as_array().unwrap() {
            pages.extend(result["Values"].as_array().unwrap().clone());
        }
        match body.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(pages, [json!(3.0), json!(9.0), json!(9.0)]);
}

#[tokio::test]
async fn statistics_come_as_forms_ask_for_them() {
    let world = World::open().await;
    let (status, body) = world.query(
        "Action=GetMetricStatistics&Version=2010-08-01&Namespace=AWS%2FDynamoDB\
         &MetricName=ReplicationLatency&Period=120&StartTime=1970-01-01T00:10:00Z\
         &EndTime=1970-01-01T00:12:00Z&ExtendedStatistics.member.1=p50\
         &Dimensions.member.1.Name=ReceivingRegion&Dimensions.member.1.Value=eu-west-1\
         &Dimensions.member.2.Name=TableName&Dimensions.member.2.Value=carts",
    );
    assert_eq!(status, 200, "{body}");
    let wanted = "<Label>ReplicationLatency</Label><Datapoints><member>\
                  <Timestamp>1970-01-01T00:10:00Z</Timestamp><Unit>Milliseconds</Unit>\
                  <ExtendedStatistics><entry><key>p50</key><value>4</value></entry>\
                  </ExtendedStatistics></member></Datapoints>";
    assert!(body.contains(wanted), "{body}");
    let (status, body) = world.query("Action=PutMetricData&Version=2010-08-01");
    assert_eq!(status, 400);
    assert!(
        body.contains("<Code>UnknownOperationException</Code>"),
        "{body}"
    );
    assert!(body.contains("PutMetricData"), "{body}");
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_each_protocol() {
    let world = World::open().await;
    let statistics = |more: Value| {
        let mut request = metric();
        request["StartTime"] = 600.into();
        request["EndTime"] = 720.into();
        request["Period"] = 60.into();
        request["Statistics"] = json!(["Average"]);
        let members = request.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        world.json("GetMetricStatistics", &request)
    };
    assert_eq!(statistics(json!({})).0, 200);
    let none = statistics(json!({ "Unit": "Seconds" })).1;
    assert_eq!(none["Datapoints"], json!([]));
    for (more, shape) in [
        (json!({ "Period": 61 }), "InvalidParameterValueException"),
        (
            json!({ "Period": null }),
            "MissingRequiredParameterException",
        ),
        (
            json!({ "EndTime": 600 }),
            "InvalidParameterCombinationException",
        ),
        (
            json!({ "Statistics": [] }),
            "InvalidParameterCombinationException",
        ),
        (
            json!({ "Statistics": ["p99"] }),
            "InvalidParameterValueException",
        ),
        (
            json!({ "Statistics": ["Median"] }),
            "InvalidParameterValueException",
        ),
        (json!({ "StartTime": "soon" }), "SerializationException"),
    ] {
        let (status, body) = statistics(more);
        let kind = body["__type"].as_str().unwrap();
        assert!(
            status == 400 && kind.ends_with(&format!("#{shape}")),
            "{body}"
        );
    }
    let mut expression = query("sum", 60, "Sum");
    expression["Expression"] = "METRICS()".into();
    for queries in [
        json!([expression]),
        json!([query("Upper", 60, "Sum")]),
        json!([query("twice", 60, "Sum"), query("twice", 60, "Sum")]),
    ] {
        let request = json!({ "MetricDataQueries": queries, "StartTime": 1, "EndTime": 2 });
        let (status, body) = world.json("GetMetricData", &request);
        assert!(
            status == 400
                && body["__type"]
                    .as_str()
                    .unwrap()
                    .ends_with("ValidationException")
        );
    }
}

#[tokio::test]
async fn a_refusal_in_cbor_has_both_of_its_names() {
    let world = World::open().await;
    let request = Request::post("/service/GraniteServiceVersion20100801/operation/GetMetricData")
        .header("smithy-protocol", "rpc-v2-cbor")
        .body(Bytes::from_static(b"\xa0"))
        .unwrap();
    let answer = world.facade.handle(&world.caller, &request);
    let headers = answer.headers();
    assert_eq!(answer.status(), 400);
    assert_eq!(headers["x-amzn-query-error"], "MissingParameter;Sender");
    assert_eq!(headers["smithy-protocol"], "rpc-v2-cbor");
    let body = cbor::parse(answer.body()).unwrap();
    assert_eq!(
        body["__type"],
        "com.amazonaws.cloudwatch#MissingRequiredParameterException"
    );
}
