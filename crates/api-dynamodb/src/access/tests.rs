//! Tests of what requests ask leave for, with policies as AWS's guide writes them.

mod rows;
mod world;

use serde_json::json;

use world::{World, allow};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/carts";

/// The policy of AWS's guide: a customer's own items, and of them some attributes.
fn own_items() -> String {
    allow(
        r#"["dynamodb:GetItem","dynamodb:BatchGetItem","dynamodb:Query","dynamodb:PutItem",
            "dynamodb:UpdateItem","dynamodb:DeleteItem","dynamodb:BatchWriteItem"]"#,
        TABLE,
        r#""ForAllValues:StringEquals":{
             "dynamodb:LeadingKeys":["${aws:username}"],
             "dynamodb:Attributes":["customer","sku","count"]},
           "StringEqualsIfExists":{
             "dynamodb:Select":"SPECIFIC_ATTRIBUTES",
             "dynamodb:ReturnValues":["NONE","UPDATED_OLD","UPDATED_NEW"]}"#,
    )
}

#[tokio::test]
async fn a_caller_reaches_its_own_items_only() {
    let world = World::new(&own_items()).await;
    let key = |customer: &str| format!(r#"{{"customer":{{"S":"{customer}"}},"sku":{{"S":"s"}}}}"#);
    let (own, other) = (key("anna"), key("bert"));
    let get = |key: &str, more: &str| format!(r#"{{"TableName":"carts","Key":{key}{more}}}"#);
    let projected =
        r#","ProjectionExpression":"sku, #c","ExpressionAttributeNames":{"\u0023c":"count"}"#;
    world.may("GetItem", &get(&own, projected));
    world.may_not("GetItem", &get(&other, projected));
    // Without a projection all attributes come.
    world.may_not("GetItem", &get(&own, ""));
    world.may_not(
        "GetItem",
        &get(&own, r#","ProjectionExpression":"sku, secret""#),
    );
    world.may_not("GetItem", &get(&own, r#","AttributesToGet":["secret"]"#));
    // What is another operation's speaks for nothing.
    let decoy = r#","ProjectionExpression":"sku","KeyConditionExpression":"customer = :c",
        "Item":{"customer":{"S":"anna"}}"#;
    world.may_not("GetItem", &get(&other, decoy));

    let batch = |keys: &str| {
        format!(
            r#"{{"RequestItems":{{"carts":{{"Keys":[{keys}],"ProjectionExpression":"sku"}}}}}}"#
        )
    };
    world.may("BatchGetItem", &batch(&own));
    world.may_not("BatchGetItem", &batch(&format!("{own},{other}")));
    let writes = |item: &str| {
        format!(
            r#"{{"RequestItems":{{"{TABLE}":[{{"PutRequest":{{"Item":{own}}}}},
               {{"DeleteRequest":{{"Key":{item}}}}}]}}}}"#
        )
    };
    world.may("BatchWriteItem", &writes(&own));
    world.may_not("BatchWriteItem", &writes(&other));
}

