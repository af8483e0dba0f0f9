"""How late writes are seen in other regions, as CloudWatch's clients read it.

It asserts no times but those that the network was made to have.
"""

import datetime
import json

import boto3
import botocore.config
import pytest

from laptop import EAST, IRELAND, TOKYO, error_code, eventually

NAMESPACE = "AWS/DynamoDB"
HOUR = datetime.timedelta(hours=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def metric(table, region):
    dimensions = {"ReceivingRegion": region, "TableName": table}
    return {
        "Namespace": NAMESPACE,
        "MetricName": "ReplicationLatency",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }


@pytest.fixture(scope="module")
def seats(far):
    """A table in the East and in Tokyo, written in the East alone."""
    client = far.client("dynamodb", EAST)
    client.create_table(
        TableName="metered",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName="metered", WaiterConfig={"Delay": 1})
    client.update_table(
        TableName="metered", ReplicaUpdates=[{"Create": {"RegionName": TOKYO}}]
    )

    def is_whole():
        told = client.describe_table(TableName="metered")["Table"]
        (replica,) = told["Replicas"]
        return (told["TableStatus"], replica["ReplicaStatus"]) == ("ACTIVE", "ACTIVE")

    eventually(is_whole, within=60)
    table = far.table("metered", EAST)
    for number in range(20):
        table.put_item(Item={"id": f"{number}"})
    # What Tokyo has was measured in the East once it has said so.
    cloudwatch = far.client("cloudwatch", EAST)
    eventually(lambda: statistics(cloudwatch, "SampleCount") >= 20)
    return table


def statistics(client, name, table="metered", region=TOKYO):
    extended = name.startswith("p")
    wanted = {"ExtendedStatistics" if extended else "Statistics": [name]}
    # One period, so long that the hour's end does not cut it.
    answer = client.get_metric_statistics(
        **metric(table, region), StartTime=now() - HOUR, EndTime=now() + HOUR, Period=86400,
        **wanted,
    )
    assert answer["Label"] == "ReplicationLatency"
    points = answer["Datapoints"]
    assert all(point["Unit"] == "Milliseconds" for point in points)
    values = [(point["ExtendedStatistics"] if extended else point)[name] for point in points]
    return max(values, default=0)


def test_boto3_reads_how_late_a_region_is(far, seats):
    client = far.client("cloudwatch", EAST)
    listed = client.list_metrics(
        Namespace=NAMESPACE, Dimensions=[{"Name": "TableName", "Value": "metered"}]
    )["Metrics"]
    assert listed == [metric("metered", TOKYO)]
    least, mean = (statistics(client, name) for name in ("Minimum", "Average"))
    # Nothing is in Tokyo sooner than light is; the public figure for one way is about 70 ms.
    assert 40 < least <= mean <= statistics(client, "Maximum")
    assert least <= statistics(client, "p50") <= statistics(client, "p99")
    assert statistics(client, "Average", region=IRELAND) == 0
    # Where it is received, nothing was sent.
    there = far.client("cloudwatch", TOKYO)
    assert there.list_metrics(Namespace=NAMESPACE)["Metrics"] == []


def test_data_of_several_queries_come_in_one_answer(far, seats):
    client = far.client("cloudwatch", EAST)

    def query(name, stat):
        return {
            "Id": name,
            "MetricStat": {"Metric": metric("metered", TOKYO), "Period": 60, "Stat": stat},
        }

    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[query("counted", "SampleCount"), query("worst", "p99.9")],
        StartTime=now() - HOUR,
        EndTime=now() + HOUR,
    )
    series = {one["Id"]: one for page in pages for one in page["MetricDataResults"]}
    assert sum(series["counted"]["Values"]) >= 20
    assert min(series["worst"]["Values"]) > 40
    for one in series.values():
        assert one["StatusCode"] == "Complete" and one["Label"] == "ReplicationLatency"
        times = one["Timestamps"]
        assert times == sorted(times, reverse=True)
        assert all(moment.second == 0 for moment in times)
    code, message = error_code(
        client.get_metric_data,
        MetricDataQueries=[{"Id": "sum", "Expression": "SUM(METRICS())"}],
        StartTime=now() - HOUR,
        EndTime=now(),
    )
    assert code == "ValidationError" and "not supported" in message


def test_the_cli_and_each_protocol_read_the_same(far, seats):
    began, ends = (now() - HOUR).isoformat(), (now() + HOUR).isoformat()
    done = far.aws(
        "cloudwatch", "get-metric-statistics", "--namespace", NAMESPACE,
        "--metric-name", "ReplicationLatency", "--period", "86400", "--statistics", "SampleCount",
        "--start-time", began, "--end-time", ends, "--dimensions",
        f"Name=ReceivingRegion,Value={TOKYO}", "Name=TableName,Value=metered",
        "--region", EAST,
    )
    points = json.loads(done.stdout)["Datapoints"]
    counted = sum(point["SampleCount"] for point in points)
    address, port = far.port(EAST, "api")

    def counted_by(protocol):
        session = boto3.session.Session()
        loader = session._session.get_component("data_loader")
        model = loader.load_service_model("cloudwatch", "service-2")
        metadata = model["metadata"]
        before = (metadata["protocol"], metadata["protocols"])
        metadata["protocol"], metadata["protocols"] = protocol, [protocol]
        try:
            client = session.client(
                "cloudwatch",
                region_name=EAST,
                endpoint_url=f"http://{address}:{port}",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=botocore.config.Config(retries={"total_max_attempts": 1}),
            )
            assert client.meta.service_model.resolved_protocol == protocol
            code, message = error_code(client.describe_alarms)
            assert code == "UnknownOperationException" and "DescribeAlarms" in message
            code, _ = error_code(
                client.get_metric_statistics, **metric("metered", TOKYO), StartTime=now(),
                EndTime=now() - HOUR, Period=60, Statistics=["Sum"],
            )
            assert code == "InvalidParameterCombination"
            assert client.list_metrics()["Metrics"] == [metric("metered", TOKYO)]
            return statistics(client, "SampleCount")
        finally:
            metadata["protocol"], metadata["protocols"] = before

    for protocol in ("smithy-rpc-v2-cbor", "json", "query"):
        assert counted_by(protocol) >= max(counted / 2, 20)
