"""Secondary indexes of DynamoDB in three regions, as boto3 uses them."""

from boto3.dynamodb.conditions import Key
from laptop import EAST, IRELAND, error_code, eventually
from test_tables import make_table


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
