"""Resolvers: the later item stays, and those that would merge items are refused."""

import pytest
from laptop import EAST, REGIONS, TOKYO, error_code, eventually
from test_tables import item_in, make_table

TAG = "hither:resolver"
KEY = {"id": "one"}
CREATE = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def everywhere(laptop, table, found):
    for region in REGIONS:
        eventually(lambda: found(item_in(laptop, table, region, KEY)))
    eventually(lambda: len(set(laptop.digests(table).values())) == 1)


def add(laptop, table, region, by):
    laptop.table(table, region).update_item(
        Key=KEY,
        UpdateExpression="ADD n :by",
        ExpressionAttributeValues={":by": by},
    )


@pytest.mark.parametrize("tags", [None, {TAG: "item"}])
def test_a_table_keeps_the_later_item_whole(far, tags):
    table = "tagged" if tags else "whole"
    make_table(far, table, tags=tags)
    far.table(table, EAST).put_item(Item={**KEY, "n": 0})
    everywhere(far, table, lambda item: item and item["n"] == 0)
    with far.cut_off(TOKYO):
        add(far, table, TOKYO, 1)
        add(far, table, EAST, 2)
    everywhere(far, table, lambda item: item["n"] == 2)


@pytest.mark.parametrize("resolver", ["attributes", "counters"])
def test_a_resolver_that_merges_is_refused(near, resolver):
    client = near.client("dynamodb", EAST)
    tags = [{"Key": TAG, "Value": resolver}]
    refused = error_code(client.create_table, TableName="merging", Tags=tags, **CREATE)
    message = f"The resolver {resolver} of the tag {TAG} is not offered yet; only item is"
    assert refused == ("ValidationException", message)
    assert "merging" not in client.list_tables()["TableNames"]


def test_a_resolver_is_known_and_stays(near):
    client = near.client("dynamodb", EAST)
    tags = [{"Key": TAG, "Value": "magic"}]
    refused = error_code(client.create_table, TableName="magic", Tags=tags, **CREATE)
    assert refused == ("ValidationException", "Tag hither:resolver is item, not magic")
    make_table(near, "fixed", tags={TAG: "item"})
    arn = client.describe_table(TableName="fixed")["Table"]["TableArn"]
    tagged = {"ResourceArn": arn, "Tags": [{"Key": TAG, "Value": "attributes"}]}
    code, message = error_code(client.tag_resource, **tagged)
    assert code == "ValidationException"
    assert "cannot be changed; this table's is item" in message
