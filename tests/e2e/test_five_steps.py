"""The five steps with boto3, as a user writes them, and what clients then see."""

import base64
import concurrent.futures
import io
import json
import re
import signal
import zipfile

import laptop as laptops
import pytest
from app import BOOTSTRAP
from laptop import EAST, IRELAND, REGIONS, TOKYO, error_code, eventually, run

DOMAIN = "api.shop.test"
SUBNETS = {EAST: "198.51.100.0/24", IRELAND: "192.0.2.0/24", TOKYO: "203.0.113.0/24"}
NEAR, FAR = "2ms", "200ms"


class Shop:
    """An app in three regions, made by the calls that a user makes."""

    def __init__(self, laptop):
        self.laptop = laptop
        self.ca = laptop.folder / "certificate.pem"
        self.counter = laptop.folder / "crashes"
        self.apis, self.checks, self.targets = {}, {}, {}
        self.zone = None

    def make(self):
        self.make_certificate()
        for region in REGIONS:
            self.make_function(region)
            self.make_api(region)
            self.make_domain(region)
            self.make_check(region)
        self.make_records()
        return self

    def make_certificate(self):
        run(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
            "-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName=DNS:{DOMAIN}",
            "-keyout", self.laptop.folder / "key.pem", "-out", self.ca,
        )

    def make_function(self, region):
        client = self.laptop.client("lambda", region)
        client.create_function(
            FunctionName="echo",
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role="arn:aws:iam::000000000000:role/shop",
            Code={"ZipFile": package()},
            Timeout=3,
            Environment={"Variables": self.variables("sound")},
        )
        self.wait_for_function(region, "function_active_v2")

    def variables(self, mode):
        return {"MODE": mode, "GREETING": "hello", "COUNTER": str(self.counter)}

    def wait_for_function(self, region, waiter):
        waiter = self.laptop.client("lambda", region).get_waiter(waiter)
        waiter.wait(FunctionName="echo", WaiterConfig={"Delay": 1, "MaxAttempts": 30})

    def set_mode(self, region, mode):
        self.laptop.client("lambda", region).update_function_configuration(
            FunctionName="echo", Environment={"Variables": self.variables(mode)}
        )
        self.wait_for_function(region, "function_updated_v2")

    def make_api(self, region):
        client = self.laptop.client("apigatewayv2", region)
        api = client.create_api(Name="shop", ProtocolType="HTTP")
        integration = client.create_integration(
            ApiId=api["ApiId"],
            IntegrationType="AWS_PROXY",
            IntegrationUri=f"arn:aws:lambda:{region}:000000000000:function:echo",
            PayloadFormatVersion="2.0",
        )
        for key in ("ANY /app/{proxy+}", "GET /health", "GET /carts/{id}/lines"):
            client.create_route(
                ApiId=api["ApiId"],
                RouteKey=key,
                Target=f"integrations/{integration['IntegrationId']}",
            )
        client.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
        self.laptop.client("lambda", region).add_permission(
            FunctionName="echo",
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{region}:000000000000:{api['ApiId']}/*",
        )
        self.apis[region] = api

    def make_domain(self, region):
        certificate = self.laptop.client("acm", region).import_certificate(
            Certificate=self.ca.read_bytes(),
            PrivateKey=(self.laptop.folder / "key.pem").read_bytes(),
        )["CertificateArn"]
        client = self.laptop.client("apigatewayv2", region)
        client.create_domain_name(
            DomainName=DOMAIN,
            DomainNameConfigurations=[
                {
                    "CertificateArn": certificate,
                    "EndpointType": "REGIONAL",
                    "SecurityPolicy": "TLS_1_2",
                }
            ],
        )
        client.create_api_mapping(
            DomainName=DOMAIN, ApiId=self.apis[region]["ApiId"], Stage="$default"
        )

        def configuration():
            domain = client.get_domain_name(DomainName=DOMAIN)
            found = domain["DomainNameConfigurations"][0]
            return found["DomainNameStatus"] == "AVAILABLE" and found

        self.targets[region] = eventually(configuration)

    def make_check(self, region):
        address, port = self.laptop.port(region, "https")
        client = self.laptop.client("route53")
        check = client.create_health_check(
            CallerReference=f"check-{region}",
            HealthCheckConfig={
                "Type": "HTTPS",
                "IPAddress": address,
                "Port": port,
                "FullyQualifiedDomainName": self.apis[region]["ApiEndpoint"].split("//")[1],
                "ResourcePath": "/health",
                "RequestInterval": 10,
                "FailureThreshold": 2,
                "EnableSNI": True,
            },
        )["HealthCheck"]
        client.change_tags_for_resource(
            ResourceType="healthcheck",
            ResourceId=check["Id"],
            AddTags=[{"Key": "hither:interval", "Value": "200ms"}],
        )
        self.checks[region] = check["Id"]

    def make_records(self):
        client = self.laptop.client("route53")
        made = client.create_hosted_zone(Name="shop.test", CallerReference="zone")
        self.zone = made["HostedZone"]["Id"]
        records = [
            {
                "Name": DOMAIN,
                "Type": "A",
                "SetIdentifier": region,
                "Region": region,
                "HealthCheckId": self.checks[region],
                "AliasTarget": {
                    "HostedZoneId": self.targets[region]["HostedZoneId"],
                    "DNSName": self.targets[region]["ApiGatewayDomainName"],
                    "EvaluateTargetHealth": True,
                },
            }
            for region in REGIONS
        ]
        records.append(
            {"Name": "txt.shop.test", "Type": "TXT", "TTL": 300, "ResourceRecords": [
                {"Value": '"' + "x" * 250 + f'{number:05}"'} for number in range(12)
            ]}
        )
        changes = [{"Action": "CREATE", "ResourceRecordSet": record} for record in records]
        change = client.change_resource_record_sets(
            HostedZoneId=self.zone, ChangeBatch={"Changes": changes}
        )["ChangeInfo"]["Id"]
        eventually(lambda: client.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC")

    # What clients see.

    def resolved(self, asked, client_of, *words):
        """Returns the addresses that a client near `client_of` is told by the region `asked`."""
        subnet = f"+subnet={SUBNETS[client_of]}"
        return self.laptop.dig(asked, DOMAIN, subnet, "+short", *words).split()

    def get(self, region, path, *words, check=True):
        return self.laptop.curl(region, path, *words, host=DOMAIN, ca=self.ca, check=check).stdout

    def event(self, region, path, *words):
        return json.loads(self.get(region, path, *words))["event"]


def package():
    """Returns the function's deployment package."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, BOOTSTRAP)
    return file.getvalue()


@pytest.fixture(scope="module")
def shop():
    clients = "".join(
        f'\n[clients.of-{own}]\nsubnet = "{SUBNETS[own]}"\nrtt = {{ '
        + ", ".join(f'{other} = "{NEAR if own == other else FAR}"' for other in REGIONS)
        + " }\n"
        for own in REGIONS
    )
    with laptops.running(laptops.Laptop(more=clients)) as laptop:
        yield Shop(laptop).make()


# Steps 1 to 3: the app behind its name.


@pytest.mark.parametrize("region", REGIONS)
def test_the_domain_is_served_over_tls_in_each_region(shop, region):
    assert json.loads(shop.get(region, "/health")) == {"status": "ok", "region": region}


def test_http2_and_http1_are_both_served(shop):
    for flag, version in (("--http2", "2"), ("--http1.1", "1.1")):
        said = shop.get(EAST, "/health", flag, "-o", "/dev/null", "-w", "%{http_version}")
        assert said == version


def test_tls_needs_the_right_name_and_authority(shop):
    address, port = shop.laptop.port(EAST, "https")
    url = f"https://{DOMAIN}:{port}/health"
    resolve = ("--resolve", f"{DOMAIN}:{port}:{address}")
    unknown = run("curl", "-sS", *resolve, url, check=False)
    assert unknown.returncode == 60, unknown
    other = f"https://other.test:{port}/health"
    resolve = ("--resolve", f"other.test:{port}:{address}")
    wrong = run("curl", "-sS", "--cacert", shop.ca, *resolve, other, check=False)
    assert wrong.returncode in (35, 60), wrong


def test_a_function_gets_the_request_as_payload_2_0(shop):
    event = shop.event(
        TOKYO, "/app/a%20b/c?x=1&x=2&y=%26", "-X", "PUT", "-d", '{"q": 2}',
        "-H", "X-One: first", "-H", "x-one: second", "-H", "cookie: a=1; b=2",
        "-H", "content-type: application/json",
    )
    assert event["version"] == "2.0" and event["routeKey"] == "ANY /app/{proxy+}"
    assert event["rawPath"] == "/app/a b/c" or event["rawPath"] == "/app/a%20b/c"
    assert event["rawQueryString"] == "x=1&x=2&y=%26"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "&"}
    assert event["headers"]["x-one"] == "first,second"
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["body"] == '{"q": 2}' and event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert context["http"]["method"] == "PUT" and context["stage"] == "$default"
    assert context["domainName"] == DOMAIN and context["apiId"] == shop.apis[TOKYO]["ApiId"]
    assert context["accountId"] == "000000000000" and context["requestId"]
    event = shop.event(TOKYO, "/carts/ada/lines")
    assert event["pathParameters"] == {"id": "ada"}
    assert event["routeKey"] == "GET /carts/{id}/lines"


def test_bytes_travel_both_ways(shop, tmp_path):
    (tmp_path / "bytes").write_bytes(bytes(range(256)))
    event = shop.event(
        EAST, "/app/echo", "--data-binary", f"@{tmp_path / 'bytes'}",
        "-H", "content-type: application/octet-stream",
    )
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == bytes(range(256))
    shop.get(EAST, "/app/bytes", "-o", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == bytes(range(256))


def test_statuses_headers_and_cookies_of_a_function_come_through(shop):
    answer = shop.get(EAST, "/app/teapot", "-i", "--http1.1")
    head, _, body = answer.partition("\n\n")
    assert head.startswith("HTTP/1.1 418") and body == "short and stout"
    assert "x-tea: green" in head.lower()
    assert re.findall(r"(?im)^set-cookie: (.*)$", head) == ["a=1", "b=2"]


def test_what_has_no_route_is_not_found(shop):
    answer = shop.get(EAST, "/nowhere", "-w", " %{http_code}")
    assert json.loads(answer[:-4]) == {"message": "Not Found"} and answer.endswith("404")


def test_a_functions_error_and_time_limit_are_answered(shop):
    assert shop.get(EAST, "/app/raise", "-o", "/dev/null", "-w", "%{http_code}") == "500"
    # Its own limit is 3 s; a POST is not made again elsewhere.
    slow = shop.get(EAST, "/app/sleep", "-X", "POST", "-o", "/dev/null", "-w", "%{http_code}")
    assert slow in ("500", "503", "504")


def test_invoke_returns_the_answer_the_error_and_the_log(shop):
    client = shop.laptop.client("lambda", IRELAND)
    answer = client.invoke(FunctionName="echo", Payload=b'{"x": 1}', LogType="Tail")
    payload = json.load(answer["Payload"])
    assert answer["StatusCode"] == 200 and "FunctionError" not in answer
    assert payload["event"] == {"x": 1} and payload["region"] == IRELAND
    assert payload["env"]["GREETING"] == "hello"
    assert payload["env"]["AWS_LAMBDA_FUNCTION_NAME"] == "echo"
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "called:" in log and "REPORT" in log, log
    answer = client.invoke(FunctionName="echo", Payload=b'{"rawPath": "/raise"}')
    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorMessage"] == "as asked"
    accepted = client.invoke(FunctionName="echo", InvocationType="Event", Payload=b"{}")
    assert accepted["StatusCode"] == 202
    code, _ = error_code(client.invoke, FunctionName="nobody")
    assert code == "ResourceNotFoundException"


def test_a_function_uses_its_own_regions_tables(shop):
    client = shop.laptop.client("lambda", TOKYO)
    env = json.load(client.invoke(FunctionName="echo")["Payload"])["env"]
    assert env["AWS_ENDPOINT_URL"] == shop.laptop.endpoint(TOKYO)
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == TOKYO


def test_regional_things_are_of_their_region_and_refused_twice(shop):
    for region in REGIONS:
        client = shop.laptop.client("apigatewayv2", region, at=EAST)
        assert [api["ApiId"] for api in client.get_apis()["Items"]] == [shop.apis[region]["ApiId"]]
        functions = shop.laptop.client("lambda", region, at=EAST).list_functions()["Functions"]
        arn = f"arn:aws:lambda:{region}:000000000000:function:echo"
        assert [function["FunctionArn"] for function in functions] == [arn]
        found = shop.laptop.client("acm", region, at=EAST).list_certificates()
        (certificate,) = found["CertificateSummaryList"]
        assert certificate["DomainName"] == DOMAIN
        assert f":{region}:" in certificate["CertificateArn"]
    code, _ = error_code(
        shop.laptop.client("lambda").create_function,
        FunctionName="echo", Runtime="provided.al2023", Handler="x", Code={"ZipFile": package()},
        Role="arn:aws:iam::000000000000:role/shop",
    )
    assert code == "ResourceConflictException"
    code, _ = error_code(
        shop.laptop.client("apigatewayv2").create_api_mapping,
        DomainName="nowhere.test", ApiId=shop.apis[EAST]["ApiId"], Stage="$default",
    )
    assert code == "NotFoundException"
    code, _ = error_code(
        shop.laptop.client("acm").describe_certificate,
        CertificateArn="arn:aws:acm:us-east-1:000000000000:certificate/nowhere",
    )
    assert code in ("ResourceNotFoundException", "InvalidArnException"), code
    refused = error_code(
        shop.laptop.client("acm").import_certificate, Certificate=b"no PEM", PrivateKey=b"no PEM"
    )
    assert refused[0] == "ValidationException", refused


def test_the_certificate_tells_whose_it_is(shop):
    client = shop.laptop.client("acm", TOKYO)
    arn = client.list_certificates()["CertificateSummaryList"][0]["CertificateArn"]
    certificate = client.describe_certificate(CertificateArn=arn)["Certificate"]
    assert certificate["DomainName"] == DOMAIN and certificate["Type"] == "IMPORTED"
    assert certificate["SubjectAlternativeNames"] == [DOMAIN]
    assert (certificate["NotAfter"] - certificate["NotBefore"]).days == 30
    pem = client.get_certificate(CertificateArn=arn)["Certificate"]
    assert pem.split() == shop.ca.read_text().split()


# Steps 4 and 5: names.


@pytest.mark.parametrize("asked", REGIONS)
def test_every_region_sends_clients_to_their_nearest(shop, asked):
    for near in REGIONS:
        eventually(lambda: shop.resolved(asked, near) == [shop.laptop.address[near]])
        assert shop.resolved(asked, near, "+tcp") == [shop.laptop.address[near]]


def test_an_answer_is_authoritative_and_scoped_to_its_subnet(shop):
    answer = shop.laptop.dig(EAST, DOMAIN, f"+subnet={SUBNETS[TOKYO]}", "+norecurse")
    flags = re.search(r"flags: ([a-z ]*);", answer)[1].split()
    assert "aa" in flags and "ra" not in flags
    scope = re.search(r"CLIENT-SUBNET: 203\.0\.113\.0/24/(\d+)", answer)
    assert scope and int(scope[1]) == 24, answer
    assert re.search(rf"^{re.escape(DOMAIN)}\.\s+\d+\s+IN\s+A\s", answer, re.M), answer


def test_recursion_is_not_offered(shop):
    answer = shop.laptop.dig(EAST, "example.com", "+recurse")
    assert "status: REFUSED" in answer and "ANSWER: 0" in answer
    assert "recursion requested but not available" in answer


def test_names_and_types_that_are_not_there_get_the_soa(shop):
    for name, kind, status in [
        ("nowhere.shop.test", "A", "NXDOMAIN"),
        (DOMAIN, "AAAA", "NOERROR"),
        (DOMAIN, "MX", "NOERROR"),
    ]:
        answer = shop.laptop.dig(EAST, name, kind)
        assert f"status: {status}" in answer and "ANSWER: 0, AUTHORITY: 1" in answer, answer
        assert re.search(r"^shop\.test\.\s+\d+\s+IN\s+SOA\s", answer, re.M), answer


def test_the_zones_own_records_are_answered(shop):
    servers = shop.laptop.dig(EAST, "shop.test", "NS", "+short").split()
    made = shop.laptop.client("route53").get_hosted_zone(Id=shop.zone)
    assert {name.rstrip(".") for name in servers} == set(made["DelegationSet"]["NameServers"])
    soa = shop.laptop.dig(TOKYO, "SHOP.test", "SOA", "+short").split()
    assert len(soa) == 7 and soa[0] in servers


def test_what_is_too_long_for_udp_comes_by_tcp(shop):
    truncated = shop.laptop.dig(EAST, "txt.shop.test", "TXT", "+bufsize=512", "+ignore")
    assert re.search(r"flags: [a-z ]*\btc\b", truncated), truncated
    whole = shop.laptop.dig(EAST, "txt.shop.test", "TXT", "+bufsize=512", "+short")
    assert len(whole.splitlines()) == 12


def test_the_console_of_route_53_shows_what_was_made(shop):
    client = shop.laptop.client("route53", TOKYO, at=TOKYO)
    pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=shop.zone)
    sets = [record for page in pages for record in page["ResourceRecordSets"]]
    latency = {record["Region"]: record for record in sets if "Region" in record}
    assert set(latency) == set(REGIONS)
    assert latency[IRELAND]["HealthCheckId"] == shop.checks[IRELAND]
    named = {record["Type"] for record in sets if record["Name"] == "shop.test."}
    assert named == {"NS", "SOA"}
    answer = client.test_dns_answer(
        HostedZoneId=shop.zone, RecordName=DOMAIN, RecordType="A",
        EDNS0ClientSubnetIP="192.0.2.0", EDNS0ClientSubnetMask="24",
    )
    assert answer["RecordData"] == [shop.laptop.address[IRELAND]]
    assert answer["ResponseCode"] == "NOERROR"


def test_route_53_refuses_what_cannot_be(shop):
    client = shop.laptop.client("route53")
    record = {"Name": "x.other.test", "Type": "A", "TTL": 60, "ResourceRecords": [
        {"Value": "192.0.2.1"}
    ]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    code, _ = error_code(
        client.change_resource_record_sets, HostedZoneId=shop.zone, ChangeBatch=batch
    )
    assert code == "InvalidChangeBatch"
    code, _ = error_code(client.get_hosted_zone, Id="ZNOWHERE")
    assert code == "NoSuchHostedZone"
    code, _ = error_code(client.delete_health_check, HealthCheckId="nowhere")
    assert code == "NoSuchHealthCheck"


# When a region is not well.


@pytest.fixture
def broken(shop, request):
    """Breaks the function of Ireland while a test runs, and waits for it to be well again."""
    shop.set_mode(IRELAND, request.param)
    yield request.param
    shop.set_mode(IRELAND, "sound")
    eventually(lambda: json.loads(shop.get(IRELAND, "/health"))["region"] == IRELAND)
    eventually(lambda: shop.resolved(EAST, IRELAND) == [shop.laptop.address[IRELAND]])


@pytest.mark.parametrize("broken", ["broken", "crashing"], indirect=True)
def test_a_broken_function_is_answered_by_the_next_region_and_left_by_dns(shop, broken):
    # Who comes to Ireland all the same is served, by the function of another region.
    for _ in range(10):
        region = json.loads(shop.get(IRELAND, "/app/x"))["region"]
        assert region in (EAST, TOKYO), region
    if broken == "broken":
        # It never begins, so that even a POST may go on to the next region.
        assert json.loads(shop.get(IRELAND, "/app/x", "-X", "POST"))["region"] in (EAST, TOKYO)
    for asked in REGIONS:
        eventually(lambda: shop.laptop.address[IRELAND] not in shop.resolved(asked, IRELAND))
    checks = shop.laptop.status(TOKYO)["health_checks"]
    healthy = {check["id"]: check["healthy"] for check in checks}
    assert healthy == {shop.checks[region]: region != IRELAND for region in REGIONS}
    status = shop.laptop.client("route53").get_health_check_status(
        HealthCheckId=shop.checks[IRELAND]
    )
    said = [seen["StatusReport"]["Status"] for seen in status["HealthCheckObservations"]]
    assert said and any(text.startswith("Failure") for text in said), said


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_only_what_may_be_done_twice_is_done_again(shop, method):
    shop.counter.write_text("")
    status = shop.get(IRELAND, "/app/crash", "-X", method, "-o", "/dev/null", "-w", "%{http_code}")
    began = shop.counter.read_text().split()
    assert status.startswith("5"), status
    assert began[0] == IRELAND and len(began) == len(set(began)), began
    # A function that began may have done its work: a POST ends there, a GET goes on.
    assert (len(began) == 1) == (method == "POST"), began


def test_a_region_that_is_told_to_end_answers_what_it_began(shop):
    laptop = shop.laptop
    pid = laptop.pid(TOKYO)
    shop.counter.write_text("")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(shop.get, TOKYO, "/app/nap", "-w", " %{http_code}")
        eventually(lambda: shop.counter.read_text() == "asleep")
        command = laptop.end(pid, signal.SIGTERM)
        said = answer.result(timeout=30)
    assert said.endswith(" 200") and f'"region": "{TOKYO}"' in said, said
    # It told the others that it leaves, before it closed its ports.
    eventually(lambda: shop.resolved(EAST, TOKYO) != [laptop.address[TOKYO]])
    laptop.restart(TOKYO, command)
    eventually(lambda: shop.resolved(EAST, TOKYO) == [laptop.address[TOKYO]])
    assert json.loads(shop.get(TOKYO, "/health"))["region"] == TOKYO


def test_changes_reach_the_gateways_of_their_region(shop):
    client = shop.laptop.client("apigatewayv2", EAST)
    api = shop.apis[EAST]["ApiId"]
    target = client.get_routes(ApiId=api)["Items"][0]["Target"]
    route = client.create_route(ApiId=api, RouteKey="GET /late", Target=target)["RouteId"]
    eventually(lambda: '"rawPath"' in shop.get(EAST, "/late"))
    client.delete_route(ApiId=api, RouteId=route)
    eventually(lambda: "Not Found" in shop.get(EAST, "/late"))
