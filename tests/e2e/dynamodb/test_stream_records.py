"""Streams of one region: what they tell of writes, and how they begin and end."""

import pytest
from laptop import EAST, error_code, eventually
from test_streams import Consumer
from test_tables import make_table


def test_a_transaction_is_told_in_order(single):
    make_table(single, "together", replicas=[EAST])
    client = single.client("dynamodb", EAST)
    puts = [{"Put": {"TableName": "together", "Item": {"id": {"S": key}}}} for key in "cab"]
    client.transact_write_items(TransactItems=puts)
    consumer = Consumer(single, "together", EAST)
    eventually(lambda: consumer.keys() == ["c", "a", "b"])


def test_streams_are_listed_ended_and_begun(single):
    make_table(single, "switched", replicas=[EAST])
    client = single.client("dynamodb", EAST)
    streams = single.client("dynamodbstreams", EAST)
    (first,) = streams.list_streams(TableName="switched")["Streams"]
    code, _ = error_code(
        client.update_table,
        TableName="switched",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    assert code == "ValidationException"
    client.update_table(TableName="switched", StreamSpecification={"StreamEnabled": False})
    description = streams.describe_stream(StreamArn=first["StreamArn"])["StreamDescription"]
    assert description["StreamStatus"] == "DISABLED"
    client.update_table(
        TableName="switched",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    listed = streams.list_streams(TableName="switched")["Streams"]
    assert len(listed) == 2 and first in listed
    code, _ = error_code(
        streams.describe_stream, StreamArn=first["StreamArn"].replace("switched", "no-such")
    )
    assert code == "ResourceNotFoundException"


OLD, NEW = {"n": {"N": "1"}}, {"n": {"N": "2"}}


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("KEYS_ONLY", {}),
        ("OLD_IMAGE", {"OldImage": OLD}),
        ("NEW_IMAGE", {"NewImage": NEW}),
        ("NEW_AND_OLD_IMAGES", {"OldImage": OLD, "NewImage": NEW}),
    ],
)
def test_a_view_shows_what_it_says(single, view, images):
    name = f"view-{view}"
    client = single.client("dynamodb")
    key = {"id": {"S": "a"}}
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
    )
    for image in (OLD, NEW, NEW):
        client.put_item(TableName=name, Item=key | image)
    client.delete_item(TableName=name, Key=key)
    consumer = Consumer(single, name, EAST)
    eventually(lambda: len(consumer.poll()) >= 3)
    # A write that changes nothing is not told.
    assert [record["eventName"] for record in consumer.records] == ["INSERT", "MODIFY", "REMOVE"]
    told = consumer.records[1]["dynamodb"]
    assert told["Keys"] == key
    assert told["StreamViewType"] == view
    found = {name: told[name] for name in ("OldImage", "NewImage") if name in told}
    assert found == {name: key | image for name, image in images.items()}


@pytest.mark.parametrize("kind", ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "LATEST"])
def test_an_iterator_begins_where_it_says(single, kind):
    name = f"from-{kind}"
    table = make_table(single, name, replicas=[EAST])
    for number in range(3):
        table.put_item(Item={"id": f"{number}"})
    consumer = Consumer(single, name, EAST)
    eventually(lambda: len(consumer.poll()) == 3)
    (shard,) = consumer.shards()
    at = {"SequenceNumber": consumer.records[1]["dynamodb"]["SequenceNumber"]}
    iterator = consumer.client.get_shard_iterator(
        StreamArn=consumer.arn,
        ShardId=shard["ShardId"],
        ShardIteratorType=kind,
        **(at if kind != "LATEST" else {}),
    )["ShardIterator"]
    table.put_item(Item={"id": "3"})
    first = {"AT_SEQUENCE_NUMBER": 1, "AFTER_SEQUENCE_NUMBER": 2, "LATEST": 3}[kind]
    found = []

    def is_read():
        nonlocal iterator
        page = consumer.client.get_records(ShardIterator=iterator)
        iterator = page["NextShardIterator"]
        found.extend(record["dynamodb"]["Keys"]["id"]["S"] for record in page["Records"])
        return len(found) >= 4 - first

    eventually(is_read)
    assert found == [f"{number}" for number in range(first, 4)]
