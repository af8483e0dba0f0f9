"""DynamoDB in three regions, as boto3 and the aws CLI use it."""

import decimal
import json
import threading

import pytest
from boto3.dynamodb.conditions import Attr, Key
from laptop import EAST, IRELAND, REGIONS, TOKYO, error_code, eventually

D = decimal.Decimal


def make_table(laptop, name, *, sort=None, replicas=REGIONS, tags=None):
    """Makes a table in the first of `replicas` and a replica in each of the others."""
    home, *others = replicas
    client = laptop.client("dynamodb", home)
    keys = [("id", "HASH"), *([(sort, "RANGE")] if sort else [])]
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
    )
    soon = {"Delay": 1, "MaxAttempts": 30}
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=soon)
    for region in others:
        client.update_table(
            TableName=name, ReplicaUpdates=[{"Create": {"RegionName": region}}]
        )
        for where in (home, region):
            waiter = laptop.client("dynamodb", where).get_waiter("table_exists")
            waiter.wait(TableName=name, WaiterConfig=soon)

        def is_active():
            replicas = client.describe_table(TableName=name)["Table"]["Replicas"]
            status = {replica["RegionName"]: replica["ReplicaStatus"] for replica in replicas}
            return status.get(region) == "ACTIVE"

        eventually(is_active)
    return laptop.table(name, home)


def item_in(laptop, table, region, key):
    return laptop.table(table, region).get_item(Key=key, ConsistentRead=True).get("Item")


# Regions.


def test_a_write_in_one_region_is_read_in_the_others(near):
    make_table(near, "journey")
    near.table("journey", TOKYO).put_item(Item={"id": "1", "from": "Tokyo", "n": D("3.14")})
    for region in REGIONS:
        wanted = {"id": "1", "from": "Tokyo", "n": D("3.14")}
        eventually(lambda: item_in(near, "journey", region, {"id": "1"}) == wanted)
    near.table("journey", IRELAND).delete_item(Key={"id": "1"})
    for region in REGIONS:
        eventually(lambda: item_in(near, "journey", region, {"id": "1"}) is None)
    eventually(lambda: len(set(near.digests("journey").values())) == 1)


