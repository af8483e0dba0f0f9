"""Time to live in one region: what expires, what does not, and who is said to have removed it."""

import time

from laptop import EAST, error_code, eventually
from test_streams import Consumer
from test_tables import make_table


def enable(client, table, attribute="until", *, on=True):
    wanted = {"Enabled": on, "AttributeName": attribute}
    client.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def described(client, table):
    return client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]


def test_it_is_switched_on_once(single):
    make_table(single, "switched-expiry", replicas=[EAST])
    client = single.client("dynamodb")
    assert described(client, "switched-expiry") == {"TimeToLiveStatus": "DISABLED"}
    enable(client, "switched-expiry")
    on = {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    eventually(lambda: described(client, "switched-expiry") == on)
    code, said = error_code(enable, client, "switched-expiry")
    assert (code, said) == ("ValidationException", "TimeToLive is already enabled")


def test_only_items_of_a_past_time_expire(single):
    table = make_table(single, "expiring-here", replicas=[EAST])
    client = single.client("dynamodb")
    now = int(time.time())
    kept = [
        {"id": "later", "until": now + 3600},
        {"id": "text", "until": f"{now - 60}"},
        {"id": "none"},
        {"id": "ancient", "until": now - 6 * 366 * 86_400},
    ]
    for item in [*kept, {"id": "old", "until": now - 60}]:
        table.put_item(Item=item)
    enable(client, "expiring-here")
    eventually(lambda: "Item" not in table.get_item(Key={"id": "old"}, ConsistentRead=True))
    assert sorted(table.scan()["Items"], key=str) == sorted(kept, key=str)


def test_a_stream_says_who_removed_an_expired_item(single):
    table = make_table(single, "expiring-told", replicas=[EAST])
    enable(single.client("dynamodb"), "expiring-told")
    table.put_item(Item={"id": "a", "until": int(time.time()) - 60})
    consumer = Consumer(single, "expiring-told", EAST)
    eventually(lambda: len(consumer.poll()) == 2)
    removed = consumer.records[1]
    assert removed["eventName"] == "REMOVE"
    service = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert removed["userIdentity"] == service
    assert removed["dynamodb"]["OldImage"]["id"] == {"S": "a"}
