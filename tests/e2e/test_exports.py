"""Exports of tables into a region's buckets."""

import gzip
import json

from laptop import EAST, eventually
from test_tables import make_table


def test_a_table_is_exported_in_awss_format(near):
    table = make_table(near, "exported", replicas=[EAST])
    client = near.client("dynamodb", EAST)
    client.update_continuous_backups(
        TableName="exported",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    with table.batch_writer() as batch:
        for number in range(500):
            batch.put_item(Item={"id": f"{number}", "n": number})
    arn = client.describe_table(TableName="exported")["Table"]["TableArn"]
    asked = client.export_table_to_point_in_time(
        TableArn=arn, S3Bucket="outbound", S3Prefix="nightly", ExportFormat="DYNAMODB_JSON"
    )["ExportDescription"]
    table.put_item(Item={"id": "late", "n": 0})

    def is_done():
        told = client.describe_export(ExportArn=asked["ExportArn"])["ExportDescription"]
        assert told["ExportStatus"] != "FAILED", told
        return told["ExportStatus"] == "COMPLETED" and told

    told = eventually(is_done)
    assert told["ItemCount"] == 500
    (bucket,) = near.state.glob(f"**/{EAST}/**/buckets/outbound")
    summary = json.loads((bucket / told["ExportManifest"]).read_text())
    assert summary["itemCount"] == 500
    assert summary["exportArn"] == asked["ExportArn"]
    found = set()
    for line in (bucket / summary["manifestFilesS3Key"]).read_text().splitlines():
        packed = (bucket / json.loads(line)["dataFileS3Key"]).read_bytes()
        for item in gzip.decompress(packed).decode().splitlines():
            found.add(json.loads(item)["Item"]["id"]["S"])
    assert found == {f"{number}" for number in range(500)}
    listed = client.list_exports(TableArn=arn)["ExportSummaries"]
    assert [one["ExportArn"] for one in listed] == [asked["ExportArn"]]
