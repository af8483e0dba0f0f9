"""A table held to its throughput, as boto3 meets it with its own retries switched off."""

import botocore.exceptions
from laptop import EAST, eventually

EXCEEDED = "ProvisionedThroughputExceededException"
UNITS = 5


def make_table(laptop, name, **more):
    client = laptop.client("dynamodb", EAST)
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": UNITS, "WriteCapacityUnits": UNITS},
        **more,
    )
    client.get_waiter("table_exists").wait(TableName=name)
    return client


def until_throttled(call):
    """Calls until that is refused; returns how often it was not, and the refusal."""
    for count in range(100_000):
        try:
            call()
        except botocore.exceptions.ClientError as error:
            return count, error.response
    raise AssertionError("nothing throttles it")


def succeeds(call):
    try:
        call()
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == EXCEEDED
        return False
    return True


def test_a_provisioned_table_is_throttled_and_recovers(near):
    tags = [{"Key": "hither:throttling", "Value": "on"}]
    client = make_table(near, "throttled", Tags=tags)

    def put():
        client.put_item(TableName="throttled", Item={"id": {"S": "1"}})

    def get():
        key = {"id": {"S": "1"}}
        client.get_item(TableName="throttled", Key=key, ConsistentRead=True)

    for call, kind in ((put, "Write"), (get, "Read")):
        count, refused = until_throttled(call)
        assert count >= UNITS
        assert refused["Error"]["Code"] == EXCEEDED
        assert refused["ResponseMetadata"]["HTTPStatusCode"] == 400
        (reason,) = refused["ThrottlingReasons"]
        assert reason["reason"] == f"Table{kind}ProvisionedThroughputExceeded"
        assert reason["resource"].endswith(":table/throttled")
        eventually(lambda: succeeds(call))


def test_a_batch_ends_when_what_is_left_is_sent_again(near):
    tags = [{"Key": "hither:throttling", "Value": "on"}]
    client = make_table(near, "throttled-batch", Tags=tags)
    puts = [{"PutRequest": {"Item": {"id": {"S": f"{at}"}}}} for at in range(20)]
    left = {"throttled-batch": puts}
    rounds = []

    def sent():
        nonlocal left
        try:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == EXCEEDED
            return False
        rounds.append(len(left.get("throttled-batch", [])))
        return not left

    eventually(sent, every=0.2)
    assert len(rounds) > 1 and rounds == sorted(rounds, reverse=True), rounds
    arn = client.describe_table(TableName="throttled-batch")["Table"]["TableArn"]
    client.untag_resource(ResourceArn=arn, TagKeys=["hither:throttling"])
    assert client.scan(TableName="throttled-batch", Select="COUNT")["Count"] == 20


def test_nothing_is_throttled_by_default(near):
    client = make_table(near, "unthrottled")
    for _ in range(10 * UNITS):
        client.put_item(TableName="unthrottled", Item={"id": {"S": "1"}})
