"""Who may call: any key on loopback in development, only known keys otherwise."""

import contextlib
import http.client
import io
import json
import socket
import urllib.error
import urllib.request
import zipfile

import boto3
import botocore.config
import laptop as laptops
import pytest
from laptop import EAST, HITHER, KEY, SECRET, environment, error_code, run


@pytest.fixture(scope="module")
def guarded():
    """One region that accepts one key."""
    with laptops.guarded() as laptop:
        yield laptop


def client(laptop, service, key=KEY, secret=SECRET):
    return boto3.session.Session().client(
        service,
        region_name=EAST,
        endpoint_url=laptop.endpoint(EAST),
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )


def test_a_known_key_may_call(guarded):
    assert "TableNames" in client(guarded, "dynamodb").list_tables()
    assert "HostedZones" in client(guarded, "route53").list_hosted_zones()
    caller = client(guarded, "sts").get_caller_identity()
    assert caller["Account"] == "000000000000"


def test_others_may_not(guarded):
    for service, call, unknown, forged in [
        ("dynamodb", "list_tables", "UnrecognizedClientException", "InvalidSignatureException"),
        ("lambda", "list_functions", "UnrecognizedClientException", "InvalidSignatureException"),
        ("route53", "list_hosted_zones", "InvalidClientTokenId", "SignatureDoesNotMatch"),
        ("sts", "get_caller_identity", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    ]:
        stranger = client(guarded, service, key="AKIDEXAMPLE000000002")
        assert error_code(getattr(stranger, call))[0] == unknown, service
        liar = client(guarded, service, secret="guessed")
        assert error_code(getattr(liar, call))[0] == forged, service


def test_unsigned_and_altered_calls_are_refused(guarded):
    head = {
        "x-amz-target": "DynamoDB_20120810.ListTables",
        "content-type": "application/x-amz-json-1.0",
    }
    request = urllib.request.Request(guarded.endpoint(EAST), b"{}", head)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code in (400, 403)
    assert b"MissingAuthenticationToken" in refused.value.read()

    def alter(request, **_):
        request.body = request.body.replace(b"x1", b"x2")

    honest = client(guarded, "dynamodb")
    honest.meta.events.register("before-send.dynamodb.*", alter)
    code, _ = error_code(honest.describe_table, TableName="x1-table")
    assert code == "InvalidSignatureException"


def test_functions_get_keys_that_work(guarded):
    dynamodb = client(guarded, "dynamodb")
    dynamodb.create_table(
        TableName="carts",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("customer", "sku")
        ],
        KeySchema=[
            {"AttributeName": "customer", "KeyType": "HASH"},
            {"AttributeName": "sku", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, "#!/bin/sh\nexec hither sample-app\n")
    functions = client(guarded, "lambda")
    functions.create_function(
        FunctionName="cart",
        Runtime="provided.al2023",
        Handler="bootstrap",
        Role="arn:aws:iam::000000000000:role/shop",
        Code={"ZipFile": file.getvalue()},
        Timeout=20,
        Environment={"Variables": {"TABLE": "carts"}},
    )
    waiter = functions.get_waiter("function_active_v2")
    waiter.wait(FunctionName="cart", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    event = {
        "version": "2.0", "routeKey": "$default", "rawPath": "/health", "rawQueryString": "",
        "headers": {}, "isBase64Encoded": False,
        "requestContext": {
            "accountId": "000000000000", "apiId": "x", "domainName": "x", "domainPrefix": "x",
            "http": {"method": "GET", "path": "/health", "protocol": "HTTP/1.1",
                     "sourceIp": "127.0.0.1", "userAgent": "x"},
            "requestId": "x", "routeKey": "$default", "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1767225600000,
        },
    }
    answer = functions.invoke(FunctionName="cart", Payload=json.dumps(event).encode())
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload
    assert json.loads(payload)["statusCode"] == 200, payload


def own_address():
    """Returns an address of this machine that others could reach, if it has one."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            # Nothing is sent: the kernel only chooses the address it would send from.
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


def test_development_mode_is_refused_where_others_could_reach_it(tmp_path):
    address = own_address()
    if address is None or address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    ports = ", ".join(f"{key} = {port}" for key, port in laptops.free_ports(address).items())
    manifest = tmp_path / "hither.toml"
    manifest.write_text(
        f'[project]\nname = "x"\n\n[regions]\n{EAST} = {{ address = "{address}", {ports} }}\n'
    )
    done = run(
        HITHER, "serve", "--region", EAST, "--manifest", manifest, "--data-dir", tmp_path / "data",
        env=environment(HITHER_LOG="error"), check=False, timeout=30,
    )
    assert done.returncode != 0
    assert "loopback only" in done.stderr and "--credentials" in done.stderr, done.stderr


def asked_as(laptop, host, path="/_hither/status"):
    """Asks a region as a browser does that was led to it by another name; returns the status."""
    connection = http.client.HTTPConnection(*laptop.port(EAST, "api"), timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"host": host})
        return connection.getresponse().status


def test_names_of_other_machines_lead_nowhere_in_development():
    laptop = laptops.Laptop()
    laptop.options = ["--allow-host", "dev.shop.test"]
    with laptops.running(laptop):
        for path in ("/_hither/status", "/"):
            for ours in ("localhost:4566", "127.0.0.1", "dev.shop.test:80", "s3.amazonaws.com"):
                assert asked_as(laptop, ours, path) == 200, (ours, path)
            for foreign in ("evil.example", "evil.example:4566", "shop.test"):
                assert asked_as(laptop, foreign, path) == 403, (foreign, path)


def test_calls_come_by_http2_too(guarded):
    answer = run(
        "curl", "--silent", "--http2-prior-knowledge", "--write-out", " HTTP/%{http_version}",
        "--aws-sigv4", f"aws:amz:{EAST}:dynamodb", "--user", f"{KEY}:{SECRET}",
        "--header", "content-type: application/x-amz-json-1.0",
        "--header", "x-amz-target: DynamoDB_20120810.ListTables",
        "--data", "{}", guarded.endpoint(EAST),
    ).stdout
    assert answer.endswith(" HTTP/2") and "TableNames" in answer, answer
