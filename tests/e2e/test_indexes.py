"""Secondary indexes of DynamoDB in three regions, as boto3 uses them."""

import decimal

import pytest
from boto3.dynamodb.conditions import Attr, Key
from laptop import EAST, IRELAND, error_code, eventually
from test_tables import make_table

D = decimal.Decimal


def create(index, keys, projection="ALL", **more):
    """The request that adds an index to a live table."""
    return {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind, _ in keys
        ],
        "GlobalSecondaryIndexUpdates": [
            {
                "Create": {
                    "IndexName": index,
                    "KeySchema": [
                        {"AttributeName": name, "KeyType": role} for name, _, role in keys
                    ],
                    "Projection": {"ProjectionType": projection},
                    **more,
                }
            }
        ],
    }


def status(laptop, table, index, region):
    described = laptop.client("dynamodb", region).describe_table(TableName=table)["Table"]
    for one in described.get("GlobalSecondaryIndexes", []):
        if one["IndexName"] == index:
            return one["IndexStatus"], one.get("Backfilling", False)
    return None


def ids(table, **query):
    """The items of all pages of a query, by id."""
    found = []
    while True:
        page = table.query(**query)
        found += [item["id"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return found
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def test_an_index_is_added_to_a_global_table_and_read_in_each_region(near):
    orders = make_table(near, "indexed", replicas=[EAST, IRELAND])
    with orders.batch_writer() as batch:
        for at in range(600):
            batch.put_item(
                Item={"id": f"o{at:03}", "state": f"s{at % 3}", "total": at, "text": "x" * 50}
            )
    client = near.client("dynamodb")
    keys = [("state", "S", "HASH"), ("total", "N", "RANGE")]
    client.update_table(TableName="indexed", **create("by-state", keys))
    for region in (EAST, IRELAND):
        eventually(lambda: status(near, "indexed", "by-state", region) == ("ACTIVE", False))
    expected = [f"o{at:03}" for at in range(600) if at % 3 == 1]
    query = {"IndexName": "by-state", "KeyConditionExpression": Key("state").eq("s1")}
    assert ids(orders, Limit=70, **query) == expected
    assert ids(orders, ScanIndexForward=False, **query) == expected[::-1]
    there = near.table("indexed", IRELAND)
    eventually(lambda: ids(there, **query) == expected)
    # What is written in one region is in both regions' indexes, and what goes is in neither.
    orders.put_item(Item={"id": "late", "state": "s1", "total": 10_000})
    orders.delete_item(Key={"id": "o001"})
    expected = [*expected[1:], "late"]
    assert ids(orders, **query) == expected
    eventually(lambda: ids(there, **query) == expected)
    for region in (EAST, IRELAND):
        table = near.client("dynamodb", region).describe_table(TableName="indexed")["Table"]
        assert table["ItemCount"] == 600
        assert table["GlobalSecondaryIndexes"][0]["ItemCount"] == 600
    client.update_table(
        TableName="indexed",
        GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-state"}}],
    )
    eventually(lambda: status(near, "indexed", "by-state", IRELAND) is None)
    assert error_code(orders.query, **query)[0] == "ValidationException"


def test_indexes_of_a_table_as_it_is_made(near):
    client = near.client("dynamodb")
    client.create_table(
        TableName="matches",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in [
                ("pk", "S"), ("sk", "N"), ("cup", "S"), ("place", "S"), ("round", "N"),
            ]
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-cup",
                "KeySchema": [
                    {"AttributeName": "cup", "KeyType": "HASH"},
                    {"AttributeName": "place", "KeyType": "HASH"},
                    {"AttributeName": "round", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "by-round",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "round", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": ["place"],
                },
            }
        ],
    )
    table = near.table("matches")
    for at in range(9):
        item = {"pk": "p", "sk": at, "cup": "c", "place": f"v{at % 2}", "round": 9 - at, "z": at}
        if at == 8:
            del item["round"]
        table.put_item(Item=item)
    found = table.query(
        IndexName="by-cup",
        KeyConditionExpression=Key("cup").eq("c") & Key("place").eq("v1") & Key("round").gt(3),
        ReturnConsumedCapacity="INDEXES",
    )
    assert [item["sk"] for item in found["Items"]] == [5, 3, 1]
    assert set(found["Items"][0]) == {"pk", "sk", "cup", "place", "round"}
    consumed = found["ConsumedCapacity"]
    assert consumed["GlobalSecondaryIndexes"] == {"by-cup": {"CapacityUnits": 0.5}}
    local = table.query(
        IndexName="by-round",
        KeyConditionExpression=Key("pk").eq("p") & Key("round").between(2, 4),
        FilterExpression=Attr("z").ne(6),
        Select="ALL_ATTRIBUTES",
        ConsistentRead=True,
    )
    assert [item["z"] for item in local["Items"]] == [D(7), D(5)]
    assert (local["Count"], local["ScannedCount"]) == (2, 3)
    scanned = table.scan(IndexName="by-round", Select="COUNT")
    assert scanned["Count"] == 8, "an item without the key is in no index"


@pytest.mark.parametrize("value", ["text", ""])
def test_a_key_of_the_wrong_type_is_refused(near, value):
    name = f"typed{len(value)}"
    table = make_table(near, name, replicas=[EAST])
    client = near.client("dynamodb")
    kind = "N" if value else "S"
    client.update_table(TableName=name, **create("by-key", [("key", kind, "HASH")]))
    put = table.put_item
    eventually(lambda: status(near, name, "by-key", EAST) == ("ACTIVE", False))
    assert error_code(put, Item={"id": "a", "key": value})[0] == "ValidationException"
