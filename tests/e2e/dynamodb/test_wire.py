"""The protocol below the SDKs: bodies, headers, statuses, checksums, and the order of checks."""

import contextlib
import gzip
import http.client
import json
import re
import socket
import zlib

import pytest
from case import NOT_FOUND, SERIALIZATION, VALIDATION

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)
JSON_1_0 = "application/x-amz-json-1.0"
UNKNOWN = "UnknownOperationException"
MODELLED = "com.amazonaws.dynamodb.v20120810#"
SERVICE = "com.amazon.coral.service#"
VALIDATE = "com.amazon.coral.validate#"


class Answer:
    """What came back, with the members of its body where it is JSON."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.sent = response.read()
        is_gzip = self.headers.get("content-encoding") == "gzip"
        self.body = gzip.decompress(self.sent) if is_gzip else self.sent
        try:
            self.json = json.loads(self.body)
        except ValueError:
            self.json = None

    @property
    def kind(self):
        return self.json["__type"]

    @property
    def code(self):
        return self.kind.rsplit("#", 1)[-1]

    @property
    def message(self):
        return self.json.get("message", self.json.get("Message", ""))


class Wire:
    """Raw calls of one server; what they are answered is noted for comparisons."""

    def __init__(self, server):
        self.server = server

    def ask(self, method="POST", path="/", body=b"", headers=None):
        connection = http.client.HTTPConnection(*self.server.address, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            answer = Answer(connection.getresponse())
        said = answer.json.get("__type", "ok") if isinstance(answer.json, dict) else "no JSON"
        self.server.note("wire", f"{answer.status} {said}")
        return answer

    def call(self, operation, body, **headers):
        """One call; header names have underscores for dashes, None takes a header away."""
        if not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        usual = {
            "x-amz-target": f"DynamoDB_20120810.{operation}",
            "content-type": JSON_1_0,
            "authorization": SIGNED,
            "x-amz-date": "20260101T000000Z",
        }
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in (usual | more).items() if value is not None}
        return self.ask(body=body, headers=kept)


@pytest.fixture
def wire(server):
    return Wire(server)


@pytest.fixture
def table(server):
    return server.table("hash")


# Bodies.


@pytest.mark.parametrize(
    "body",
    ["", "{", "}", "nonsense", "[]", '"text"', "1", "null", "true", '{"TableName"}',
     '{"TableName":}', '{"TableName":"x",}', "{'TableName':'x'}", '{"TableName":"x"} more',
     '{"TableName":"\\x"}', '{"TableName":"a\nb"}', "{" * 500,
     '{"TableName":' + "[" * 500],
    ids=lambda body: body[:20] or "nothing",
)
def test_a_body_that_is_no_object_of_json_is_refused(wire, body):
    answer = wire.call("DescribeTable", body)
    assert (answer.status, answer.code) == (400, SERIALIZATION)


def test_a_body_that_is_no_utf_8_is_refused(wire):
    answer = wire.call("DescribeTable", b'{"TableName":"\xff\xfe"}')
    assert answer.status == 400 and answer.code in (SERIALIZATION, VALIDATION)


@pytest.mark.parametrize(
    ("operation", "member", "value"),
    [
        ("DescribeTable", "TableName", 5),
        ("DescribeTable", "TableName", True),
        ("DescribeTable", "TableName", ["x"]),
        ("DescribeTable", "TableName", {"S": "x"}),
        ("PutItem", "Item", "x"),
        ("PutItem", "Item", []),
        ("PutItem", "Item", {"pk": "x"}),
        ("PutItem", "Item", {"pk": ["x"]}),
        ("PutItem", "Item", {"pk": {"S": 5}}),
        ("PutItem", "Item", {"pk": {"S": True}}),
        ("PutItem", "Item", {"pk": {"S": {}}}),
        ("PutItem", "Item", {"pk": {"N": 5}}),
        ("PutItem", "Item", {"pk": {"B": 5}}),
        ("PutItem", "Item", {"pk": {"B": "no base64!"}}),
        ("PutItem", "Item", {"pk": {"B": "YQ="}}),
        ("PutItem", "Item", {"pk": {"BOOL": "true"}}),
        ("PutItem", "Item", {"pk": {"BOOL": 1}}),
        ("PutItem", "Item", {"pk": {"NULL": "true"}}),
        ("PutItem", "Item", {"pk": {"SS": "x"}}),
        ("PutItem", "Item", {"pk": {"SS": [5]}}),
        ("PutItem", "Item", {"pk": {"NS": [5]}}),
        ("PutItem", "Item", {"pk": {"BS": [5]}}),
        ("PutItem", "Item", {"pk": {"BS": ["!"]}}),
        ("PutItem", "Item", {"pk": {"L": {}}}),
        ("PutItem", "Item", {"pk": {"L": ["x"]}}),
        ("PutItem", "Item", {"pk": {"M": []}}),
        ("PutItem", "Item", {"pk": {"M": {"a": "x"}}}),
        ("PutItem", "ExpressionAttributeNames", []),
        ("PutItem", "ExpressionAttributeNames", {"#a": 5}),
        ("PutItem", "ExpressionAttributeValues", {":a": "x"}),
        ("PutItem", "Expected", {"a": {"Exists": "yes"}}),
        ("PutItem", "Expected", []),
        ("PutItem", "ConditionExpression", 5),
        ("UpdateItem", "AttributeUpdates", {"a": {"Value": "x"}}),
        ("UpdateItem", "AttributeUpdates", {"a": "x"}),
        ("GetItem", "ConsistentRead", "true"),
        ("GetItem", "ConsistentRead", 1),
        ("GetItem", "AttributesToGet", "a"),
        ("GetItem", "AttributesToGet", [5]),
        ("GetItem", "Key", "a"),
        ("Query", "Limit", "5"),
        ("Query", "Limit", True),
        ("Query", "ScanIndexForward", "false"),
        ("Query", "KeyConditions", {"pk": []}),
        ("Query", "KeyConditions", {"pk": {"AttributeValueList": {}}}),
        ("Scan", "Segment", "0"),
        ("Scan", "ScanFilter", []),
        ("BatchGetItem", "RequestItems", []),
        ("BatchGetItem", "RequestItems", {"x": []}),
        ("BatchGetItem", "RequestItems", {"x": {"Keys": {}}}),
        ("BatchWriteItem", "RequestItems", {"x": {}}),
        ("BatchWriteItem", "RequestItems", {"x": ["y"]}),
        ("TransactWriteItems", "TransactItems", {}),
        ("TransactWriteItems", "ClientRequestToken", 5),
        ("TransactGetItems", "TransactItems", ["x"]),
        ("CreateTable", "KeySchema", {}),
        ("CreateTable", "ProvisionedThroughput", {"ReadCapacityUnits": "1"}),
        ("ListTables", "Limit", "5"),
        ("ListTables", "ExclusiveStartTableName", 5),
        ("TagResource", "Tags", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:40],
)
def test_a_member_of_the_wrong_type_is_refused(wire, operation, member, value):
    answer = wire.call(operation, {member: value})
    assert (answer.status, answer.kind) == (400, SERVICE + SERIALIZATION)


def test_types_come_before_all_that_is_validated(wire):
    body = {"TableName": "a", "ReturnValues": "nonsense", "Item": {"pk": {"S": 5}}}
    assert wire.call("PutItem", body).code == SERIALIZATION


@pytest.mark.parametrize(
    "more", [{"Unknown": 1}, {"unknown": {"deep": [None]}}, {"tablename": "x"}, {"": None}]
)
def test_unknown_members_are_ignored(wire, table, more):
    answer = wire.call("DescribeTable", {"TableName": table, **more})
    assert answer.status == 200 and answer.json["Table"]["TableName"] == table


def test_unknown_members_within_are_ignored(wire, server, table):
    key = server.unique()
    item = {"pk": {"S": key, "X": 5}, "a": {"N": "1", "Unknown": {"a": 1}}}
    assert wire.call("PutItem", {"TableName": table, "Item": item}).status == 200
    read = wire.call("GetItem", {"TableName": table, "Key": {"pk": {"S": key}}})
    assert read.json == {"Item": {"pk": {"S": key}, "a": {"N": "1"}}}


def test_null_is_the_same_as_absent(wire, server, table):
    body = {
        "TableName": table,
        "Item": {"pk": {"S": server.unique(), "N": None}},
        "ConditionExpression": None,
        "ExpressionAttributeNames": None,
        "ReturnValues": None,
        "Expected": None,
    }
    assert wire.call("PutItem", body).status == 200
    answer = wire.call("DescribeTable", {"TableName": None})
    assert answer.code == VALIDATION


def test_the_last_of_two_members_of_a_name_counts(wire, table):
    body = f'{{"TableName":"no-such-table","TableName":"{table}"}}'
    assert wire.call("DescribeTable", body).status == 200


def test_escapes_and_white_space_of_json_are_read(wire, table):
    name = "".join(f"\\u{ord(letter):04x}" for letter in table)
    body = f' \n{{\t"\\u0054ableName" : "{name}"\r\n}} '
    assert wire.call("DescribeTable", body).status == 200


# Targets and content types.


@pytest.mark.parametrize(
    "target",
    ["DynamoDB_20120810.", "DynamoDB_20120810.Nonsense", "DynamoDB_20120810.getitem",
     "DynamoDB_20111205.GetItem", "DynamoDB.GetItem", "GetItem", "", "nonsense",
     "DynamoDB_20120810.GetItem.More", "DynamoDB_20120810"],
)
def test_an_unknown_target_is_refused(wire, target):
    answer = wire.call("", "{}", x_amz_target=target)
    assert (answer.status, answer.code) == (400, UNKNOWN)


def test_no_target_is_refused(wire):
    answer = wire.call("", "{}", x_amz_target=None)
    assert answer.status in (400, 404)
    assert UNKNOWN in answer.body.decode()


@pytest.mark.parametrize("content_type", [JSON_1_0, "application/json",
                                          "application/x-amz-json-1.1"])
def test_the_content_type_of_the_request_is_that_of_the_answer(wire, table, content_type):
    answer = wire.call("DescribeTable", {"TableName": table}, content_type=content_type)
    assert (answer.status, answer.headers["content-type"]) == (200, content_type)


def test_parameters_of_a_content_type_are_ignored(wire, table):
    kind = f"{JSON_1_0}; charset=utf-8"
    assert wire.call("DescribeTable", {"TableName": table}, content_type=kind).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "nonsense"])
def test_another_content_type_is_no_operation(wire, table, content_type):
    answer = wire.call("DescribeTable", {"TableName": table}, content_type=content_type)
    assert answer.status == 404 and UNKNOWN in answer.body.decode()


# Headers of answers.


def check_headers(answer):
    assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(answer.sent)
    assert re.fullmatch("[A-Z0-9]{52}", answer.headers["x-amzn-requestid"])
    assert int(answer.headers["content-length"]) == len(answer.sent)


def test_a_success_has_checksum_and_id(wire, table):
    check_headers(wire.call("DescribeTable", {"TableName": table}))


def test_an_empty_success_has_checksum_and_id(wire, server, table):
    item = {"pk": {"S": server.unique()}}
    answer = wire.call("PutItem", {"TableName": table, "Item": item})
    assert answer.body == b"{}"
    check_headers(answer)


@pytest.mark.parametrize("body", ["{", "{}", '{"TableName":"no-such-table"}'])
def test_a_refusal_has_checksum_and_id(wire, body):
    answer = wire.call("DescribeTable", body)
    assert answer.status == 400
    check_headers(answer)


def test_an_unknown_operation_has_checksum_and_id(wire):
    check_headers(wire.call("Nonsense", "{}"))


def test_request_ids_differ(wire, table):
    answers = [wire.call("DescribeTable", {"TableName": table}) for _ in range(20)]
    assert len({answer.headers["x-amzn-requestid"] for answer in answers}) == 20


# Errors.


def test_errors_name_their_shape_and_say_why(wire, server, table):
    key = {"pk": {"S": server.unique()}}
    missing = wire.call("DescribeTable", {"TableName": "no-such-table"})
    assert (missing.status, missing.kind) == (400, MODELLED + NOT_FOUND)
    failed = wire.call("PutItem", {
        "TableName": table, "Item": key, "ConditionExpression": "attribute_exists(pk)"})
    assert (failed.status, failed.kind) == (400, MODELLED + "ConditionalCheckFailedException")
    assert failed.json["message"] == "The conditional request failed"
    invalid = wire.call("GetItem", {"TableName": table, "Key": {}})
    assert (invalid.status, invalid.kind) == (400, VALIDATE + VALIDATION)
    assert invalid.json["message"]
    unknown = wire.call("Nonsense", "{}")
    assert (unknown.status, unknown.kind) == (400, SERVICE + UNKNOWN)
    again = wire.call("CreateTable", {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    })
    assert (again.status, again.kind) == (400, MODELLED + "ResourceInUseException")


def test_a_canceled_transaction_tells_its_reasons(wire, server, table):
    key = {"pk": {"S": server.unique()}}
    check = {"TableName": table, "Key": key, "ConditionExpression": "attribute_exists(pk)"}
    answer = wire.call("TransactWriteItems", {"TransactItems": [{"ConditionCheck": check}]})
    assert (answer.status, answer.kind) == (400, MODELLED + "TransactionCanceledException")
    assert answer.json["CancellationReasons"] == [
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    ]
    assert answer.message.endswith("specific reasons [ConditionalCheckFailed]")


def test_a_token_stands_for_its_call_in_whatever_order_members_come(wire, server, table):
    key = server.unique()
    orders = [f'"a":{{"N":"1"}},"pk":{{"S":"{key}"}}', f'"pk":{{"S":"{key}"}},"a":{{"N":"1"}}']
    for item in orders:
        body = (
            f'{{"ClientRequestToken":"{key}","TransactItems":[{{"Put":{{"TableName":"{table}",'
            f'"Item":{{{item}}}}}}}]}}'
        )
        assert wire.call("TransactWriteItems", body).status == 200


# The order of checks: of two things that are wrong, the earlier one is told.

WRONG = {
    "syntax": ("Syntax error", {"ConditionExpression": "a ="}),
    "unused": ("unused in expressions", {
        "ConditionExpression": "attribute_exists(a)", "ExpressionAttributeNames": {"#x": "x"}}),
    "mixed": ("Can not use both", {
        "ConditionExpression": "a =", "Expected": {"a": {"Value": {"N": "1"}}}}),
    "enum": ("returnValues", {"ReturnValues": "nonsense"}),
    "returns": ("ALL_OLD or NONE", {"ReturnValues": "ALL_NEW"}),
    "value": ("Supplied AttributeValue is empty", {"Item": {"pk": {}}}),
    "table": ("Requested resource not found", {"TableName": "no-such-table"}),
    "key": ("Missing the key", {"Item": {"a": {"S": "x"}}}),
}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("enum", "syntax"),
        ("enum", "mixed"),
        ("enum", "value"),
        ("enum", "table"),
        ("enum", "key"),
        ("returns", "table"),
        ("mixed", "table"),
        ("syntax", "table"),
        ("syntax", "key"),
        ("unused", "table"),
        ("unused", "key"),
        ("value", "table"),
        ("table", "key"),
    ],
)
def test_of_two_faults_the_earlier_is_told(wire, table, first, second):
    wanted, one = WRONG[first]
    body = {"TableName": table, "Item": {"pk": {"S": "x"}}} | WRONG[second][1] | one
    answer = wire.call("PutItem", body)
    assert answer.status == 400
    assert wanted in answer.message


def test_the_key_is_checked_before_the_condition(wire, table):
    body = {
        "TableName": table,
        "Key": {"pk": {"N": "1"}},
        "ConditionExpression": "attribute_exists(pk)",
    }
    assert "key element" in wire.call("DeleteItem", body).message


def test_all_broken_constraints_are_told_in_one_message(wire, table):
    body = {
        "TableName": "a b",
        "ReturnValues": "A",
        "ReturnConsumedCapacity": "B",
        "ReturnItemCollectionMetrics": "C",
        "ReturnValuesOnConditionCheckFailure": "D",
        "ConditionalOperator": "E",
    }
    message = wire.call("PutItem", body).message
    assert message.startswith("7 validation errors detected: ")
    for member in ("tableName", "item", "returnValues", "returnConsumedCapacity",
                   "returnItemCollectionMetrics", "returnValuesOnConditionCheckFailure",
                   "conditionalOperator"):
        assert f"'{member}'" in message, message


# Compression.


def test_a_compressed_request_is_read(wire, table):
    body = gzip.compress(json.dumps({"TableName": table}).encode())
    assert wire.call("DescribeTable", body, content_encoding="gzip").status == 200


def test_a_request_that_claims_to_be_compressed_is_refused(wire):
    answer = wire.call("DescribeTable", "{}", content_encoding="gzip")
    assert 400 <= answer.status < 500


def test_a_large_answer_is_compressed_if_the_caller_reads_that(wire, server, table):
    key = {"pk": {"S": server.unique()}}
    item = {**key, "v": {"S": "x" * 100_000}}
    assert wire.call("PutItem", {"TableName": table, "Item": item}).status == 200
    get = {"TableName": table, "Key": key}
    plain = wire.call("GetItem", get)
    assert plain.headers.get("content-encoding") is None and plain.json == {"Item": item}
    small = wire.call("GetItem", get, accept_encoding="gzip")
    assert small.headers.get("content-encoding") == "gzip" and small.json == {"Item": item}
    assert len(small.sent) < 2000
    check_headers(small)


def test_a_bomb_is_not_unpacked(wire):
    body = gzip.compress(b'{"TableName":"' + b" " * (64 << 20) + b'"}')
    answer = wire.call("DescribeTable", body, content_encoding="gzip")
    assert answer.status in (400, 413)


# Connections.


def test_get_tells_that_it_is_healthy(wire):
    answer = wire.ask("GET")
    assert answer.status == 200
    assert answer.body == b"healthy: dynamodb.us-east-1.amazonaws.com "


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_no_operations(wire, method):
    answer = wire.ask(method, headers={"authorization": SIGNED})
    assert answer.status == 404 and UNKNOWN in answer.body.decode()


def test_a_connection_is_kept_through_successes_and_refusals(server, table):
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    headers = {"content-type": JSON_1_0, "authorization": SIGNED}
    with contextlib.closing(connection):
        for operation, body in [
            ("DescribeTable", json.dumps({"TableName": table})),
            ("DescribeTable", "{"),
            ("Nonsense", "{}"),
            ("DescribeTable", json.dumps({"TableName": "no-such-table"})),
            ("ListTables", "{}"),
        ]:
            target = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
            connection.request("POST", "/", body, headers | target)
            first = connection.sock
            answer = connection.getresponse()
            answer.read()
            assert not answer.will_close and connection.sock is first


def exchange(server, sent, count):
    """Sends bytes and returns what comes back until there are `count` answers' status lines."""
    got = b""
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(sent)
        while got.count(b"HTTP/1.1 ") < count:
            piece = connection.recv(65536)
            if not piece:
                break
            got += piece
    return got