def test_what_was_written_before_a_replica_reaches_it(near):
    table = make_table(near, "backfill", replicas=[IRELAND])
    with table.batch_writer() as batch:
        for number in range(100):
            batch.put_item(Item={"id": f"{number}", "number": number})
    near.client("dynamodb", IRELAND).update_table(
        TableName="backfill", ReplicaUpdates=[{"Create": {"RegionName": TOKYO}}]
    )
    waiter = near.client("dynamodb", TOKYO).get_waiter("table_exists")
    waiter.wait(TableName="backfill", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    there = near.table("backfill", TOKYO)
    eventually(lambda: there.scan(Select="COUNT")["Count"] == 100)
    code, _ = error_code(near.table("backfill", EAST).scan)
    assert code == "ResourceNotFoundException"


def test_one_endpoint_reaches_every_region_by_the_credential_scope(near):
    elsewhere = near.client("dynamodb", IRELAND, at=EAST)
    elsewhere.create_table(
        TableName="by-scope",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    arn = elsewhere.describe_table(TableName="by-scope")["Table"]["TableArn"]
    assert arn == "arn:aws:dynamodb:eu-west-1:000000000000:table/by-scope"
    assert "by-scope" in near.client("dynamodb", IRELAND).list_tables()["TableNames"]
    assert "by-scope" not in near.client("dynamodb", EAST).list_tables()["TableNames"]
    for region in REGIONS:
        caller = near.client("sts", region, at=EAST).get_caller_identity()
        assert caller["Account"] == "000000000000"


def test_an_unknown_region_is_the_one_that_was_asked(near):
    client = near.client("dynamodb", "mars-north-1", at=TOKYO)
    client.create_table(
        TableName="from-mars",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert "from-mars" in near.client("dynamodb", TOKYO).list_tables()["TableNames"]
    assert "from-mars" not in near.client("dynamodb", EAST).list_tables()["TableNames"]


def test_the_second_port_serves_dynamodb(near):
    address, port = near.port(EAST, "dynamodb")
    done = near.aws("dynamodb", "list-tables", "--endpoint-url", f"http://{address}:{port}")
    assert "TableNames" in json.loads(done.stdout)


def test_both_sides_of_a_cut_write_and_one_wins_everywhere(far):
    make_table(far, "race")
    far.table("race", EAST).put_item(Item={"id": "seat", "of": "nobody"})
    far.table("race", EAST).put_item(Item={"id": "quiet", "of": "nobody"})
    for region in REGIONS:
        eventually(lambda: item_in(far, "race", region, {"id": "seat"}))
        eventually(lambda: item_in(far, "race", region, {"id": "quiet"}))
    with far.cut_off(TOKYO):
        far.table("race", TOKYO).put_item(Item={"id": "seat", "of": "Tokyo"})
        far.table("race", TOKYO).put_item(Item={"id": "quiet", "of": "Tokyo"})
        far.table("race", EAST).put_item(Item={"id": "seat", "of": "East"})
        # What was written outside the cut arrives; what is in it stays on its side.
        eventually(lambda: item_in(far, "race", IRELAND, {"id": "seat"})["of"] == "East")
        assert item_in(far, "race", TOKYO, {"id": "seat"})["of"] == "Tokyo"
        assert item_in(far, "race", EAST, {"id": "seat"})["of"] == "East"
        # Past the time after which a silent peer is given up.
        eventually(lambda: state_of(far, EAST, TOKYO) == "down")
    for region in REGIONS:
        # East wrote last, so East's write wins; nobody else touched the quiet item.
        eventually(lambda: item_in(far, "race", region, {"id": "seat"})["of"] == "East")
        eventually(lambda: item_in(far, "race", region, {"id": "quiet"})["of"] == "Tokyo")
    eventually(lambda: len(set(far.digests("race").values())) == 1)

    def logs():
        path = "/_hither/conflicts?table=race"
        return [conflict for region in REGIONS for conflict in far.ask(region, path)["conflicts"]]

    conflicts = eventually(logs)
    for conflict in conflicts:
        assert conflict["key"] == {"id": {"S": "seat"}}
        assert conflict["winner"]["region"] == EAST
        assert conflict["loser"]["region"] == TOKYO
        assert conflict["loser"]["item"] == {"id": {"S": "seat"}, "of": {"S": "Tokyo"}}
        assert conflict["winner"]["stamp_micros"] > conflict["loser"]["stamp_micros"]
    eventually(lambda: all(state_of(far, region, TOKYO) == "up" for region in (EAST, IRELAND)))


def state_of(laptop, seen_by, region):
    regions = laptop.status(seen_by)["regions"]
    return next(other["state"] for other in regions if other["name"] == region)


def test_a_delete_and_a_write_race_across_a_cut(far):
    make_table(far, "revived")
    far.table("revived", EAST).put_item(Item={"id": "1", "round": 1})
    for region in REGIONS:
        eventually(lambda: item_in(far, "revived", region, {"id": "1"}))
    with far.cut_off(IRELAND):
        far.table("revived", IRELAND).put_item(Item={"id": "1", "round": 2})
        far.table("revived", EAST).delete_item(Key={"id": "1"})
        eventually(lambda: item_in(far, "revived", TOKYO, {"id": "1"}) is None)
        assert item_in(far, "revived", IRELAND, {"id": "1"})["round"] == 2
    for region in REGIONS:
        eventually(lambda: item_in(far, "revived", region, {"id": "1"}) is None)
    eventually(lambda: len(set(far.digests("revived").values())) == 1)


# Items and expressions.


@pytest.fixture(scope="module")
def stock(near):
    return make_table(near, "stock", sort="part", replicas=[EAST])


def test_conditions_hold_or_refuse(near, stock):
    key = {"id": "conditions", "part": "1"}
    stock.put_item(Item=key | {"n": 1}, ConditionExpression=Attr("id").not_exists())
    client = near.client("dynamodb", EAST)
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as refused:
        client.put_item(
            TableName="stock",
            Item={"id": {"S": "conditions"}, "part": {"S": "1"}},
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert refused.value.response["Item"]["n"] == {"N": "1"}
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    stock.delete_item(Key=key, ConditionExpression=Attr("n").between(0, 2) & ~Attr("n").eq(2))
    assert "Item" not in stock.get_item(Key=key, ConsistentRead=True)


def test_updates_set_add_remove_and_delete(stock):
    key = {"id": "updates", "part": "1"}
    answer = stock.update_item(
        Key=key,
        UpdateExpression="SET #c = if_not_exists(#c, :zero) + :two, tags = :tags, deep = :deep"
        " ADD #t :half, seen :seen",
        ExpressionAttributeNames={"#c": "count", "#t": "total"},
        ExpressionAttributeValues={
            ":zero": 0,
            ":two": 2,
            ":tags": ["a"],
            ":deep": {"list": [1, {"x": b"\0\xff"}], "null": None, "yes": True},
            ":half": D("0.5"),
            ":seen": {"x", "y"},
        },
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert answer["count"] == 2 and answer["total"] == D("0.5") and answer["seen"] == {"x", "y"}
    answer = stock.update_item(
        Key=key,
        UpdateExpression="SET tags = list_append(tags, :more), deep.#l[1].x = :new"
        " REMOVE deep.#l[0], deep.#n DELETE seen :gone",
        ExpressionAttributeNames={"#l": "list", "#n": "null"},
        ExpressionAttributeValues={":more": ["b"], ":new": "text", ":gone": {"x"}},
        ReturnValues="UPDATED_NEW",
    )["Attributes"]
    assert answer["tags"] == ["a", "b"] and answer["seen"] == {"y"}
    item = stock.get_item(Key=key, ConsistentRead=True)["Item"]
    assert item["deep"] == {"list": [{"x": "text"}], "yes": True}
    part = stock.get_item(Key=key, ProjectionExpression="tags[1], deep.yes")["Item"]
    assert part == {"tags": ["b"], "deep": {"yes": True}}


def test_queries_page_in_the_order_of_the_sort_key(near, stock):
    with stock.batch_writer() as batch:
        for number in range(60):
            item = {"id": "pages", "part": f"{number:03}", "odd": number % 2 == 1}
            batch.put_item(Item=item | {"pad": "x" * 500})
    pages = near.client("dynamodb", EAST).get_paginator("query").paginate(
        TableName="stock",
        KeyConditionExpression="id = :id AND part BETWEEN :from AND :to",
        FilterExpression="odd = :odd",
        ProjectionExpression="part",
        ExpressionAttributeValues={
            ":id": {"S": "pages"},
            ":from": {"S": "010"},
            ":to": {"S": "049"},
            ":odd": {"BOOL": True},
        },
        ScanIndexForward=False,
        PaginationConfig={"PageSize": 7},
    )
    pages = list(pages)
    parts = [item["part"]["S"] for page in pages for item in page["Items"]]
    assert parts == [f"{number:03}" for number in range(49, 9, -2)]
    assert len(pages) >= 6 and pages[0]["ScannedCount"] == 7
    few = stock.query(
        KeyConditionExpression=Key("id").eq("pages") & Key("part").begins_with("05"), Limit=4
    )
    assert [item["part"] for item in few["Items"]] == ["050", "051", "052", "053"]
    assert few["LastEvaluatedKey"] == {"id": "pages", "part": "053"}
    counted = stock.query(KeyConditionExpression=Key("id").eq("pages"), Select="COUNT")
    assert counted["Count"] == 60 and "Items" not in counted


def test_segments_of_a_scan_cover_a_table_once(near):
    table = make_table(near, "segments", replicas=[EAST])
    with table.batch_writer() as batch:
        for number in range(200):
            batch.put_item(Item={"id": f"{number}"})
    found = []
    for segment in range(4):
        pages = near.client("dynamodb", EAST).get_paginator("scan").paginate(
            TableName="segments",
            Segment=segment,
            TotalSegments=4,
            PaginationConfig={"PageSize": 13},
        )
        found += [item["id"]["S"] for page in pages for item in page["Items"]]
    assert sorted(found) == sorted(f"{number}" for number in range(200))


def test_batches_write_and_read_many(near, stock):
    keys = [{"id": "batch", "part": f"{number:02}"} for number in range(90)]
    with stock.batch_writer() as batch:
        for key in keys:
            batch.put_item(Item=key)
    client = near.client("dynamodb", EAST)
    wire = [{name: {"S": value} for name, value in key.items()} for key in keys]
    answer = client.batch_get_item(RequestItems={"stock": {"Keys": wire}})
    assert len(answer["Responses"]["stock"]) == 90 and answer["UnprocessedKeys"] == {}
    code, message = error_code(
        client.batch_write_item,
        RequestItems={"stock": [{"DeleteRequest": {"Key": key}} for key in wire[:26]]},
    )
    assert code == "ValidationException" and "25" in message


def test_transactions_are_all_or_nothing(near, stock):
    client = near.client("dynamodb", EAST)

    def put(part, **more):
        item = {"id": {"S": "transaction"}, "part": {"S": part}}
        return {"Put": {"TableName": "stock", "Item": item, **more}}

    client.transact_write_items(TransactItems=[put("1"), put("2")])
    with pytest.raises(client.exceptions.TransactionCanceledException) as refused:
        unless_there = put("1", ConditionExpression="attribute_not_exists(id)")
        client.transact_write_items(TransactItems=[put("3"), unless_there])
    reasons = [reason["Code"] for reason in refused.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    found = stock.query(KeyConditionExpression=Key("id").eq("transaction"))["Items"]
    assert [item["part"] for item in found] == ["1", "2"]


def test_counters_lose_no_increment_under_contention(near, stock):
    key = {"id": "counter", "part": "1"}

    def count():
        table = near.table("stock", EAST)
        for _ in range(25):
            table.update_item(
                Key=key, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": 1}
            )

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stock.get_item(Key=key, ConsistentRead=True)["Item"]["n"] == 200


def test_refusals_have_amazons_names(near, stock):
    client = near.client("dynamodb", EAST)
    code, _ = error_code(client.get_item, TableName="nowhere", Key={"id": {"S": "1"}})
    assert code == "ResourceNotFoundException"
    code, message = error_code(client.get_item, TableName="stock", Key={"id": {"S": "1"}})
    assert code == "ValidationException" and "schema" in message
    code, message = error_code(
        client.scan, TableName="stock", FilterExpression="a = = b"
    )
    assert code == "ValidationException" and "FilterExpression" in message
    code, _ = error_code(
        client.create_table,
        TableName="stock",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert code == "ResourceInUseException"
    code, message = error_code(stock.put_item, Item={"id": "1", "part": "1", "x": "y" * 410_000})
    assert code == "ValidationException" and "size" in message


# The aws CLI.


def test_the_cli_makes_fills_reads_and_deletes_a_table(near):
    near.aws(
        "dynamodb", "create-table", "--table-name", "cli", "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=id,AttributeType=S",
        "--key-schema", "AttributeName=id,KeyType=HASH",
    )
    near.aws("dynamodb", "wait", "table-exists", "--table-name", "cli")
    item = '{"id": {"S": "1"}, "tags": {"SS": ["a", "b"]}, "n": {"N": "1e2"}}'
    near.aws("dynamodb", "put-item", "--table-name", "cli", "--item", item)
    got = near.aws("dynamodb", "get-item", "--table-name", "cli", "--key", '{"id": {"S": "1"}}')
    item = json.loads(got.stdout)["Item"]
    assert item == {"id": {"S": "1"}, "tags": {"SS": ["a", "b"]}, "n": {"N": "100"}}
    got = near.aws(
        "dynamodb", "query", "--table-name", "cli", "--key-condition-expression", "id = :id",
        "--expression-attribute-values", '{":id": {"S": "1"}}', "--query", "Count",
    )
    assert got.stdout.strip() == "1"
    refused = near.aws(
        "dynamodb", "put-item", "--table-name", "cli", "--item", '{"no": {"S": "key"}}', check=False
    )
    assert refused.returncode != 0 and "ValidationException" in refused.stderr
    near.aws("dynamodb", "delete-table", "--table-name", "cli")
    near.aws("dynamodb", "wait", "table-not-exists", "--table-name", "cli")
    tables = near.aws("dynamodb", "list-tables", "--output", "text").stdout
    assert "cli" not in tables.split()


def test_what_a_statement_writes_is_read_elsewhere(near):
    make_table(near, "stated", replicas=[EAST, TOKYO])
    here, far = (near.client("dynamodb", region) for region in (EAST, TOKYO))
    here.execute_statement(Statement="INSERT INTO stated VALUE {'id': 'a', 'v': 1}")

    def found():
        return far.execute_statement(Statement="SELECT v FROM stated")["Items"]

    eventually(lambda: found() == [{"v": {"N": "1"}}])
