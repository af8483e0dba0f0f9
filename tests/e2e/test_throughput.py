"""What tables, indexes and replicas are to serve, as boto3 sets it, reads it and runs into it."""

import botocore.exceptions
from laptop import EAST, IRELAND, error_code, eventually

KEYS = {
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "by", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
INDEX = {
    "IndexName": "by-x",
    "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
ON = [{"Key": "hither:throttling", "Value": "on"}]


def refusal(call):
    """Calls until that is refused; returns the refusal."""
    for _ in range(100_000):
        try:
            call()
        except botocore.exceptions.ClientError as error:
            return error
    raise AssertionError("nothing refuses it")


def test_bounds_are_set_told_and_held_to(near):
    client = near.client("dynamodb", EAST)
    bounds = {"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 3}
    index = INDEX | {"OnDemandThroughput": {"MaxReadRequestUnits": 2}}
    client.create_table(
        TableName="bounded",
        BillingMode="PAY_PER_REQUEST",
        OnDemandThroughput=bounds,
        GlobalSecondaryIndexes=[index],
        Tags=ON,
        **KEYS,
    )
    client.get_waiter("table_exists").wait(TableName="bounded")
    told = client.describe_table(TableName="bounded")["Table"]
    assert told["OnDemandThroughput"] == bounds
    assert told["WarmThroughput"]["ReadUnitsPerSecond"] == 12_000

    def put():
        client.put_item(TableName="bounded", Item={"id": {"S": "1"}, "by": {"S": "x"}})

    def scan():
        client.scan(TableName="bounded", IndexName="by-x")

    cases = [(put, "bounded", "TableWrite"), (scan, "index/by-x", "IndexRead")]
    for call, resource, what in cases:
        error = refusal(call)
        assert isinstance(error, client.exceptions.ThrottlingException)
        (reason,) = error.response["throttlingReasons"]
        assert reason["reason"] == f"{what}MaxOnDemandThroughputExceeded"
        assert reason["resource"].endswith(resource)
    put_one = {"Put": {"TableName": "bounded", "Item": {"id": {"S": "2"}}}}
    error = refusal(lambda: client.transact_write_items(TransactItems=[put_one]))
    codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
    assert codes == ["ThrottlingError"]
    none = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}
    client.update_table(TableName="bounded", OnDemandThroughput=none)
    assert "OnDemandThroughput" not in client.describe_table(TableName="bounded")["Table"]
    for _ in range(20):
        put()


def test_an_index_holds_back_its_table(near):
    client = near.client("dynamodb", EAST)
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 2}
    client.create_table(
        TableName="held-back",
        ProvisionedThroughput={"ReadCapacityUnits": 1000, "WriteCapacityUnits": 1000},
        GlobalSecondaryIndexes=[INDEX | {"ProvisionedThroughput": units}],
        Tags=ON,
        **KEYS,
    )
    client.get_waiter("table_exists").wait(TableName="held-back")
    numbers = iter(range(100_000))

    def put():
        item = {"id": {"S": f"{next(numbers)}"}, "by": {"S": "x"}}
        client.put_item(TableName="held-back", Item=item)

    error = refusal(put)
    assert isinstance(error, client.exceptions.ProvisionedThroughputExceededException)
    (reason,) = error.response["ThrottlingReasons"]
    assert reason["reason"] == "IndexWriteProvisionedThroughputExceeded"
    assert reason["resource"].endswith(":table/held-back/index/by-x")
    for _ in range(20):
        client.put_item(TableName="held-back", Item={"id": {"S": "not in the index"}})


def test_a_replica_has_bounds_of_its_own_for_readers(near):
    client = near.client("dynamodb", EAST)
    client.create_table(
        TableName="own-bounds",
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[INDEX],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        **KEYS,
    )
    client.get_waiter("table_exists").wait(TableName="own-bounds")

    def update(change, units):
        member = {
            "RegionName": IRELAND,
            "OnDemandThroughputOverride": {"MaxReadRequestUnits": units},
        }
        client.update_table(TableName="own-bounds", ReplicaUpdates=[{change: member}])

    def replica():
        (told,) = client.describe_table(TableName="own-bounds")["Table"]["Replicas"]
        return told

    update("Create", 50)
    eventually(lambda: replica()["ReplicaStatus"] == "ACTIVE", within=60)
    assert replica()["OnDemandThroughputOverride"] == {"MaxReadRequestUnits": 50}
    update("Update", 60)
    there = near.client("dynamodb", IRELAND)

    def own():
        return there.describe_table(TableName="own-bounds")["Table"].get("OnDemandThroughput")

    wanted = {"MaxReadRequestUnits": 60, "MaxWriteRequestUnits": -1}
    eventually(lambda: own() == wanted)
    code, _ = error_code(update, "Update", 0)
    assert code == "ValidationException"
    update("Update", -1)
    eventually(lambda: own() is None)
