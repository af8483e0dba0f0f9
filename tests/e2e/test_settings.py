"""Settings of tables that are kept and told, as boto3 sets and reads them."""

from laptop import EAST, IRELAND, error_code, eventually

KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


def describe(client, name):
    return client.describe_table(TableName=name)["Table"]


def test_a_key_of_kms_is_told_in_each_region(near):
    client = near.client("dynamodb", EAST)
    key = f"arn:aws:kms:{EAST}:000000000000:key/0a1b2c3d-0000-1111-2222-333344445555"
    there_key = key.replace(EAST, IRELAND)
    client.create_table(
        TableName="keyed",
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
        **KEYS,
    )
    told = describe(client, "keyed")["SSEDescription"]
    assert told == {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}
    member = {"RegionName": IRELAND, "KMSMasterKeyId": there_key}
    client.update_table(TableName="keyed", ReplicaUpdates=[{"Create": member}])
    there = near.client("dynamodb", IRELAND)
    there.get_waiter("table_exists").wait(TableName="keyed", WaiterConfig={"Delay": 1})
    assert describe(there, "keyed")["SSEDescription"]["KMSMasterKeyArn"] == there_key

    def is_settled():
        return describe(client, "keyed")["TableStatus"] == "ACTIVE"

    eventually(is_settled, within=60)
    client.update_table(TableName="keyed", SSESpecification={"Enabled": False})
    assert "SSEDescription" not in describe(client, "keyed")
    eventually(lambda: "SSEDescription" not in describe(there, "keyed"))
    wrong = {"Enabled": False, "KMSMasterKeyId": key}
    code, _ = error_code(client.update_table, TableName="keyed", SSESpecification=wrong)
    assert code == "ValidationException"


def test_decreases_of_a_day_are_told_and_bounded(near):
    client = near.client("dynamodb", EAST)

    def units(number):
        return {"ReadCapacityUnits": number, "WriteCapacityUnits": 5}

    client.create_table(TableName="falling", ProvisionedThroughput=units(9), **KEYS)
    client.get_waiter("table_exists").wait(TableName="falling", WaiterConfig={"Delay": 1})

    def fall(number):
        client.update_table(TableName="falling", ProvisionedThroughput=units(number))

    for number in (8, 7, 6, 5):
        fall(number)
    told = describe(client, "falling")["ProvisionedThroughput"]
    # Midnight may come in between.
    assert told["NumberOfDecreasesToday"] in range(5)
    assert told["LastDecreaseDateTime"] > describe(client, "falling")["CreationDateTime"]
    if told["NumberOfDecreasesToday"] == 4:
        code, message = error_code(fall, 4)
        assert code == "LimitExceededException" and "decreases" in message


def test_replicas_are_changed_all_or_none(near):
    client = near.client("dynamodb", EAST)
    client.create_table(TableName="all-or-none", BillingMode="PAY_PER_REQUEST", **KEYS)
    twice = [{"Create": {"RegionName": IRELAND}}] * 2
    code, _ = error_code(client.update_table, TableName="all-or-none", ReplicaUpdates=twice)
    assert code == "ValidationException"
    told = describe(client, "all-or-none")
    assert told["TableStatus"] == "ACTIVE"
    assert not {"Replicas", "StreamSpecification"} & set(told)
