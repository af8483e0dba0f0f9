"""Backups and tables restored to a moment, as boto3 uses them."""

import threading
import time

from laptop import EAST, error_code, eventually
from test_tables import make_table

SOON = {"Delay": 1, "MaxAttempts": 60}


def contents(laptop, table):
    found, more = {}, {}
    while True:
        page = laptop.table(table, EAST).scan(ConsistentRead=True, **more)
        found |= {item["id"]: int(item["n"]) for item in page["Items"]}
        if "LastEvaluatedKey" not in page:
            return found
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def until_available(client, arn):
    def is_available():
        description = client.describe_backup(BackupArn=arn)["BackupDescription"]
        return description["BackupDetails"]["BackupStatus"] == "AVAILABLE" and description

    return eventually(is_available)


def restored(laptop, name):
    laptop.client("dynamodb", EAST).get_waiter("table_exists").wait(
        TableName=name, WaiterConfig=SOON
    )
    return contents(laptop, name)


def test_a_backup_under_writes_is_as_of_its_creation(near):
    table = make_table(near, "busy", replicas=[EAST])
    client = near.client("dynamodb", EAST)
    with table.batch_writer() as batch:
        for number in range(2_000):
            batch.put_item(Item={"id": f"{number}", "n": 0, "pad": "x" * 400})
    ending, rounds = threading.Event(), []

    def write():
        # Each round changes every item before the next begins.
        while not ending.is_set():
            rounds.append(None)
            for number in range(0, 2_000, 25):
                with table.batch_writer() as batch:
                    for key in range(number, number + 25):
                        batch.put_item(Item={"id": f"{key}", "n": len(rounds), "pad": "x" * 400})

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        eventually(lambda: len(rounds) >= 2)
        before = len(rounds)
        arn = client.create_backup(TableName="busy", BackupName="under-fire")["BackupDetails"][
            "BackupArn"
        ]
        after = len(rounds)
        description = until_available(client, arn)
    finally:
        ending.set()
        writer.join(timeout=120)
    assert description["SourceTableDetails"]["ItemCount"] == 2_000
    client.restore_table_from_backup(TargetTableName="not-so-busy", BackupArn=arn)
    found = restored(near, "not-so-busy")
    assert len(found) == 2_000
    # The items of one moment are of at most two rounds, the later ones first in order.
    assert set(found.values()) <= set(range(before - 1, after + 1))
    values = [found[f"{number}"] for number in range(2_000)]
    assert values == sorted(values, reverse=True)
    summary = client.describe_table(TableName="not-so-busy")["Table"]["RestoreSummary"]
    assert summary["SourceBackupArn"] == arn
    assert summary["RestoreInProgress"] is False


def test_a_backup_outlives_its_table_and_is_deleted(near):
    make_table(near, "short-lived", replicas=[EAST]).put_item(Item={"id": "1", "n": 1})
    client = near.client("dynamodb", EAST)
    arn = client.create_backup(TableName="short-lived", BackupName="last")["BackupDetails"][
        "BackupArn"
    ]
    until_available(client, arn)
    client.delete_table(TableName="short-lived")
    listed = client.list_backups(TableName="short-lived")["BackupSummaries"]
    assert [one["BackupArn"] for one in listed] == [arn]
    client.restore_table_from_backup(TargetTableName="reborn", BackupArn=arn)
    assert restored(near, "reborn") == {"1": 1}
    client.delete_backup(BackupArn=arn)
    code, _ = error_code(client.describe_backup, BackupArn=arn)
    assert code == "BackupNotFoundException"


def test_a_table_is_restored_to_a_second_of_its_past(near):
    table = make_table(near, "rewound", replicas=[EAST])
    client = near.client("dynamodb", EAST)
    client.update_continuous_backups(
        TableName="rewound",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )

    def window():
        backups = client.describe_continuous_backups(TableName="rewound")
        return backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]

    for value in (1, 2, 3):
        table.put_item(Item={"id": "changing", "n": value})
        if value == 2:
            # The end of a whole second that knows of the second value and not of the third.
            known = int(time.time()) + 1
            eventually(lambda: window()["LatestRestorableDateTime"].timestamp() >= known)
            moment = window()["LatestRestorableDateTime"]
            table.put_item(Item={"id": "late", "n": 1})
    client.restore_table_to_point_in_time(
        SourceTableName="rewound", TargetTableName="then", RestoreDateTime=moment
    )
    client.restore_table_to_point_in_time(
        SourceTableName="rewound", TargetTableName="now", UseLatestRestorableTime=True
    )
    assert restored(near, "then") == {"changing": 2}
    assert restored(near, "now") == {"changing": 3, "late": 1}
    code, _ = error_code(
        client.restore_table_to_point_in_time,
        SourceTableName="rewound",
        TargetTableName="never",
        RestoreDateTime=window()["EarliestRestorableDateTime"].timestamp() - 60,
    )
    assert code == "InvalidRestoreTimeException"


def test_a_kill_in_the_middle_leaves_no_half_backup(far):
    table = make_table(far, "interrupted", replicas=[EAST])
    client = far.client("dynamodb", EAST)
    with table.batch_writer() as batch:
        for number in range(1_000):
            batch.put_item(Item={"id": f"{number}", "n": 1, "pad": "x" * 400})
    arn = client.create_backup(TableName="interrupted", BackupName="cut")["BackupDetails"][
        "BackupArn"
    ]
    table.put_item(Item={"id": "late", "n": 1})
    far.restart(EAST, far.kill(EAST))
    description = until_available(client, arn)
    assert description["SourceTableDetails"]["ItemCount"] == 1_000
    client.restore_table_from_backup(TargetTableName="mended", BackupArn=arn)
    far.restart(EAST, far.kill(EAST))
    assert set(restored(far, "mended")) == {f"{number}" for number in range(1_000)}
