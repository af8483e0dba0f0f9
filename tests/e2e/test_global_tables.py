"""Global tables of version 2019.11.21 as AWS has them, point by point, as boto3 sees them.

It judges no data that races: test_tables.py writes on both sides of a cut. Each test is a row, or a
few, of what AWS documents or is known to answer.
"""

import os
import signal

import pytest

from laptop import EAST, IRELAND, REGIONS, TOKYO, error_code, eventually

KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}

LOCAL = (
    "Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable,"
    " DeleteTable, or UpdateTable as required."
)


def describe(client, name):
    return client.describe_table(TableName=name)["Table"]


def create(client, name, **more):
    client.create_table(TableName=name, **({"BillingMode": "PAY_PER_REQUEST"} | KEYS | more))
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


def replicate(client, name, change, **member):
    return client.update_table(TableName=name, ReplicaUpdates=[{change: member}])


def replica(client, name, region):
    replicas = describe(client, name).get("Replicas", [])
    return next((one for one in replicas if one["RegionName"] == region), None)


def statuses(client, name):
    replicas = describe(client, name).get("Replicas", [])
    return {one["RegionName"]: one["ReplicaStatus"] for one in replicas}


def join(laptop, name, home, *others, **member):
    """Makes a replica in each of `others`, and waits until each region tells all as active."""
    client = laptop.client("dynamodb", home)
    for region in others:
        replicate(client, name, "Create", RegionName=region, **member)
        eventually(lambda: statuses(client, name).get(region) == "ACTIVE", within=60)
    regions = {home, *others}
    for region in regions:
        there = laptop.client("dynamodb", region)
        wanted = dict.fromkeys(regions - {region}, "ACTIVE")
        eventually(lambda: statuses(there, name) == wanted, within=60)
        eventually(lambda: describe(there, name)["TableStatus"] == "ACTIVE")


@pytest.fixture(scope="module")
def east(near):
    return near.client("dynamodb", EAST)


@pytest.fixture(scope="module")
def ireland(near):
    return near.client("dynamodb", IRELAND)


# Replicas come and go.


def test_a_replica_is_added_to_a_table_with_data_and_without_a_stream(near, east, ireland):
    create(east, "gt-filled")
    told = describe(east, "gt-filled")
    absent = {"Replicas", "GlobalTableVersion", "StreamSpecification", "MultiRegionConsistency"}
    assert not absent & set(told)
    table = near.table("gt-filled", EAST)
    with table.batch_writer() as batch:
        for number in range(3000):
            batch.put_item(Item={"id": f"{number}", "pad": "x" * 400})
    # Stopped, it is not filled before it was looked at.
    pid = near.pid(IRELAND)
    os.kill(pid, signal.SIGSTOP)
    try:
        answer = replicate(east, "gt-filled", "Create", RegionName=IRELAND)["TableDescription"]
        assert answer["TableStatus"] == "UPDATING" and answer["GlobalTableVersion"] == "2019.11.21"
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        assert answer["StreamSpecification"] == stream
        # While a replica is made, nothing else of the table changes.
        with pytest.raises(east.exceptions.ResourceInUseException):
            east.update_table(TableName="gt-filled", DeletionProtectionEnabled=False)
        told = replica(east, "gt-filled", IRELAND)
        assert told["ReplicaStatus"] == "CREATING"
        percents = [int(told.get("ReplicaStatusPercentProgress", "0"))]
    finally:
        os.kill(pid, signal.SIGCONT)
    while (told := replica(east, "gt-filled", IRELAND))["ReplicaStatus"] != "ACTIVE":
        assert told["ReplicaStatus"] == "CREATING"
        percents.append(int(told.get("ReplicaStatusPercentProgress", "0")))
    assert percents == sorted(percents)
    assert all(0 <= percent <= 100 for percent in percents)
    eventually(lambda: describe(east, "gt-filled")["TableStatus"] == "ACTIVE", within=60)
    eventually(lambda: describe(ireland, "gt-filled")["TableStatus"] == "ACTIVE", within=60)
    there = near.table("gt-filled", IRELAND)
    count, start = 0, {}
    while True:
        page = there.scan(Select="COUNT", ConsistentRead=True, **start)
        count += page["Count"]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert count == 3000