#[tokio::test]
async fn writes_name_attributes_in_many_places() {
    let world = World::new(&own_items()).await;
    let put = |more: &str| {
        format!(
            r#"{{"TableName":"carts","Item":{{"customer":{{"S":"anna"}},"sku":{{"S":"s"}}{more}}}}}"#
        )
    };
    world.may("PutItem", &put(r#","count":{"N":"1"}"#));
    world.may_not("PutItem", &put(r#","secret":{"N":"1"}"#));
    let update = |more: &str| {
        format!(
            r#"{{"TableName":"carts","Key":{{"customer":{{"S":"anna"}},"sku":{{"S":"s"}}}},{more}}}"#
        )
    };
    for (is_allowed, more) in [
        (
            true,
            r#""UpdateExpression":"REMOVE #c","ExpressionAttributeNames":{"\u0023c":"count"}"#,
        ),
        (false, r#""UpdateExpression":"REMOVE secret""#),
        (
            false,
            r#""UpdateExpression":"SET #c = if_not_exists(secret.deep[0], sku)",
                  "ExpressionAttributeNames":{"\u0023c":"count"}"#,
        ),
        (
            false,
            r#""UpdateExpression":"REMOVE #c","ExpressionAttributeNames":{"\u0023c":"count"},
                  "ConditionExpression":"attribute_exists(secret)""#,
        ),
        (
            false,
            r#""UpdateExpression":"REMOVE #c","ExpressionAttributeNames":{"\u0023c":"count"},
                  "ReturnValues":"ALL_OLD""#,
        ),
        (
            false,
            r#""UpdateExpression":"REMOVE #c","ExpressionAttributeNames":{"\u0023c":"count"},
                  "ReturnValuesOnConditionCheckFailure":"ALL_OLD""#,
        ),
        (
            true,
            r#""AttributeUpdates":{"count":{"Action":"DELETE"}},"ReturnValues":"UPDATED_NEW""#,
        ),
        (
            false,
            r#""AttributeUpdates":{"secret":{"Action":"DELETE"}}"#,
        ),
        (false, r#""Expected":{"secret":{"Exists":false}}"#),
    ] {
        world.expect("UpdateItem", &update(more), is_allowed);
    }
}

#[tokio::test]
async fn queries_are_held_to_the_partition_that_they_read() {
    let world = World::new(&own_items()).await;
    let query = |customer: &str, more: &str| {
        format!(
            r#"{{"TableName":"carts","ProjectionExpression":"sku",
               "KeyConditionExpression":"customer = :c",
               "ExpressionAttributeValues":{{":c":{{"S":"{customer}"}}}}{more}}}"#
        )
    };
    world.may("Query", &query("anna", ""));
    world.may_not("Query", &query("bert", ""));
    world.may_not(
        "Query",
        &query("anna", r#","FilterExpression":"attribute_exists(secret)""#),
    );
    world.may_not("Query", &query("anna", r#","Select":"COUNT""#));
    let legacy = |customer: &str| {
        format!(
            r#"{{"TableName":"carts","AttributesToGet":["sku"],"KeyConditions":{{"customer":
               {{"ComparisonOperator":"EQ","AttributeValueList":[{{"S":"{customer}"}}]}}}}}}"#
        )
    };
    world.may("Query", &legacy("anna"));
    world.may_not("Query", &legacy("bert"));
    // Scans have no leading keys: they are left out of the actions.
    world.may_not(
        "Scan",
        r#"{"TableName":"carts","ProjectionExpression":"sku"}"#,
    );
}

#[tokio::test]
async fn parts_of_transactions_need_leave_each_for_itself() {
    let own = allow(
        r#"["dynamodb:PutItem","dynamodb:ConditionCheckItem"]"#,
        TABLE,
        r#""ForAnyValue:StringEquals":{"dynamodb:EnclosingOperation":["TransactWriteItems"]}"#,
    );
    let world = World::new(&own).await;
    let item = r#"{"customer":{"S":"a"},"sku":{"S":"s"}}"#;
    let put = format!(r#"{{"Put":{{"TableName":"carts","Item":{item}}}}}"#);
    let check = format!(
        r#"{{"ConditionCheck":{{"TableName":"carts","Key":{item},
           "ConditionExpression":"attribute_exists(sku)"}}}}"#
    );
    let delete = format!(r#"{{"Delete":{{"TableName":"carts","Key":{item}}}}}"#);
    let of = |parts: &[&str]| format!(r#"{{"TransactItems":[{}]}}"#, parts.join(","));
    world.may("TransactWriteItems", &of(&[&put, &check]));
    world.may_not("TransactWriteItems", &of(&[&put, &delete]));
    world.may_not(
        "PutItem",
        &format!(r#"{{"TableName":"carts","Item":{item}}}"#),
    );
}

#[tokio::test]
async fn resources_are_tables_indexes_streams_and_more() {
    for (action, resource, body, is_allowed) in [
        (
            "Query",
            "table/carts/index/by-sku",
            r#"{"TableName":"carts","IndexName":"by-sku"}"#,
            true,
        ),
        (
            "Query",
            "table/carts",
            r#"{"TableName":"carts","IndexName":"by-sku"}"#,
            false,
        ),
        (
            "GetItem",
            "table/carts",
            r#"{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/carts","Key":{}}"#,
            true,
        ),
        (
            "GetItem",
            "table/carts",
            r#"{"TableName":"other","Key":{}}"#,
            false,
        ),
        (
            "CreateTable",
            "table/new-*",
            r#"{"TableName":"new-one"}"#,
            true,
        ),
        (
            "TagResource",
            "table/carts",
            r#"{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/carts"}"#,
            true,
        ),
        (
            "GetRecords",
            "table/carts/stream/*",
            r#"{"ShardIterator":"arn:aws:dynamodb:us-east-1:000000000000:table/carts/stream/1|1|x"}"#,
            true,
        ),
        (
            "GetRecords",
            "table/carts/stream/*",
            r#"{"ShardIterator":"arn:aws:dynamodb:us-east-1:000000000000:table/other/stream/1|1|x"}"#,
            false,
        ),
        (
            "DescribeStream",
            "table/carts",
            r#"{"StreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/carts/stream/1"}"#,
            false,
        ),
        (
            "DeleteBackup",
            "table/carts/backup/*",
            r#"{"BackupArn":"arn:aws:dynamodb:us-east-1:000000000000:table/carts/backup/1"}"#,
            true,
        ),
        (
            "RestoreTableToPointInTime",
            "table/carts",
            r#"{"SourceTableName":"carts","TargetTableName":"other"}"#,
            false,
        ),
        ("ListTables", "*", "{}", true),
        ("ListTables", "table/carts", "{}", false),
        ("ListTables", "table/*", "{}", true),
        (
            "ListExports",
            "table/carts",
            r#"{"TableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/carts"}"#,
            true,
        ),
        ("ListImports", "table/carts", "{}", false),
        (
            "ListBackups",
            "table/carts",
            r#"{"TableName":"carts"}"#,
            false,
        ),
    ] {
        let arn = match resource {
            "*" => "*".to_owned(),
            part => format!("arn:aws:dynamodb:us-east-1:000000000000:{part}"),
        };
        let policy = allow(&format!(r#""dynamodb:{action}""#), &arn, "");
        let world = World::new(&policy).await;
        world.expect(action, body, is_allowed);
    }
}

#[tokio::test]
async fn a_tables_own_policy_grants_and_denies_and_never_locks_root_out() {
    let world = World::new(&allow(r#""dynamodb:Scan""#, TABLE, "")).await;
    world.may("Scan", r#"{"TableName":"carts"}"#);
    world.may_not("GetItem", r#"{"TableName":"carts","Key":{}}"#);
    let statement = |effect: &str, who: &str, action: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":{{"AWS":"arn:aws:iam::000000000000:{who}"}},
               "Action":"dynamodb:{action}","Resource":"{TABLE}"}}]}}"#
        )
    };
    world
        .put_policy(&statement("Allow", "user/anna", "GetItem"))
        .await;
    world.may("GetItem", r#"{"TableName":"carts","Key":{}}"#);
    world.put_policy(&statement("Deny", "root", "Scan")).await;
    world.may_not("Scan", r#"{"TableName":"carts"}"#);
    assert!(world.root("Scan", r#"{"TableName":"carts"}"#).is_err());
    let mend = format!(r#"{{"ResourceArn":"{TABLE}"}}"#);
    assert!(world.root("DeleteResourcePolicy", &mend).is_ok());
}

#[tokio::test]
async fn a_streams_own_policy_grants_and_denies_on_that_stream() {
    let own = allow(r#""dynamodb:DescribeStream""#, "*", "");
    let world = World::new(&own).await;
    let stream = world.start_stream().await;
    let of_stream = |arn: &str| format!(r#"{{"StreamArn":"{arn}"}}"#);
    let records = format!(r#"{{"ShardIterator":"{stream}|1|x"}}"#);
    world.may("DescribeStream", &of_stream(&stream));
    world.may_not("GetRecords", &records);
    world.may_not("GetShardIterator", &of_stream(&stream));
    let statement = |effect: &str, action: &str| {
        format!(
            r#"{{"Effect":"{effect}","Principal":{{"AWS":"arn:aws:iam::000000000000:user/anna"}},
               "Action":"dynamodb:{action}","Resource":"{stream}"}}"#
        )
    };
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{},{},{}]}}"#,
        statement("Allow", "GetRecords"),
        statement("Allow", "GetShardIterator"),
        statement("Deny", "DescribeStream")
    );
    world.put_policy_of(&stream, &policy).await;
    world.may("GetRecords", &records);
    world.may("GetShardIterator", &of_stream(&stream));
    world.may_not("DescribeStream", &of_stream(&stream));
    let disguised = stream.replace("000000000000", "111111111111");
    world.may_not("DescribeStream", &of_stream(&disguised));
    world.may_not(
        "GetRecords",
        &records.replace(&stream, &format!("{TABLE}/stream/other")),
    );
    world.may_not("GetItem", r#"{"TableName":"carts","Key":{}}"#);
}

#[tokio::test]
async fn who_makes_a_table_with_a_policy_must_be_allowed_to_put_it() {
    let world = World::new(&allow(r#""dynamodb:CreateTable""#, "*", "")).await;
    world.may("CreateTable", r#"{"TableName":"other"}"#);
    let with = r#"{"TableName":"other","ResourcePolicy":"{}"}"#;
    world.may_not("CreateTable", with);
    let both = r#"["dynamodb:CreateTable","dynamodb:PutResourcePolicy"]"#;
    World::new(&allow(both, "*", ""))
        .await
        .may("CreateTable", with);
}

#[tokio::test]
async fn tags_count_on_the_resource_and_in_the_request() {
    let tagged = r#""StringEquals":{"aws:ResourceTag/team":"shop"}"#;
    let world = World::new(&allow(r#""dynamodb:Scan""#, TABLE, tagged)).await;
    world.may_not("Scan", r#"{"TableName":"carts"}"#);
    world.tag("team", "shop").await;
    world.may("Scan", r#"{"TableName":"carts"}"#);

    let keys = r#""ForAllValues:StringEquals":{"aws:TagKeys":["team"]},
        "StringEquals":{"aws:RequestTag/team":"shop"}"#;
    let world = World::new(&allow(r#""dynamodb:TagResource""#, "*", keys)).await;
    let tags = |key: &str, value: &str| {
        format!(r#"{{"ResourceArn":"{TABLE}","Tags":[{{"Key":"{key}","Value":"{value}"}}]}}"#)
    };
    world.may("TagResource", &tags("team", "shop"));
    world.may_not("TagResource", &tags("team", "other"));
    world.may_not("TagResource", &tags("cost", "shop"));
}

#[tokio::test]
async fn statements_need_leave_for_what_they_do() {
    let own = allow(
        r#"["dynamodb:PartiQLSelect","dynamodb:PartiQLUpdate"]"#,
        TABLE,
        r#""ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["${aws:username}"],
             "dynamodb:Attributes":["customer","sku","count"]},
           "BoolIfExists":{"dynamodb:FullTableScan":"false"}"#,
    );
    let world = World::new(&own).await;
    let statement = |text: &str, name: &str| {
        format!(r#"{{"Statement":"{text}","Parameters":[{{"S":"{name}"}}]}}"#)
    };
    let read = "SELECT sku FROM carts WHERE customer = ? AND sku = 's'";
    world.may("ExecuteStatement", &statement(read, "anna"));
    world.may_not("ExecuteStatement", &statement(read, "bert"));
    let all = r#"{"Statement":"SELECT sku FROM carts"}"#;
    world.may_not("ExecuteStatement", all);
    let other = "SELECT secret FROM carts WHERE customer = ?";
    world.may_not("ExecuteStatement", &statement(other, "anna"));
    let update = "UPDATE carts SET secret = 1 WHERE customer = ? AND sku = 's'";
    world.may_not("ExecuteStatement", &statement(update, "anna"));
    let delete = "DELETE FROM carts WHERE customer = ? AND sku = 's'";
    world.may_not("ExecuteStatement", &statement(delete, "anna"));
    let batch = format!(
        r#"{{"Statements":[{},{}]}}"#,
        statement(read, "anna"),
        statement(read, "bert")
    );
    // Each is answered apart: what is not allowed stops none of the others.
    assert_eq!(
        world.batch_errors(&batch).await,
        [None, Some("AccessDenied".to_owned())]
    );
    let (write, wrong) = (statement(delete, "anna"), statement("SELECT", "anna"));
    let batch = format!(r#"{{"Statements":[{wrong},{write}]}}"#);
    assert_eq!(
        world.batch_errors(&batch).await,
        ["ValidationError", "AccessDenied"].map(|code| Some(code.to_owned()))
    );
    // Faults on purpose hit only what may be run.
    world.tag("hither:fault:throttle", "1").await;
    let (own, other) = (statement(read, "anna"), statement(read, "bert"));
    let batch = format!(r#"{{"Statements":[{own},{other}]}}"#);
    assert_eq!(
        world.batch_errors(&batch).await,
        ["ProvisionedThroughputExceeded", "AccessDenied"].map(|code| Some(code.to_owned()))
    );
    let transaction = format!(
        r#"{{"TransactStatements":[{}]}}"#,
        statement(delete, "anna")
    );
    world.may_not("ExecuteTransaction", &transaction);
}

#[tokio::test]
async fn loads_are_about_the_table_that_they_fill_or_about_themselves() {
    let world = World::new(&allow(
        r#"["dynamodb:ImportTable","dynamodb:DescribeImport","dynamodb:StartBulkPutItems",
            "dynamodb:DescribeBulkOperation"]"#,
        &format!("{TABLE}*"),
        "",
    ))
    .await;
    let parameters =
        |table: &str| format!(r#"{{"TableCreationParameters":{{"TableName":"{table}"}}}}"#);
    world.may("ImportTable", &parameters("carts-2"));
    world.may_not("ImportTable", &parameters("others"));
    let import = |arn: &str| format!(r#"{{"ImportArn":"{arn}/import/01"}}"#);
    world.may("DescribeImport", &import(TABLE));
    world.may_not(
        "DescribeImport",
        &import("arn:aws:dynamodb:us-east-1:000000000000:table/o"),
    );
    // Any record may delete an item.
    world.may_not("StartBulkPutItems", r#"{"TableName":"carts"}"#);
    world.may_not("StartBulkPutItems", r#"{"TableName":"others"}"#);
    let bulk = format!(r#"{{"BulkOperationArn":"{TABLE}/bulk-operation/01"}}"#);
    world.may("DescribeBulkOperation", &bulk);
    world.may_not("CancelBulkOperation", &bulk);
    world.may_not("ListImports", "{}");
}

/// All is allowed but what is done to the table and its streams.
fn all_but_the_table() -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[
           {{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}},
           {{"Effect":"Deny","Action":"dynamodb:*","Resource":["{TABLE}","{TABLE}/*"]}}]}}"#
    )
}

#[tokio::test]
async fn a_table_has_one_name_for_who_asks_leave_and_for_who_acts() {
    let world = World::new(&all_but_the_table()).await;
    let calls = [
        ("DeleteTable", "TableName"),
        ("DescribeTable", "TableName"),
        ("UpdateTable", "TableName"),
        ("CreateBackup", "TableName"),
        ("GetItem", "TableName"),
        ("TagResource", "ResourceArn"),
        ("GetResourcePolicy", "ResourceArn"),
        ("ExportTableToPointInTime", "TableArn"),
    ];
    let here = "arn:aws:dynamodb:us-east-1:000000000000";
    let abroad = TABLE.replace("000000000000", "111111111111");
    for (operation, member) in calls {
        let body = |arn: &str| {
            let mut body = json!({
                "BackupName": "copy",
                "DeletionProtectionEnabled": true,
                "Key": {"customer": {"S": "anna"}, "sku": {"S": "s"}},
                "S3Bucket": "bucket",
                "Tags": [{"Key": "team", "Value": "shop"}],
            });
            body[member] = json!(arn);
            body.to_string()
        };
        world.may_not(operation, &body(TABLE));
        world.may_not(operation, &body(&abroad));
        for disguised in [
            format!("{here}:table/anna-x/table/carts"),
            format!("{here}:table/anna-x/indextable/carts"),
            format!("{here}:x:table/carts"),
            format!("{here}:x/table/carts"),
            format!("{here}:table/{TABLE}"),
        ] {
            let status = world.status(operation, &body(&disguised)).await;
            assert_eq!(status, 400, "{operation} {disguised}");
        }
    }
}

#[tokio::test]
async fn a_streams_iterator_is_of_the_stream_that_leave_is_asked_for() {
    let world = World::new(&all_but_the_table()).await;
    let stream = world.start_stream().await;
    let abroad = stream.replace("000000000000", "111111111111");
    let split = stream.replace("000000000000", "000|000");
    let nested = format!("arn:aws:dynamodb:us-east-1:000000000000:table/{stream}");
    for arn in [&stream, &abroad, &split] {
        let records = json!({"ShardIterator": format!("{arn}|1|x")});
        world.may_not("GetRecords", &records.to_string());
        let twice = json!({"ShardIterator": format!("{arn}|1|x|1|x")});
        world.may_not("GetRecords", &twice.to_string());
    }
    assert!(!world.has_stream(&nested).await, "{nested}");
    assert!(world.has_stream(&abroad).await);
}

#[tokio::test]
async fn what_denies_a_stream_denies_it_when_its_table_is_gone() {
    let anyone = allow(r#""dynamodb:*""#, "*", "");
    for (identity, has_own) in [(all_but_the_table(), false), (anyone, true)] {
        let world = World::new(&identity).await;
        let stream = world.start_stream().await;
        if has_own {
            let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
                "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                "Action": "dynamodb:DescribeStream", "Resource": stream}]});
            world.put_policy_of(&stream, &policy.to_string()).await;
        }
        world.delete_table().await;
        assert!(world.has_stream(&stream).await);
        for arn in [
            stream.clone(),
            stream.replace("000000000000", "111111111111"),
        ] {
            let body = json!({ "StreamArn": arn }).to_string();
            world.may_not("DescribeStream", &body);
            assert_eq!(world.root("DescribeStream", &body).is_err(), has_own);
        }
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_denies_and_is_kept() {
    let world = World::new(&allow(r#""dynamodb:*""#, "*", "")).await;
    let scan = r#"{"TableName":"carts"}"#;
    world.may("Scan", scan);
    for wrong in [json!({"documents": []}), json!("x"), json!({"document": 1})] {
        world.keep("policy", wrong.clone()).await;
        world.may_not("Scan", scan);
        assert!(world.root("Scan", scan).is_err());
        world
            .tag(
                "team",
                &wrong.to_string().replace(['{', '}', '"', '[', ']'], ""),
            )
            .await;
        assert_eq!(world.kept()["policy"], wrong);
        world.may_not("Scan", scan);
    }
    world.keep("policy", json!(null)).await;
    world.may("Scan", scan);
}

#[tokio::test]
async fn one_streams_policy_that_cannot_be_read_takes_no_other_along() {
    let world = World::new(&allow(r#""dynamodb:*""#, "*", "")).await;
    let stream = world.start_stream().await;
    let (own, other) = (stream.clone(), format!("{TABLE}/stream/other"));
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
        "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
        "Action": "dynamodb:DescribeStream", "Resource": stream}]});
    world.put_policy_of(&stream, &policy.to_string()).await;
    let of_stream = |arn: &str| json!({ "StreamArn": arn }).to_string();
    let mut kept = world.kept()["stream_policies"].clone();
    kept["other"] = json!({"documents": [1]});
    world.keep("stream_policies", kept.clone()).await;
    world.may_not("DescribeStream", &of_stream(&own));
    world.may("GetShardIterator", &of_stream(&own));
    world.may_not("GetShardIterator", &of_stream(&other));
    world.tag("team", "shop").await;
    assert_eq!(world.kept()["stream_policies"], kept);
    world.keep("stream_policies", json!([kept])).await;
    world.may_not("GetShardIterator", &of_stream(&own));
    world.tag("team", "other").await;
    assert_eq!(world.kept()["stream_policies"], json!([kept]));
}

#[tokio::test]
async fn files_are_read_and_written_by_leave_of_their_buckets() {
    let calls = allow(
        r#"["dynamodb:ImportTable","dynamodb:StartBulkPutItems","dynamodb:DeleteItem",
            "dynamodb:ExportTableToPointInTime"]"#,
        &format!("{TABLE}*"),
        "",
    );
    let files = |action: &str, resource: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"s3:{action}","Resource":"arn:aws:s3:::{resource}"}}"#
        )
    };
    let listed = files("ListBucket", "in");
    let read = files("GetObject", "in/mine/*");
    let written = files("PutObject", "out/*");
    let place = |bucket: &str, prefix: &str| {
        format!(r#"{{"S3Bucket":"{bucket}","S3KeyPrefix":"{prefix}"}}"#)
    };
    let import = |place: &str| {
        format!(
            r#"{{"TableCreationParameters":{{"TableName":"carts-2"}},"S3BucketSource":{place}}}"#
        )
    };
    let bulk = |input: &str, output: &str| {
        format!(
            r#"{{"TableName":"carts","InputS3Configuration":{input},
                "OutputS3Configuration":{output}}}"#
        )
    };
    let export = |bucket: &str| format!(r#"{{"TableArn":"{TABLE}","S3Bucket":"{bucket}"}}"#);
    let (mine, all, out) = (place("in", "mine/"), place("in", ""), place("out", "a/"));
    let world = World::new(&with(&calls, &[&listed, &read, &written])).await;
    world.may("ImportTable", &import(&mine));
    world.may_not("ImportTable", &import(&all));
    world.may_not("ImportTable", &import(&place("in", "mine")));
    world.may_not("ImportTable", &import(&place("other", "mine/")));
    world.may("StartBulkPutItems", &bulk(&mine, &out));
    world.may_not("StartBulkPutItems", &bulk(&mine, &all));
    world.may_not("StartBulkPutItems", &bulk(&all, &out));
    world.may("ExportTableToPointInTime", &export("out"));
    world.may_not("ExportTableToPointInTime", &export("in"));
    let world = World::new(&with(&calls, &[&read, &written])).await;
    world.may_not("ImportTable", &import(&mine));
    let world = World::new(&with(&calls, &[])).await;
    world.may_not("ExportTableToPointInTime", &export("out"));
}

/// Adds statements to a policy.
fn with(policy: &str, statements: &[&str]) -> String {
    let mut policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    let more = statements
        .iter()
        .map(|one| serde_json::from_str(one).unwrap());
    policy["Statement"].as_array_mut().unwrap().extend(more);
    policy.to_string()
}
