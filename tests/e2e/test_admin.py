"""What tests of an application ask of its regions: faults on purpose, and a fresh start."""

import subprocess

import boto3
import laptop as laptops
import pytest
from laptop import EAST, HITHER, IRELAND, KEY, REGIONS, SECRET, TOKYO, environment, eventually, run
from test_tables import make_table


def hither(laptop, *words, **options):
    command = [HITHER, *words, "--manifest", laptop.manifest]
    return run(*command, env=environment(), **options).stdout


def test_faults_are_set_listed_and_cleared_from_the_command_line(near):
    table = make_table(near, "faulty", replicas=[EAST, IRELAND])
    arn = near.client("dynamodb").describe_table(TableName="faulty")["Table"]["TableArn"]
    told = hither(near, "faults", "--region", EAST, "set", "faulty", "throttle=1", "seed=7")
    assert f"{EAST:<16} {'faulty':<24} seed=7 throttle=1" in told
    throttled = table.meta.client.exceptions.ProvisionedThroughputExceededException
    with pytest.raises(throttled):
        table.get_item(Key={"id": "a"})
    assert near.table("faulty", IRELAND).get_item(Key={"id": "a"}).get("Item") is None
    tags = near.client("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert {"Key": "hither:fault:throttle", "Value": "1"} in tags
    assert "faulty" in hither(near, "faults", "list")
    hither(near, "faults", "set", "faulty", "latency=1ms")
    assert hither(near, "faults", "list").count("latency=1ms") == 2
    assert "throttle" not in hither(near, "faults", "list")
    wrong = run(
        HITHER, "faults", "--manifest", near.manifest, "set", "faulty", "index-lag=1s",
        check=False, env=environment(),
    )
    assert wrong.returncode == 1
    assert "milliseconds" in wrong.stderr
    hither(near, "faults", "clear")
    assert "faulty" not in hither(near, "faults", "list")
    table.get_item(Key={"id": "a"})


@pytest.fixture
def fresh():
    with laptops.running(laptops.Laptop()) as laptop:
        yield laptop


def test_after_a_reset_no_region_has_a_table(fresh):
    shared = make_table(fresh, "shared", sort="at")
    shared.put_item(Item={"id": "a", "at": "1"})
    make_table(fresh, "own", replicas=[TOKYO]).put_item(Item={"id": "b"})
    client = fresh.client("dynamodb")
    client.update_table(TableName="shared", DeletionProtectionEnabled=True)
    client.create_backup(TableName="shared", BackupName="before")
    zones = fresh.client("route53").list_hosted_zones()["HostedZones"]
    told = hither(fresh, "reset", timeout=120)
    assert "deleted 2 tables" in told and "  own" in told and "  shared" in told
    for region in REGIONS:
        there = fresh.client("dynamodb", region)
        assert there.list_tables()["TableNames"] == []
        assert there.list_backups()["BackupSummaries"] == []
        assert fresh.client("dynamodbstreams", region).list_streams()["Streams"] == []
        assert fresh.status(region)["tables"] == []
    assert fresh.client("route53").list_hosted_zones()["HostedZones"] == zones
    # The same names begin empty, and whoever is away is told of.
    again = make_table(fresh, "shared", sort="at", replicas=[EAST, IRELAND])
    for region in (EAST, IRELAND):
        assert fresh.table("shared", region).scan()["Items"] == []
    again.put_item(Item={"id": "c", "at": "1"})
    assert "deleted 1 tables" in hither(fresh, "reset", timeout=120)


@pytest.mark.parametrize("words", [[], ["--test-controls"]])
def test_where_callers_sign_a_region_is_emptied_only_if_it_is_for_tests(words):
    laptop = laptops.Laptop()
    credentials = laptop.credentials()
    log = (laptop.folder / "up.log").open("wb")
    process = subprocess.Popen(
        [
            HITHER, "serve", "--region", EAST, "--manifest", laptop.manifest, "--laptop",
            "--data-dir", laptop.folder / "data", "--credentials", credentials, *words,
        ],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(),
        preexec_fn=laptops.die_with_parent,
    )
    try:
        eventually(lambda: laptop.is_serving(EAST))
        client = boto3.client(
            "dynamodb", region_name=EAST, endpoint_url=laptop.endpoint(EAST),
            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        )
        client.create_table(
            TableName="kept",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=[{"Key": "hither:fault:throttle", "Value": "1"}],
        )
        endpoint = laptop.endpoint(EAST).removeprefix("http://")

        def ask(*command):
            return run(
                HITHER, *command, "--endpoint", endpoint, check=False, env=environment()
            )

        unconfirmed = ask("reset")
        assert unconfirmed.returncode == 1
        confirmed = ask("reset", "--yes")
        if words:
            assert "add --yes" in unconfirmed.stderr
            assert confirmed.returncode == 0, confirmed.stderr
            assert client.list_tables()["TableNames"] == []
        else:
            assert "for production" in confirmed.stderr
            listed = ask("faults", "list")
            assert "none of them acts" in listed.stdout
            for refused in (["set", "kept", "throttle=0.5"], ["clear", "kept"], ["clear"]):
                answer = ask("faults", *refused)
                assert answer.returncode == 1
                assert "for production" in answer.stderr
            assert ask("faults", "list").stdout == listed.stdout
            # The tag does nothing here.
            assert "Item" not in client.get_item(TableName="kept", Key={"id": {"S": "a"}})
    finally:
        process.terminate()
        process.wait(timeout=60)
        log.close()
        laptop.remove()


def test_an_index_is_late_where_its_tag_says_so(near):
    client = near.client("dynamodb", EAST)
    client.create_table(
        TableName="late",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "by")
        ],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-x",
                "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    client.get_waiter("table_exists").wait(TableName="late", WaiterConfig={"Delay": 1})

    def count(**more):
        return client.scan(TableName="late", **more)["Count"]

    # So late that nothing is seen of the index while this test runs.
    hither(near, "faults", "--region", EAST, "set", "late", "index-lag=60000ms")
    client.put_item(TableName="late", Item={"id": {"S": "1"}, "by": {"S": "x"}})
    assert (count(), count(IndexName="by-x")) == (1, 0)
    hither(near, "faults", "--region", EAST, "set", "late", "index-lag=200ms")
    eventually(lambda: count(IndexName="by-x") == 1)
    hither(near, "faults", "clear", "late")
    assert count(IndexName="by-x") == 1