def test_each_region_tells_the_others_and_what_is_its_own(near, east, ireland):
    create(east, "gt-told")
    join(near, "gt-told", EAST, IRELAND)
    here, there = describe(east, "gt-told"), describe(ireland, "gt-told")
    for told, other in ((here, IRELAND), (there, EAST)):
        (entry,) = told["Replicas"]
        warm = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}
        assert entry == {
            "RegionName": other,
            "ReplicaStatus": "ACTIVE",
            "WarmThroughput": warm,
            "GlobalTableSettingsReplicationMode": "ENABLED_WITH_OVERRIDES",
        }
        assert told["GlobalTableVersion"] == "2019.11.21"
        assert told["GlobalTableSettingsReplicationMode"] == "ENABLED_WITH_OVERRIDES"
        assert told["DisassociationProtectionEnabled"] is True
        assert "MultiRegionConsistency" not in told
    assert here["TableArn"] != there["TableArn"]
    assert here["LatestStreamArn"] != there["LatestStreamArn"]
    for client in (east, ireland):
        assert "gt-told" in client.list_tables()["TableNames"]
    assert "gt-told" not in near.client("dynamodb", TOKYO).list_tables()["TableNames"]


def test_any_region_adds_the_next_and_the_last_one_leaves_a_regional_table(near, east, ireland):
    create(east, "gt-shrinks")
    join(near, "gt-shrinks", EAST, IRELAND)
    replicate(ireland, "gt-shrinks", "Create", RegionName=TOKYO)
    active = {EAST: "ACTIVE", TOKYO: "ACTIVE"}
    eventually(lambda: statuses(ireland, "gt-shrinks") == active, within=60)
    near.table("gt-shrinks", EAST).put_item(Item={"id": "kept"})
    tokyo = near.client("dynamodb", TOKYO)
    eventually(lambda: statuses(east, "gt-shrinks").get(TOKYO) == "ACTIVE", within=60)
    answer = replicate(east, "gt-shrinks", "Delete", RegionName=TOKYO)["TableDescription"]
    entries = {one["RegionName"]: one["ReplicaStatus"] for one in answer["Replicas"]}
    assert entries[TOKYO] == "DELETING"
    eventually(lambda: statuses(east, "gt-shrinks") == {IRELAND: "ACTIVE"})

    def gone():
        code, _ = error_code(tokyo.describe_table, TableName="gt-shrinks")
        return code == "ResourceNotFoundException"

    eventually(gone)
    replicate(east, "gt-shrinks", "Delete", RegionName=IRELAND)
    eventually(lambda: "Replicas" not in describe(east, "gt-shrinks"))
    told = describe(east, "gt-shrinks")
    absent = {"Replicas", "GlobalTableVersion", "GlobalTableSettingsReplicationMode"}
    assert not absent & set(told)
    # The stream stays, and may be ended by then.
    assert told["StreamSpecification"]["StreamEnabled"] is True
    off = {"StreamEnabled": False}
    told = east.update_table(TableName="gt-shrinks", StreamSpecification=off)["TableDescription"]
    assert "StreamSpecification" not in told and told["LatestStreamArn"]
    assert near.table("gt-shrinks", EAST).get_item(Key={"id": "kept"})["Item"] == {"id": "kept"}


def test_the_region_that_a_table_was_made_in_may_go_first(near, east, ireland):
    create(east, "gt-moves")
    near.table("gt-moves", EAST).put_item(Item={"id": "1"})
    join(near, "gt-moves", EAST, IRELAND)
    east.delete_table(TableName="gt-moves")
    eventually(lambda: "Replicas" not in describe(ireland, "gt-moves"))
    item = near.table("gt-moves", IRELAND).get_item(Key={"id": "1"}, ConsistentRead=True)
    assert item["Item"] == {"id": "1"}


def test_one_name_in_two_regions_is_two_tables_that_are_not_joined(near, east, ireland):
    for client in (east, ireland):
        create(client, "gt-apart")
    near.table("gt-apart", EAST).put_item(Item={"id": "east"})
    near.table("gt-apart", IRELAND).put_item(Item={"id": "ireland"})
    code, message = error_code(replicate, east, "gt-apart", "Create", RegionName=IRELAND)
    assert code == "ValidationException"
    assert message == (
        "Failed to create a the new replica of table with name: ‘gt-apart’ because one or more"
        " replicas already existed as tables."
    )
    for region, client in ((EAST, east), (IRELAND, ireland)):
        assert "Replicas" not in describe(client, "gt-apart")
        assert near.table("gt-apart", region).scan()["Count"] == 1


