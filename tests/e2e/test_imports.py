"""Tables imported from a region's buckets, and items put into tables from them in bulk."""

import base64
import gzip
import json
import pathlib

import botocore.exceptions
import pytest
from laptop import EAST, IRELAND, eventually
from test_tables import make_table


def bucket_of(near, name, region=EAST):
    """Returns the directory that is a bucket of a region."""
    (data,) = {path.parent for path in near.state.glob(f"**/{region}/**/buckets")} or {None}
    if data is None:
        pytest.fail(f"no region {region} below {near.state}")
    bucket = pathlib.Path(data) / "buckets" / name
    bucket.mkdir(parents=True, exist_ok=True)
    return bucket


def table_of(name, **more):
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    } | more


def ended(describe):
    def told():
        description = describe()
        running = ("IN_PROGRESS", "CANCELLING")
        status = description.get("ImportStatus") or description["BulkOperationStatus"]
        return status not in running and description

    return eventually(told)


def imported(client, **request):
    asked = client.import_table(**request)["ImportTableDescription"]
    assert asked["ImportStatus"] == "IN_PROGRESS"
    arn = asked["ImportArn"]
    return ended(lambda: client.describe_import(ImportArn=arn)["ImportTableDescription"])


def all_of(client, table):
    pages = client.get_paginator("scan").paginate(TableName=table)
    return {item["id"]["S"]: item for page in pages for item in page["Items"]}


@pytest.mark.parametrize("form", ["DYNAMODB_JSON", "ION"])
def test_an_export_is_imported_as_it_was(near, form):
    name = f"round-{form}"
    table = make_table(near, name, replicas=[EAST])
    client = near.client("dynamodb", EAST)
    client.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    with table.batch_writer() as batch:
        for number in range(1200):
            item = {"id": f"{number}", "n": number, "l": [number, {"m": None}], "s": {"a", "b"}}
            batch.put_item(Item=item)
    arn = client.describe_table(TableName=name)["Table"]["TableArn"]
    asked = client.export_table_to_point_in_time(
        TableArn=arn, S3Bucket="round", S3Prefix=form, ExportFormat=form
    )["ExportDescription"]

    def is_done():
        told = client.describe_export(ExportArn=asked["ExportArn"])["ExportDescription"]
        return told["ExportStatus"] == "COMPLETED" and told

    eventually(is_done)
    number = asked["ExportArn"].rsplit("/", 1)[1]
    told = imported(
        client,
        S3BucketSource={"S3Bucket": "round", "S3KeyPrefix": f"{form}/AWSDynamoDB/{number}/data/"},
        InputFormat=form,
        InputCompressionType="GZIP",
        TableCreationParameters=table_of(f"again-{form}"),
    )
    assert told["ImportStatus"] == "COMPLETED", told
    assert told["ImportedItemCount"] == 1200
    assert all_of(client, f"again-{form}") == all_of(client, name)
    # It is a table like any other: it can have a replica, which gets all of it.
    client.update_table(
        TableName=f"again-{form}", ReplicaUpdates=[{"Create": {"RegionName": IRELAND}}]
    )
    far = near.client("dynamodb", IRELAND)

    def is_whole():
        try:
            return len(all_of(far, f"again-{form}")) == 1200
        except botocore.exceptions.ClientError:
            return False

    eventually(is_whole)


