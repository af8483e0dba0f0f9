"""Time to live in three regions, as boto3 uses it."""

import time

from laptop import EAST, IRELAND, eventually
from test_tables import item_in, make_table


def enable(laptop, table, attribute="until"):
    client = laptop.client("dynamodb")
    client.update_time_to_live(
        TableName=table,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute},
    )
    for region in (EAST, IRELAND):
        there = laptop.client("dynamodb", region)

        def is_enabled():
            told = there.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
            return told == {"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}

        eventually(is_enabled)


def test_items_expire_within_seconds_in_every_region(near):
    table = make_table(near, "expiring", replicas=[EAST, IRELAND])
    now = int(time.time())
    old = {"id": "old", "until": now - 60}
    table.put_item(Item=old)
    eventually(lambda: item_in(near, "expiring", IRELAND, {"id": "old"}) == old)
    kept = [
        {"id": "later", "until": now + 3600},
        {"id": "text", "until": str(now - 60)},
        {"id": "none"},
        {"id": "ancient", "until": now - 6 * 366 * 86_400},
    ]
    for item in kept:
        table.put_item(Item=item)
    enable(near, "expiring")
    table.put_item(Item={"id": "soon", "until": now + 2})
    for region in (EAST, IRELAND):
        for gone in ("old", "soon"):
            eventually(lambda: item_in(near, "expiring", region, {"id": gone}) is None, within=20)
        for item in kept:
            eventually(lambda: item_in(near, "expiring", region, {"id": item["id"]}) == item)


def test_a_time_that_is_put_off_is_kept(near):
    table = make_table(near, "renewed", replicas=[EAST, IRELAND])
    enable(near, "renewed")
    there = near.table("renewed", IRELAND)
    now = int(time.time())
    table.put_item(Item={"id": "session", "until": now + 3})
    eventually(lambda: item_in(near, "renewed", IRELAND, {"id": "session"}) is not None)
    there.update_item(
        Key={"id": "session"},
        UpdateExpression="SET #u = :u",
        ExpressionAttributeNames={"#u": "until"},
        ExpressionAttributeValues={":u": now + 3600},
    )
    table.put_item(Item={"id": "other", "until": now + 3})
    eventually(lambda: item_in(near, "renewed", EAST, {"id": "other"}) is None, within=20)
    for region in (EAST, IRELAND):
        assert item_in(near, "renewed", region, {"id": "session"})["until"] == now + 3600