# Streams.


def test_a_stream_keeps_its_view_and_is_locked_in_every_region(near, east, ireland):
    keys = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    create(east, "gt-keys", StreamSpecification=keys)
    join(near, "gt-keys", EAST, IRELAND)
    near.table("gt-keys", EAST).put_item(Item={"id": "1", "n": 1})
    there = near.table("gt-keys", IRELAND)
    eventually(lambda: there.get_item(Key={"id": "1"}).get("Item") == {"id": "1", "n": 1})
    for client in (east, ireland):
        assert describe(client, "gt-keys")["StreamSpecification"] == keys
        off = {"StreamEnabled": False}
        code, message = error_code(
            client.update_table, TableName="gt-keys", StreamSpecification=off
        )
        assert code == "ValidationException"
        assert message == "Disabling Stream is not allowed for a Global Table replica."
        other = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        code, message = error_code(
            client.update_table, TableName="gt-keys", StreamSpecification=other
        )
        assert code == "ValidationException"
        assert message == "Table already has an enabled stream: TableName: gt-keys"


# What is refused, with nothing changed.


def test_wrong_replica_updates_are_refused_and_change_nothing(east):
    create(east, "gt-wrong")
    before = describe(east, "gt-wrong")

    def strange(region):
        return (
            f"Region {region} is not supported. The latest version of global tables are only"
            " supported in the following regions: ["
        )

    def not_there(region):
        return (
            "Update global table operation failed because one or more replicas were not part of"
            f" the global table. Please retry the request without these replicas: [{region}]."
        )

    nothing = "There are no actions specified in the Replica Update Action of the request."
    rare = {"TableClassOverride": "STANDARD_INFREQUENT_ACCESS"}
    for updates, wanted in (
        ([{"Create": {"RegionName": EAST}}], LOCAL),
        ([{"Delete": {"RegionName": EAST}}], LOCAL),
        ([{"Update": {"RegionName": EAST} | rare}], LOCAL),
        ([{"Create": {"RegionName": "us-fake-1"}}], strange("us-fake-1")),
        ([{"Create": {"RegionName": "us-west-2"}}], strange("us-west-2")),
        ([{"Create": {"RegionName": "EU-WEST-1"}}], strange("EU-WEST-1")),
        ([{"Delete": {"RegionName": IRELAND}}], not_there(IRELAND)),
        ([{"Update": {"RegionName": IRELAND} | rare}], not_there(IRELAND)),
        ([{"Update": {"RegionName": IRELAND}}], nothing),
        ([{}], nothing),
        (
            [{"Create": {"RegionName": IRELAND}, "Delete": {"RegionName": TOKYO}}],
            "Update table operation with more than one type of replica actions not allowed.",
        ),
        ([{"Create": {"RegionName": IRELAND}}] * 2, "One or more parameter values were invalid"),
        (
            [{"Create": {"RegionName": IRELAND}}, {"Create": {"RegionName": "us-west-2"}}],
            strange("us-west-2"),
        ),
    ):
        code, message = error_code(
            east.update_table, TableName="gt-wrong", ReplicaUpdates=updates
        )
        assert (code, message.startswith(wanted)) == ("ValidationException", True), message
    assert describe(east, "gt-wrong") == before
    code, _ = error_code(replicate, east, "gt-none", "Create", RegionName=IRELAND)
    assert code == "ResourceNotFoundException"


def test_a_member_is_not_added_twice(near, east):
    create(east, "gt-twice")
    join(near, "gt-twice", EAST, IRELAND)
    before = describe(east, "gt-twice")
    code, message = error_code(replicate, east, "gt-twice", "Create", RegionName=IRELAND)
    assert code == "ValidationException" and "already existed as tables" in message
    assert describe(east, "gt-twice") == before