def test_rows_of_csv_are_imported(near):
    client = near.client("dynamodb", EAST)
    bucket = bucket_of(near, "rows")
    (bucket / "in").mkdir(exist_ok=True)
    (bucket / "in" / "1.csv").write_text('id,n,note\na,1,"x, ""y"""\nb,2,\n')
    (bucket / "in" / "2.csv").write_text("id,n,note\nc,x,\n")
    told = imported(
        client,
        S3BucketSource={"S3Bucket": "rows", "S3KeyPrefix": "in/"},
        InputFormat="CSV",
        TableCreationParameters=table_of(
            "rows",
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "n", "AttributeType": "N"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-n",
                    "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        ),
    )
    assert told["ImportStatus"] == "FAILED"
    assert told["FailureCode"] == "ItemValidationError"
    assert (told["ImportedItemCount"], told["ErrorCount"]) == (2, 1)
    assert all_of(client, "rows")["a"] == {
        "id": {"S": "a"},
        "n": {"N": "1"},
        "note": {"S": 'x, "y"'},
    }
    found = client.query(
        TableName="rows",
        IndexName="by-n",
        KeyConditionExpression="n = :n",
        ExpressionAttributeValues={":n": {"N": "2"}},
    )
    assert [item["id"]["S"] for item in found["Items"]] == ["b"]
    number = told["ImportArn"].rsplit("/", 1)[1]
    (log,) = near.state.glob(f"**/{EAST}/**/logs/imports/{number}.jsonl")
    (line,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert line["itemS3Pointer"] == {"bucket": "rows", "key": "in/2.csv", "itemIndex": 0}
    assert "numeric" in line["errorMessages"][0]


def test_objects_of_zstd_are_imported(near):
    client = near.client("dynamodb", EAST)
    bucket = bucket_of(near, "zstd")
    packed = "KLUv/QRY0QAAeyJJdGVtIjp7ImlkIjp7IlMiOiJ6In19fQp4vt3M"
    (bucket / "1.zst").write_bytes(base64.b64decode(packed))
    told = imported(
        client,
        S3BucketSource={"S3Bucket": "zstd"},
        InputFormat="DYNAMODB_JSON",
        InputCompressionType="ZSTD",
        TableCreationParameters=table_of("zstd"),
    )
    assert told["ImportStatus"] == "COMPLETED", told
    assert all_of(client, "zstd") == {"z": {"id": {"S": "z"}}}


def test_what_cannot_be_imported_says_why(near):
    client = near.client("dynamodb", EAST)
    told = imported(
        client,
        S3BucketSource={"S3Bucket": "nowhere"},
        InputFormat="ION",
        TableCreationParameters=table_of("nowhere"),
    )
    assert (told["ImportStatus"], told["FailureCode"]) == ("FAILED", "S3NoSuchBucket")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_table(TableName="nowhere")
    listed = client.list_imports()["ImportSummaryList"]
    assert told["ImportArn"] in [one["ImportArn"] for one in listed]
    with pytest.raises(client.exceptions.ClientError, match="S3KeyPrefix"):
        client.import_table(
            S3BucketSource={"S3Bucket": "rows", "S3KeyPrefix": "../"},
            InputFormat="ION",
            TableCreationParameters=table_of("nowhere"),
        )


def test_items_are_put_in_bulk(near):
    client = near.client("dynamodb", EAST)
    table = make_table(near, "bulk", replicas=[EAST])
    table.put_item(Item={"id": "0", "n": -1})
    bucket = bucket_of(near, "bulk")
    lines = [
        {"Item": {"id": {"S": f"{number}"}}, "ConditionExpression": "attribute_not_exists(id)"}
        for number in range(2000)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (bucket / "items.json.gz").write_bytes(gzip.compress(text.encode()))
    asked = client.start_bulk_put_items(
        TableName="bulk",
        InputS3Configuration={
            "S3Bucket": "bulk",
            "InputFormat": "DYNAMODB_JSON",
            "InputCompressionType": "GZIP",
        },
        OutputS3Configuration={
            "S3Bucket": "bulk-report",
            "OutputType": ["ERROR", "CONDITION_CHECK_FAILURE"],
        },
    )["BulkOperationDescription"]
    arn = asked["BulkOperationArn"]
    told = ended(
        lambda: client.describe_bulk_operation(BulkOperationArn=arn)["BulkOperationDescription"]
    )
    assert told["BulkOperationStatus"] == "COMPLETED", told
    assert (told["ProcessedItemCount"], told["FailedItemCount"]) == (2000, 0)
    assert len(all_of(client, "bulk")) == 2000
    report = bucket_of(near, "bulk-report") / "AWSDynamoDB" / arn.rsplit("/", 1)[1]
    (refused,) = (report / "condition-check-failures.jsonl").read_text().splitlines()
    assert json.loads(refused)["ExistingItem"] == {"id": {"S": "0"}, "n": {"N": "-1"}}
    summary = json.loads((report / "manifest-summary.json").read_text())
    assert summary["conditionCheckFailureCount"] == 1
    cancelled = client.cancel_bulk_operation(BulkOperationArn=arn)
    assert cancelled["BulkOperationStatus"] == "COMPLETED"
    listed = client.list_bulk_operations()["BulkOperationsSummaryList"]
    assert arn in [one["BulkOperationArn"] for one in listed]


def test_a_bulk_operation_writes_no_more_than_it_is_allowed_to(near):
    make_table(near, "paced", replicas=[EAST])
    client = near.client("dynamodb", EAST)
    bucket = bucket_of(near, "paced")
    # 100 items of 350 units: half a minute at 1,024 a second, and a moment without.
    lines = (
        json.dumps({"Item": {"id": {"S": f"{number}"}, "text": {"S": "x" * 358_000}}})
        for number in range(100)
    )
    (bucket / "in.json.gz").write_bytes(gzip.compress("\n".join(lines).encode(), 1))
    asked = client.start_bulk_put_items(
        TableName="paced",
        InputS3Configuration={
            "S3Bucket": "paced",
            "InputFormat": "DYNAMODB_JSON",
            "InputCompressionType": "GZIP",
        },
        OutputS3Configuration={"S3Bucket": "paced-report", "OutputType": ["ERROR"]},
        MaxWriteRequestUnits=1024,
    )["BulkOperationDescription"]
    arn = asked["BulkOperationArn"]

    def described():
        return client.describe_bulk_operation(BulkOperationArn=arn)["BulkOperationDescription"]

    assert described()["MaxWriteRequestUnits"] == 1024
    first = eventually(lambda: described()["ProcessedItemCount"])
    eventually(lambda: described()["ProcessedItemCount"] > first)
    assert described()["BulkOperationStatus"] == "IN_PROGRESS"
    assert client.cancel_bulk_operation(BulkOperationArn=arn)["BulkOperationStatus"] == "CANCELLING"
    told = ended(described)
    assert told["BulkOperationStatus"] == "CANCELLED", told
    assert first < told["ProcessedItemCount"] < 100, told
    assert len(all_of(client, "paced")) == told["ProcessedItemCount"]
