"""DynamoDB Streams as boto3 reads them, and a consumer that follows shards as Lambda does."""

import itertools
import threading

from laptop import EAST, IRELAND, REGIONS, TOKYO, eventually
from test_tables import make_table


class Consumer:
    """Follows a stream: parents before children, each shard to its end."""

    def __init__(self, laptop, table, region):
        self.client = laptop.client("dynamodbstreams", region)
        described = laptop.client("dynamodb", region).describe_table(TableName=table)["Table"]
        self.arn = described["LatestStreamArn"]
        self.iterators, self.done, self.records = {}, set(), []

    def shards(self):
        shards, more = [], {}
        while True:
            page = self.client.describe_stream(StreamArn=self.arn, **more)["StreamDescription"]
            shards += page["Shards"]
            if "LastEvaluatedShardId" not in page:
                return shards
            more = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}

    def poll(self):
        """Reads what there is; returns all records so far."""
        known = {shard["ShardId"] for shard in self.shards()}
        for shard in self.shards():
            name, parent = shard["ShardId"], shard.get("ParentShardId")
            if name in self.done or (parent in known and parent not in self.done):
                continue
            if name not in self.iterators:
                self.iterators[name] = self.client.get_shard_iterator(
                    StreamArn=self.arn, ShardId=name, ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
            page = self.client.get_records(ShardIterator=self.iterators[name])
            self.records += page["Records"]
            if page.get("NextShardIterator") is None:
                self.done.add(name)
            else:
                self.iterators[name] = page["NextShardIterator"]
        return self.records

    def keys(self):
        return [record["dynamodb"]["Keys"]["id"]["S"] for record in self.poll()]


def make_short(laptop, name):
    """Makes a table in the first region whose stream has shards of two seconds."""
    client = laptop.client("dynamodb", EAST)
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        Tags=[{"Key": "hither:stream-roll", "Value": "2s"}],
    )
    return laptop.table(name, EAST)


def test_a_consumer_follows_shards_across_roll_overs(near):
    table = make_short(near, "rolling")
    consumer = Consumer(near, "rolling", EAST)
    ending, written = threading.Event(), []

    def write():
        for number in itertools.count():
            if ending.is_set():
                return
            table.put_item(Item={"id": f"{number}", "version": 1})
            table.update_item(
                Key={"id": f"{number}"},
                UpdateExpression="SET version = :next",
                ExpressionAttributeValues={":next": 2},
            )
            written.append(f"{number}")

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        # Three shards have been read to their ends while writes go on.
        eventually(lambda: consumer.poll() and len(consumer.done) >= 3)
    finally:
        ending.set()
        writer.join(timeout=60)
    wanted = [key for key in written for _ in range(2)]
    eventually(lambda: len(consumer.poll()) >= len(wanted))
    assert consumer.keys() == wanted, "each change once, in order"
    names = [record["eventName"] for record in consumer.records]
    assert names == ["INSERT", "MODIFY"] * len(written)
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in consumer.records]
    assert numbers == sorted(set(numbers))
    modify = consumer.records[1]["dynamodb"]
    assert modify["OldImage"]["version"] == {"N": "1"}
    assert modify["NewImage"]["version"] == {"N": "2"}
    assert modify["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    shards = consumer.shards()
    parents = [shard.get("ParentShardId") for shard in shards]
    assert parents == [None, *(shard["ShardId"] for shard in shards[:-1])]


def test_each_region_has_a_stream_of_its_own_with_the_others_writes(near):
    make_table(near, "everywhere")
    near.table("everywhere", EAST).put_item(Item={"id": "from-east", "n": 1})
    near.table("everywhere", TOKYO).put_item(Item={"id": "from-tokyo", "n": 1})
    for region in REGIONS:
        consumer = Consumer(near, "everywhere", region)
        assert f":{region}:" in consumer.arn
        eventually(lambda: set(consumer.keys()) == {"from-east", "from-tokyo"})
        assert len(consumer.records) == 2
        for record in consumer.records:
            assert record["awsRegion"] == region
            assert record["eventName"] == "INSERT"
            assert "userIdentity" not in record
    near.table("everywhere", IRELAND).delete_item(Key={"id": "from-east"})
    for region in REGIONS:
        consumer = Consumer(near, "everywhere", region)
        eventually(lambda: len(consumer.poll()) == 3)
        last = consumer.records[-1]
        assert last["eventName"] == "REMOVE"
        assert last["dynamodb"]["OldImage"]["n"] == {"N": "1"}
        assert "NewImage" not in last["dynamodb"]


def test_a_reader_goes_on_after_its_region_was_killed(far):
    make_table(far, "killed")
    consumer = Consumer(far, "killed", TOKYO)
    for region in REGIONS:
        far.table("killed", region).put_item(Item={"id": f"early-{region}"})
    eventually(lambda: len(consumer.poll()) == 3)
    command = far.kill(TOKYO)
    far.table("killed", EAST).put_item(Item={"id": "meanwhile"})
    far.restart(TOKYO, command)
    far.table("killed", TOKYO).put_item(Item={"id": "after"})
    eventually(lambda: set(consumer.keys()[3:]) == {"meanwhile", "after"})
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in consumer.records]
    assert numbers == sorted(set(numbers))


def test_the_cli_reads_a_stream(near):
    make_table(near, "by-cli", replicas=[EAST])
    near.table("by-cli", EAST).put_item(Item={"id": "1"})
    listed = near.aws("dynamodbstreams", "list-streams", "--table-name", "by-cli").stdout
    assert "arn:aws:dynamodb:us-east-1:000000000000:table/by-cli/stream/" in listed