def test_no_replica_leaves_its_group_against_its_protection(near, east, ireland):
    create(east, "gt-leaves")

    def leave(client, region, *others):
        mode = {"RegionName": region, "DisassociationMode": "WAIT_FOR_REPLICATION"}
        updates = [{"Disassociate": mode}, *others]
        return error_code(client.update_table, TableName="gt-leaves", ReplicaUpdates=updates)

    code, message = leave(east, EAST)
    assert code == "ValidationException" and f"without these replicas: [{EAST}]" in message
    join(near, "gt-leaves", EAST, IRELAND)
    before = describe(east, "gt-leaves")
    code, message = leave(east, EAST, {"Create": {"RegionName": TOKYO}})
    assert code == "ValidationException" and "only replica update" in message
    code, message = leave(east, IRELAND)
    assert code == "ValidationException" and "local replica" in message
    code, message = leave(east, EAST)
    assert code == "ValidationException" and "protected against disassociation" in message
    assert describe(east, "gt-leaves") == before
    # Its protection is each replica's own, and changes alone.
    code, _ = error_code(
        east.update_table,
        TableName="gt-leaves",
        DisassociationProtectionEnabled=False,
        DeletionProtectionEnabled=True,
    )
    assert code == "ValidationException"
    east.update_table(TableName="gt-leaves", DisassociationProtectionEnabled=False)
    assert describe(east, "gt-leaves")["DisassociationProtectionEnabled"] is False
    assert describe(ireland, "gt-leaves")["DisassociationProtectionEnabled"] is True
    code, message = leave(east, EAST)
    assert (code, "not supported by this endpoint" in message) == ("ValidationException", True)
    assert statuses(east, "gt-leaves") == {IRELAND: "ACTIVE"}


def test_strong_tables_are_refused_after_what_is_wrong_with_them(east):
    create(east, "gt-strong")
    before = describe(east, "gt-strong")
    strong = {"MultiRegionConsistency": "STRONG"}
    ireland, tokyo = ({"Create": {"RegionName": region}} for region in (IRELAND, TOKYO))
    strange, own = ({"Create": {"RegionName": region}} for region in ("us-west-1", EAST))
    for request, wanted in (
        (strong, "At least one of ProvisionedThroughput"),
        (strong | {"GlobalTableWitnessUpdates": [ireland]}, "At least one of"),
        (
            {"ReplicaUpdates": [ireland], "GlobalTableWitnessUpdates": [tokyo]},
            "MultiRegionConsistency must be set as STRONG",
        ),
        (strong | {"ReplicaUpdates": [ireland]}, "Unsupported replica count"),
        (
            strong | {"ReplicaUpdates": [ireland], "GlobalTableWitnessUpdates": [strange]},
            "Unsupported Region(s) specified for global tables with MultiRegionConsistency set to"
            " STRONG: [us-west-1].",
        ),
        (
            strong | {"ReplicaUpdates": [ireland], "GlobalTableWitnessUpdates": [own]},
            "Cannot add a witness in the same region",
        ),
        (
            strong | {"ReplicaUpdates": [ireland], "GlobalTableWitnessUpdates": [ireland]},
            "Cannot target multiple regions",
        ),
        (
            strong | {"ReplicaUpdates": [ireland, tokyo]},
            "One or more parameter values were invalid: MultiRegionConsistency STRONG is not"
            " supported by this endpoint",
        ),
    ):
        code, message = error_code(east.update_table, TableName="gt-strong", **request)
        assert (code, message.startswith(wanted)) == ("ValidationException", True), message
    two = [ireland, tokyo]
    code, _ = error_code(
        east.update_table, TableName="gt-strong", **strong, ReplicaUpdates=[ireland],
        GlobalTableWitnessUpdates=two,
    )
    assert code == "ValidationException"
    assert describe(east, "gt-strong") == before


# The calls of version 2017.11.29.


def test_the_older_version_is_answered_as_aws_answers_it_by_now(near, east):
    create(east, "gt-old")
    join(near, "gt-old", EAST, IRELAND)
    group = [{"RegionName": EAST}, {"RegionName": IRELAND}]
    version = (
        "One or more parameter values were invalid: DynamoDB global tables version 2017.11.29 is"
        " not supported. We recommend using DynamoDB global tables version 2019.11.21, instead of"
        " version 2017.11.29 (Legacy)."
    )
    named = {"GlobalTableName": "gt-old"}
    assert error_code(east.create_global_table, **named, ReplicationGroup=group) == (
        "ValidationException",
        version,
    )
    more = [{"Create": {"RegionName": TOKYO}}]
    assert error_code(east.update_global_table, **named, ReplicaUpdates=more) == (
        "ValidationException",
        version,
    )
    less = [{"Delete": {"RegionName": IRELAND}}]
    missing = "Global table with name: 'gt-old' does not exist."
    for call, arguments, message in (
        (east.describe_global_table, {}, f"Global table not found: {missing}"),
        (east.describe_global_table_settings, {}, missing),
        (east.update_global_table_settings, {"GlobalTableBillingMode": "PROVISIONED"}, missing),
        (east.update_global_table, {"ReplicaUpdates": less}, missing),
    ):
        wanted = ("GlobalTableNotFoundException", message)
        assert error_code(call, **named, **arguments) == wanted
    assert east.list_global_tables()["GlobalTables"] == []
    assert statuses(east, "gt-old") == {IRELAND: "ACTIVE"}


