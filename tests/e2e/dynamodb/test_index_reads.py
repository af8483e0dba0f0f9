"""Secondary indexes of one region: what is in them, and what may not be."""

import decimal

import pytest
from boto3.dynamodb.conditions import Attr, Key
from laptop import EAST, error_code, eventually
from test_indexes import create, status
from test_tables import make_table

D = decimal.Decimal


def test_indexes_of_a_table_as_it_is_made(single):
    client = single.client("dynamodb")
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
    table = single.table("matches")
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
def test_a_key_of_the_wrong_type_is_refused(single, value):
    name = f"typed{len(value)}"
    table = make_table(single, name, replicas=[EAST])
    client = single.client("dynamodb")
    kind = "N" if value else "S"
    client.update_table(TableName=name, **create("by-key", [("key", kind, "HASH")]))
    put = table.put_item
    eventually(lambda: status(single, name, "by-key", EAST) == ("ACTIVE", False))
    assert error_code(put, Item={"id": "a", "key": value})[0] == "ValidationException"