def request(table, *more):
    body = json.dumps({"TableName": table})
    lines = [
        "POST / HTTP/1.1", "host: localhost", f"content-type: {JSON_1_0}",
        "x-amz-target: DynamoDB_20120810.DescribeTable", f"authorization: {SIGNED}", *more,
    ]
    return "\r\n".join(lines).encode(), body.encode()


def test_requests_may_be_sent_before_answers_are_read(server, table):
    head, body = request(table)
    sent = head + f"\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    assert exchange(server, sent * 3, 3).count(b"HTTP/1.1 200") == 3


def test_a_body_may_come_in_chunks(server, table):
    head, body = request(table, "transfer-encoding: chunked")
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, body[at : at + 1]) for at in range(len(body)))
    got = exchange(server, head + b"\r\n\r\n" + chunks + b"0\r\n\r\n", 1)
    assert got.startswith(b"HTTP/1.1 200")


def test_a_body_of_more_than_sixteen_mebibytes_is_refused(wire):
    answer = None
    with contextlib.suppress(ConnectionError):
        answer = wire.call("PutItem", b" " * ((16 << 20) + 1))
    # Who hangs up while it is being sent has refused it too, and serves on.
    assert answer is None or answer.status == 413
    assert wire.call("ListTables", {}).status == 200