# Settings: the same everywhere, the same but for a region that differs, each region's own.


INDEX = {
    "IndexName": "by-part",
    "KeySchema": [{"AttributeName": "part", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
PARTS = [*KEYS["AttributeDefinitions"], {"AttributeName": "part", "AttributeType": "S"}]


def units(read, write):
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def told_units(client, name):
    told = describe(client, name)["ProvisionedThroughput"]
    return told["ReadCapacityUnits"], told["WriteCapacityUnits"]


def test_what_all_replicas_share_is_changed_from_any_of_them(near, east, ireland):
    create(east, "gt-shared")
    join(near, "gt-shared", EAST, IRELAND)

    def mode(client):
        return describe(client, "gt-shared").get("BillingModeSummary", {}).get("BillingMode")

    ireland.update_table(
        TableName="gt-shared", BillingMode="PROVISIONED", ProvisionedThroughput=units(7, 5)
    )
    for client in (east, ireland):
        eventually(lambda: told_units(client, "gt-shared") == (7, 5))
        assert mode(client) != "PAY_PER_REQUEST"
    east.update_table(TableName="gt-shared", ProvisionedThroughput=units(7, 6))
    eventually(lambda: told_units(ireland, "gt-shared") == (7, 6))
    # Indexes, with their write capacity.
    east.update_table(
        TableName="gt-shared",
        AttributeDefinitions=PARTS,
        GlobalSecondaryIndexUpdates=[
            {"Create": INDEX | {"ProvisionedThroughput": units(3, 4)}}
        ],
    )

    def index(client):
        indexes = describe(client, "gt-shared").get("GlobalSecondaryIndexes", [])
        return next((one for one in indexes if one["IndexStatus"] == "ACTIVE"), None)

    eventually(lambda: index(east), within=60)
    eventually(lambda: index(ireland), within=60)
    assert index(ireland)["ProvisionedThroughput"]["WriteCapacityUnits"] == 4
    assert index(ireland)["KeySchema"] == INDEX["KeySchema"]
    defined = describe(ireland, "gt-shared")["AttributeDefinitions"]
    assert sorted(one["AttributeName"] for one in defined) == ["id", "part"]
    # Expiry.
    ireland.update_time_to_live(
        TableName="gt-shared",
        TimeToLiveSpecification={"AttributeName": "until", "Enabled": True},
    )

    def expiry(client):
        told = client.describe_time_to_live(TableName="gt-shared")["TimeToLiveDescription"]
        return told["TimeToLiveStatus"], told.get("AttributeName")

    eventually(lambda: expiry(east) == ("ENABLED", "until"))
    # Encryption's kind, what is served at once, and the table class where none is a region's own.
    east.update_table(TableName="gt-shared", SSESpecification={"Enabled": True})
    eventually(lambda: describe(ireland, "gt-shared").get("SSEDescription"))
    warm = {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 5000}
    east.update_table(TableName="gt-shared", WarmThroughput=warm)

    def served(client):
        told = describe(client, "gt-shared")["WarmThroughput"]
        return told["ReadUnitsPerSecond"], told["WriteUnitsPerSecond"]

    eventually(lambda: served(ireland) == (13000, 5000))
    rare = "STANDARD_INFREQUENT_ACCESS"
    ireland.update_table(TableName="gt-shared", TableClass=rare)
    for client in (east, ireland):
        eventually(
            lambda: describe(client, "gt-shared")["TableClassSummary"]["TableClass"] == rare
        )
    # The most that is written by use.
    most = {"MaxReadRequestUnits": 300, "MaxWriteRequestUnits": 200}
    east.update_table(
        TableName="gt-shared", BillingMode="PAY_PER_REQUEST", OnDemandThroughput=most
    )
    eventually(lambda: describe(ireland, "gt-shared").get("OnDemandThroughput") == most)
    assert mode(ireland) == "PAY_PER_REQUEST"


def test_what_a_replica_serves_to_readers_may_be_its_own(near, east, ireland):
    create(
        east,
        "gt-overridden",
        BillingMode="PROVISIONED",
        AttributeDefinitions=PARTS,
        ProvisionedThroughput=units(10, 5),
        GlobalSecondaryIndexes=[INDEX | {"ProvisionedThroughput": units(10, 5)}],
    )
    read = {"ProvisionedThroughputOverride": {"ReadCapacityUnits": 33}}
    indexes = [{"IndexName": "by-part"} | read]
    join(near, "gt-overridden", EAST, IRELAND, **read, GlobalSecondaryIndexes=indexes)
    entry = replica(east, "gt-overridden", IRELAND)
    assert entry["ProvisionedThroughputOverride"] == {"ReadCapacityUnits": 33}
    assert entry["GlobalSecondaryIndexes"] == indexes
    assert told_units(ireland, "gt-overridden") == (33, 5)
    assert told_units(east, "gt-overridden") == (10, 5)
    (index,) = describe(ireland, "gt-overridden")["GlobalSecondaryIndexes"]
    assert index["ProvisionedThroughput"]["ReadCapacityUnits"] == 33
    (index,) = describe(east, "gt-overridden")["GlobalSecondaryIndexes"]
    assert index["ProvisionedThroughput"]["ReadCapacityUnits"] == 10
    # What is as with the others is no override.
    base = {"ProvisionedThroughputOverride": {"ReadCapacityUnits": 10}}
    replicate(east, "gt-overridden", "Update", RegionName=IRELAND, **base)
    assert "ProvisionedThroughputOverride" not in replica(east, "gt-overridden", IRELAND)
    eventually(lambda: told_units(ireland, "gt-overridden") == (10, 5))


def test_the_class_of_a_replica_may_be_its_own(near, east, ireland):
    create(east, "gt-class")
    rare = "STANDARD_INFREQUENT_ACCESS"
    join(near, "gt-class", EAST, IRELAND, TableClassOverride=rare)
    assert replica(east, "gt-class", IRELAND)["ReplicaTableClassSummary"] == {"TableClass": rare}
    assert "TableClassSummary" not in describe(east, "gt-class")
    assert describe(ireland, "gt-class")["TableClassSummary"]["TableClass"] == rare
    replicate(
        east, "gt-class", "Update", RegionName=IRELAND, TableClassOverride="STANDARD"
    )
    assert "ReplicaTableClassSummary" not in replica(east, "gt-class", IRELAND)
    eventually(lambda: "TableClassSummary" not in describe(ireland, "gt-class"))


def test_the_key_of_a_replica_is_its_own(near, east, ireland):
    name = "key/0a1b2c3d-0000-1111-2222-333344445555"
    here, there = (f"arn:aws:kms:{region}:000000000000:{name}" for region in (EAST, IRELAND))
    encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": here}
    create(east, "gt-keyed", SSESpecification=encryption)
    code, _ = error_code(
        replicate, east, "gt-keyed", "Create", RegionName=IRELAND, KMSMasterKeyId=here
    )
    assert code == "ValidationException"
    join(near, "gt-keyed", EAST, IRELAND, KMSMasterKeyId=there)
    assert replica(east, "gt-keyed", IRELAND)["KMSMasterKeyId"] == there
    assert replica(ireland, "gt-keyed", EAST)["KMSMasterKeyId"] == here
    assert describe(ireland, "gt-keyed")["SSEDescription"]["KMSMasterKeyArn"] == there


def test_what_is_never_shared_stays_in_its_region(near, east, ireland):
    create(east, "gt-own")
    join(near, "gt-own", EAST, IRELAND)
    arns = {
        client: describe(client, "gt-own")["TableArn"] for client in (east, ireland)
    }
    east.update_table(TableName="gt-own", DeletionProtectionEnabled=True)
    east.tag_resource(ResourceArn=arns[east], Tags=[{"Key": "team", "Value": "cart"}])
    on = {"PointInTimeRecoveryEnabled": True}
    east.update_continuous_backups(TableName="gt-own", PointInTimeRecoverySpecification=on)
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem",'
        f' "Principal": {{"AWS": "arn:aws:iam::000000000000:root"}}, "Resource": "{arns[east]}"}}]}}'
    )
    east.put_resource_policy(ResourceArn=arns[east], Policy=policy)
    # A later change of what is shared has arrived: what went before it did not.
    ireland_before = describe(ireland, "gt-own")
    most = {"MaxReadRequestUnits": 300, "MaxWriteRequestUnits": 200}
    east.update_table(TableName="gt-own", OnDemandThroughput=most)
    eventually(lambda: describe(ireland, "gt-own").get("OnDemandThroughput") == most)
    assert "OnDemandThroughput" not in ireland_before

    def protected(client):
        return describe(client, "gt-own")["DeletionProtectionEnabled"]

    def tags(client):
        return client.list_tags_of_resource(ResourceArn=arns[client])["Tags"]

    def rewinds(client):
        told = client.describe_continuous_backups(TableName="gt-own")
        told = told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        return told["PointInTimeRecoveryStatus"]

    assert (protected(east), protected(ireland)) == (True, False)
    assert (tags(east), tags(ireland)) == ([{"Key": "team", "Value": "cart"}], [])
    assert (rewinds(east), rewinds(ireland)) == ("ENABLED", "DISABLED")
    assert east.get_resource_policy(ResourceArn=arns[east])["Policy"]
    code, _ = error_code(ireland.get_resource_policy, ResourceArn=arns[ireland])
    assert code == "PolicyNotFoundException"
    # One that is protected goes neither from here nor from there.
    code, message = error_code(replicate, ireland, "gt-own", "Delete", RegionName=EAST)
    assert code == "ValidationException"
    assert message == (
        f"Cannot delete table gt-own in region {EAST} because it has deletion protection enabled."
        " Disable deletion protection first."
    )
    code, _ = error_code(east.delete_table, TableName="gt-own")
    assert code == "ValidationException"


def test_how_settings_are_synchronised_is_not_chosen(near, east):
    create(east, "gt-mode")

    def choose(mode):
        return error_code(
            east.update_table, TableName="gt-mode", GlobalTableSettingsReplicationMode=mode
        )

    code, message = choose("ENABLED_WITH_OVERRIDES")
    assert code == "ValidationException"
    assert message == (
        "Value 'ENABLED_WITH_OVERRIDES' at 'GlobalTableSettingsReplicationMode' failed to satisfy"
        " constraint: Only ENABLED and DISABLED settings replication are supported for a Regional"
        " Table."
    )
    join(near, "gt-mode", EAST, IRELAND)
    code, _ = choose("DISABLED")
    assert code == "ValidationException"
    told = describe(east, "gt-mode")["GlobalTableSettingsReplicationMode"]
    assert told == "ENABLED_WITH_OVERRIDES"


# Data.


def test_conditions_transactions_and_expiry_are_each_regions_own(near, east, ireland):
    create(east, "gt-data")
    join(near, "gt-data", EAST, IRELAND)
    here, there = near.table("gt-data", EAST), near.table("gt-data", IRELAND)
    here.put_item(Item={"id": "1", "n": 1}, ConditionExpression="attribute_not_exists(id)")
    eventually(lambda: there.get_item(Key={"id": "1"}).get("Item"))
    code, _ = error_code(
        there.put_item, Item={"id": "1"}, ConditionExpression="attribute_not_exists(id)"
    )
    assert code == "ConditionalCheckFailedException"
    east.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "gt-data", "Item": {"id": {"S": key}}}} for key in ("a", "b")
        ]
    )
    for key in ("a", "b"):
        eventually(lambda: there.get_item(Key={"id": key}).get("Item"))
    # An update is sent as the whole item that it made.
    here.update_item(
        Key={"id": "1"},
        UpdateExpression="SET m = :m",
        ExpressionAttributeValues={":m": 2},
    )
    wanted = {"id": "1", "n": 1, "m": 2}
    eventually(lambda: there.get_item(Key={"id": "1"})["Item"] == wanted)
    item = there.get_item(Key={"id": "1"})["Item"]
    assert not [name for name in item if name.startswith("aws:")]


def test_every_region_names_the_same_members(near):
    home = near.client("dynamodb", TOKYO)
    create(home, "gt-three")
    join(near, "gt-three", TOKYO, EAST, IRELAND)
    for region in REGIONS:
        wanted = dict.fromkeys(set(REGIONS) - {region}, "ACTIVE")
        assert statuses(near.client("dynamodb", region), "gt-three") == wanted
