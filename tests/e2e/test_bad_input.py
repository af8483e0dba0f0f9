"""What no client should send: answered in the protocol's own terms, and survived."""

import contextlib
import http.client
import json
import random
import re
import socket
import ssl
import struct

import pytest
from laptop import EAST, REGIONS, error_code, eventually, run

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/{region}/{service}/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)


@pytest.fixture(autouse=True)
def nobody_dies(near):
    """Every region's process runs on after each test here, and does ordinary work."""
    before = {region: near.pid(region) for region in REGIONS}
    yield
    for region, pid in before.items():
        assert near.is_alive(region, pid), f"{region} was process {pid}"
        status, _, body = dynamodb(near, "DynamoDB_20120810.ListTables", b"{}", region=region)
        assert status == 200 and b"TableNames" in body, body


def call(laptop, service, method="POST", path="/", body=b"", region=EAST, headers=None):
    """Makes one HTTP request as an SDK would; returns status, headers and body."""
    connection = http.client.HTTPConnection(*laptop.port(region, "api"), timeout=20)
    authorization = SIGNED.format(region=region, service=service)
    known = {"authorization": authorization, "x-amz-date": "20260101T000000Z"}
    with contextlib.closing(connection):
        connection.request(method, path, body, known | (headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def dynamodb(laptop, operation, body, region=EAST):
    target = {"x-amz-target": operation, "content-type": "application/x-amz-json-1.0"}
    return call(laptop, "dynamodb", body=body, region=region, headers=target)


def raw(laptop, key, sent, *, ends=True):
    """Sends bytes to a port of the first region, and then that no more come unless `ends` is false;
    returns what comes back until it closes."""
    with socket.create_connection(laptop.port(EAST, key), timeout=20) as connection:
        # Who refuses may hang up before it has heard all.
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        if ends:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        got = b""
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                got += piece
        return got


# AWS APIs.


def test_an_unknown_operation_of_dynamodb_is_named(near):
    operation = "MakeCoffee"
    status, headers, body = dynamodb(near, f"DynamoDB_20120810.{operation}", b"{}")
    assert status == 400, body
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["x-amzn-requestid"]
    error = json.loads(body)
    assert error["__type"].endswith("#UnknownOperationException"), error
    assert operation in (error.get("message") or error.get("Message"))


QUERY = "application/x-www-form-urlencoded"
JSON = "application/x-amz-json-1.1"
BOGUS = b"Action=MakeCoffee&Version=2011-06-15"
UNKNOWN_OPERATIONS = [
    # service, method, path, target, body; the error's name, what it names
    ("dynamodb", "POST", "/", "DynamoDB_20120810.MakeCoffee", b"{}", "UnknownOp", "MakeCoffee"),
    ("dynamodb", "POST", "/", "DynamoDBStreams_20120810.Make", b"{}", "UnknownOp", "Make"),
    ("acm", "POST", "/", "CertificateManager.MakeCoffee", b"{}", "UnknownOp", "MakeCoffee"),
    ("monitoring", "POST", "/", "GraniteServiceVersion20100801.MakeCoffee", b"{}", "UnknownOp",
     "MakeCoffee"),
    ("monitoring", "POST", "/", None, b"Action=MakeCoffee&Version=2010-08-01", "UnknownOp",
     "MakeCoffee"),
    ("sqs", "POST", "/", "AmazonSQS.SendMessage", b"{}", "UnknownOp", "SendMessage"),
    ("lambda", "POST", "/2015-03-31/event-source-mappings/", None, b"", "UnknownOp",
     "CreateEventSourceMapping"),
    ("lambda", "GET", "/nowhere", None, b"", "UnknownOp", "/nowhere"),
    ("apigateway", "POST", "/v2/vpclinks", None, b"", "UnknownOp", "CreateVpcLink"),
    ("apigateway", "GET", "/restapis", None, b"", "UnknownOp", "/restapis"),
    ("route53", "POST", "/2013-04-01/trafficpolicy", None, b"", "UnknownOp",
     "CreateTrafficPolicy"),
    ("route53", "GET", "/nowhere", None, b"", "UnknownOp", "/nowhere"),
    ("sts", "POST", "/", None, BOGUS, "InvalidAction", "MakeCoffee"),
    ("iam", "POST", "/", None, BOGUS, "InvalidAction", "MakeCoffee"),
    ("s3", "GET", "/bucket/key", None, b"", "UnknownOp", "/bucket/key"),
    ("nosuchservice", "POST", "/", None, b"", "UnknownOp", "nosuchservice"),
]


@pytest.mark.parametrize(
    "case", UNKNOWN_OPERATIONS, ids=[f"{row[0]} {row[3] or row[2]}" for row in UNKNOWN_OPERATIONS]
)
def test_an_unknown_operation_is_refused_in_the_services_own_form(near, case):
    service, method, path, target, body, name, named = case
    name = {"UnknownOp": "UnknownOperationException"}.get(name, name)
    head = {"content-type": JSON, "x-amz-target": target} if target else {"content-type": QUERY}
    status, headers, body = call(near, service, method, path, body, headers=head)
    assert 400 <= status < 500, (status, body)
    kind = headers["content-type"]
    assert "html" not in kind and b"<html" not in body.lower(), body
    if "json" in kind:
        error = json.loads(body)
        code = error.get("__type", headers.get("x-amzn-errortype", "")).split("#")[-1]
        message = error.get("message") or error.get("Message")
    else:
        assert "xml" in kind, kind
        code = re.search(rb"<Code>([^<]*)</Code>", body)[1].decode()
        message = re.search(rb"<Message>([^<]*)</Message>", body)[1].decode()
    assert code == name and named in message, (headers.items(), body)


def test_sdks_understand_the_refusals(near):
    scale = near.client("dynamodb").update_table_replica_auto_scaling
    code, message = error_code(lambda: scale(TableName="carts"))
    assert code == "ValidationException" and "UpdateTableReplicaAutoScaling" in message
    code, message = error_code(near.client("lambda").list_layers)
    assert "UnknownOperation" in code, (code, message)
    code, message = error_code(near.client("route53").list_traffic_policies)
    assert code and message, (code, message)
    role = {"RoleArn": "arn:aws:iam::000000000000:role/shop", "RoleSessionName": "ann"}
    code, message = error_code(near.client("sts").assume_role, **role)
    assert code and message, (code, message)


def test_bodies_that_are_no_json_are_refused(near):
    operation = "DynamoDB_20120810.PutItem"
    for body in [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"TableName": 1}', b'{"a": 1e999999}']:
        status, _, answer = dynamodb(near, operation, body)
        assert status == 400, (body, answer)
        kind = json.loads(answer)["__type"].split("#")[1]
        assert kind in ("SerializationException", "ValidationException"), (body, answer)


@pytest.mark.parametrize("depth", [33, 1_000, 200_000])
def test_deep_json_is_refused_before_it_is_walked(near, depth):
    deep = b'{"L": [' * depth + b'{"S": "x"}' + b"]}" * depth
    body = b'{"TableName": "t", "Item": {"id": {"S": "1"}, "deep": ' + deep + b"}}"
    status, _, answer = dynamodb(near, "DynamoDB_20120810.PutItem", body)
    assert status == 400, answer
    open_ended = b'{"TableName": "t", "Item": ' + b"[" * depth * 2
    status, _, answer = dynamodb(near, "DynamoDB_20120810.PutItem", open_ended)
    assert status == 400, answer
    status, _, answer = call(
        near, "lambda", path="/2015-03-31/functions", body=b"[" * depth + b"]" * depth
    )
    assert status == 400, answer


def test_deep_expressions_are_refused(near):
    for deep in ["(" * 50_000 + "a = b" + ")" * 50_000, "NOT " * 50_000 + "a = b", "a." * 50_000]:
        body = json.dumps({"TableName": "t", "FilterExpression": deep}).encode()
        status, _, answer = dynamodb(near, "DynamoDB_20120810.Scan", body)
        assert status == 400 and b"xception" in answer, answer


def test_deep_xml_is_refused(near):
    for deep in [b"<a>" * 100_000, b"<a>" * 100_000 + b"</a>" * 100_000, b"<!DOCTYPE a [<!ENTITY"]:
        status, _, answer = call(near, "route53", path="/2013-04-01/hostedzone", body=deep)
        assert status == 400 and b"<Error" in answer, answer


def test_huge_bodies_are_refused(near):
    head = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    for length in (17_000_000, 40_000_000):
        answer = raw(near, "api", head % length + b"x" * length, ends=False)
        assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
    # Its length is enough to know: what comes of it makes no difference.
    answer = raw(near, "api", head % 99_999_999_999_999 + b"x")
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
    # One that ends before its length is malformed.
    answer = raw(near, "api", head % 9_999_999 + b"x")
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    # Nobody reads on for ever: this one is cut off, and may miss its answer.
    answer = raw(near, "api", head % 100_000_000 + b"x" * 100_000_000, ends=False)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413 "), answer[:200]


def test_a_body_without_end_is_cut_off(near):
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    for key in ("api", "http"):
        with socket.create_connection(near.port(EAST, key), timeout=20) as connection:
            connection.sendall(head)
            with pytest.raises(ConnectionError):
                for _ in range(1_000):
                    connection.sendall(chunk)


MALFORMED_HTTP = {
    "no http": b"\x00\x01\x02\x03" * 64,
    "no version": b"GET /\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n.",
    "bad length": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    "bad chunk": b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "bad header": b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
    "bad target": b"GET http://[::1/ HTTP/1.1\r\nhost: x\r\n\r\n",
    "long target": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
    "half a request": b"GET / HTTP/1.1\r\nhost:",
    "h2 preface and noise": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 500,
    "tls": bytes.fromhex("1603010200010001fc0303") + b"\x00" * 100,
}


# A client that leaves before it has asked is answered by nobody (RFC 9112, section 8), and what
# begins as HTTP/2 is refused in HTTP/2's frames.
NOT_HTTP_1 = {"half a request", "h2 preface and noise"}


# Longer than a head may be: a client that still sends may hear of a reset before the answer.
TOO_LONG = {"long target", "many headers"}


def is_http_refusal(answer):
    return re.match(rb"HTTP/1\.1 4\d\d .*\r\n\r\n", answer, re.S) and b"<html" not in answer.lower()


@pytest.mark.parametrize("case", MALFORMED_HTTP)
@pytest.mark.parametrize("key", ["api", "dynamodb", "http"])
def test_malformed_http_is_refused_in_http(near, key, case):
    answer = raw(near, key, MALFORMED_HTTP[case])
    if case not in NOT_HTTP_1:
        assert is_http_refusal(answer) or (case in TOO_LONG and answer == b""), answer
    elif case == "h2 preface and noise" and key != "http":
        assert list(frame_types(answer))[-1] == GOAWAY, answer
    else:
        assert answer == b""


GOAWAY = 7


def frame_types(data):
    """Returns the types of HTTP/2's frames, in their order. RFC 9113, section 4.1."""
    while data:
        length = int.from_bytes(data[:3])
        yield data[3]
        data = data[9 + length :]


@pytest.mark.parametrize("case", MALFORMED_HTTP)
def test_what_is_no_tls_gets_an_alert(near, case):
    answer = raw(near, "https", MALFORMED_HTTP[case])
    # A record of content type 21, RFC 8446, section 5.1; nothing where no record was begun.
    assert answer[:2] in (b"\x15\x03", b""), answer


def test_malformed_http_within_tls(near):
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    refused = set()
    for name in ["nowhere.test", f"x.execute-api.{EAST}.hither.internal"]:
        for case, sent in MALFORMED_HTTP.items():
            with contextlib.suppress(OSError):
                connection = socket.create_connection(near.port(EAST, "https"), timeout=20)
                with contextlib.closing(connection):
                    with trust.wrap_socket(connection, server_hostname=name) as secure:
                        secure.sendall(sent)
                        answer = secure.recv(65536) if case not in NOT_HTTP_1 else b""
                        if answer:
                            assert is_http_refusal(answer), (case, answer)
                            refused.add(case)
    assert refused >= MALFORMED_HTTP.keys() - NOT_HTTP_1 - TOO_LONG


def test_noise_on_links_and_gossip_is_survived(near):
    noise = random.Random(7)
    for length in (0, 1, 3, 4, 8, 100, 70_000):
        raw(near, "link", noise.randbytes(length))
        # A frame that claims to be as long as can be.
        raw(near, "link", b"\xff\xff\xff\xff" + noise.randbytes(length))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gossip:
        for length in (0, 1, 8, 100, 1_400, 60_000):
            gossip.sendto(noise.randbytes(length), near.port(EAST, "gossip"))
    eventually(lambda: all(is_joined(near, region) for region in REGIONS))


def is_joined(laptop, region):
    others = [other for other in laptop.status(region)["regions"] if not other["own"]]
    return all(other["replication"]["sending"]["up"] for other in others)


# DNS.

HEADER = struct.Struct(">6H")


def query(name=b"\x07nowhere\x04test\x00", *, flags=0, counts=(1, 0, 0, 0), tail=b"\0\1\0\1"):
    return HEADER.pack(0x1234, flags, *counts) + name + tail


MALFORMED_DNS = {
    "empty": b"",
    "one byte": b"\x12",
    "half a header": b"\x12\x34\x00\x00\x00",
    "no question": query(b"", tail=b""),
    "counts of nothing": query(counts=(1, 65535, 65535, 65535)),
    "two questions": query(counts=(2, 0, 0, 0)),
    "an answer": query(flags=0x8000),
    "a label past the end": query(b"\x3fabc", tail=b""),
    "a reserved label type": query(b"\x80abc\x00"),
    "a pointer to itself": query(b"\xc0\x0c"),
    "a pointer ahead": query(b"\xc0\xff"),
    "a loop of pointers": query(b"\xc0\x0e\xc0\x0c"),
    "a name too long": query((b"\x3f" + b"a" * 63) * 5 + b"\0"),
    "no type": query(tail=b"\0"),
    "another opcode": query(flags=0x2800),
    "half an OPT": query(counts=(1, 0, 0, 1), tail=b"\0\1\0\1\0\0\x29\x04"),
    "two OPTs": query(
        counts=(1, 0, 0, 2), tail=b"\0\1\0\1" + b"\0\0\x29\x04\xd0\0\0\0\0\0\0" * 2
    ),
    "an OPT longer than the packet": query(
        counts=(1, 0, 0, 1), tail=b"\0\1\0\1\0\0\x29\x04\xd0\0\0\0\0\xff\xff"
    ),
    "a client subnet of no family": query(
        counts=(1, 0, 0, 1), tail=b"\0\1\0\1\0\0\x29\x04\xd0\0\0\0\0\0\x08\0\x08\0\4\0\x09\x20\0"
    ),
    "a client subnet too long": query(
        counts=(1, 0, 0, 1), tail=b"\0\1\0\1\0\0\x29\x04\xd0\0\0\0\0\0\x08\0\x08\0\4\0\1\xff\0"
    ),
    "noise": random.Random(11).randbytes(512),
    "a long datagram": random.Random(12).randbytes(9_000),
}


@pytest.mark.parametrize("case", MALFORMED_DNS)
def test_malformed_queries_are_refused_or_dropped(near, case):
    packet = MALFORMED_DNS[case]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(near.port(EAST, "dns"))
        udp.settimeout(20)
        udp.send(packet)
        # Answers come in the order of queries from one socket; this one is always answered.
        udp.send(HEADER.pack(0x4321, 0, 1, 0, 0, 0) + b"\x05other\x04test\x00\0\1\0\1")
        answers = []
        while not any(answer.startswith(b"\x43\x21") for answer in answers):
            answers.append(udp.recv(65535))
    for answer in answers:
        number, flags, *_ = HEADER.unpack_from(answer)
        assert flags & 0x8000, f"a query came back: {answer}"
        assert flags & 0x000F in (1, 4, 5, 16), f"it was no refusal: {answer}"
        assert number in (0x1234, 0x4321) or packet.startswith(answer[:2])
    refused = raw(near, "dns", struct.pack(">H", len(packet)) + packet)
    if refused:
        assert refused[2:4] == packet[:2] and refused[4] & 0x80, refused


def test_tcp_queries_that_never_end_hold_nobody_up(near):
    held = [socket.create_connection(near.port(EAST, "dns"), timeout=20) for _ in range(20)]
    try:
        for connection in held:
            connection.sendall(b"\xff\xff\x12")
        address, port = near.port(EAST, "dns")
        answer = run("dig", f"@{address}", "-p", port, "+tcp", "+time=5", "+tries=1", "x.test")
        assert "REFUSED" in answer.stdout
    finally:
        for connection in held:
            connection.close()
