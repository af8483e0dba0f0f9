"""Cases as data: calls, and what each must answer.

A case reads like the calls it makes. `"$…"` stands for a key that no other case has, `"@"` for
the case's table; plain values stand for attribute values (`av`), unless `Raw` says otherwise.
Errors are matched by code and by a pattern of the message: wordings differ between AWS's regions.
"""

import decimal
import pprint
import re

import botocore.exceptions
import pytest

VALIDATION = "ValidationException"
SERIALIZATION = "SerializationException"
CONDITION = "ConditionalCheckFailedException"
CANCELED = "TransactionCanceledException"
NOT_FOUND = "ResourceNotFoundException"
IN_USE = "ResourceInUseException"

# Members that hold an item, and those that hold a list of items.
ITEMS = {
    "Item",
    "Key",
    "Attributes",
    "ExclusiveStartKey",
    "LastEvaluatedKey",
    "ExpressionAttributeValues",
    "ItemCollectionKey",
}
LISTS = {"Items", "Keys"}


class Raw:
    """Something that reaches the wire as it is."""

    def __init__(self, value):
        self.value = value


def N(text):
    """A number as this text, which Python might write otherwise."""
    return Raw({"N": text})


def av(value):
    """Returns an attribute value for a plain value."""
    match value:
        case Raw():
            return value.value
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | decimal.Decimal():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case list():
            return {"L": [av(one) for one in value]}
        case dict():
            return {"M": {name: av(one) for name, one in value.items()}}
        case set() | frozenset():
            one = next(iter(value))
            kind = "SS" if isinstance(one, str) else "BS" if isinstance(one, bytes) else "NS"
            return {kind: [str(one) if kind == "NS" else one for one in sorted(value)]}
    raise TypeError(f"no attribute value: {value!r}")


def wire(name, value):
    """Returns a member of a request or reply with attribute values for plain ones."""
    if isinstance(value, Raw):
        return value.value
    if name in ITEMS and isinstance(value, dict):
        return {key: av(one) for key, one in value.items()}
    if name in LISTS and isinstance(value, list):
        return [wire("Item", one) for one in value]
    if name == "AttributeValueList":
        return [av(one) for one in value]
    if name in ("Expected", "AttributeUpdates"):
        return {key: wire("Test", one) for key, one in value.items()}
    if name == "Test":
        return {key: av(one) if key == "Value" else wire(key, one) for key, one in value.items()}
    if name == "Responses" and isinstance(value, dict):
        return {key: wire("Items", one) for key, one in value.items()}
    if isinstance(value, dict):
        return {key: wire(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return [wire("", one) for one in value]
    return value


# What steps call their parameters for short.
SHORT = {
    "cond": "ConditionExpression",
    "filter": "FilterExpression",
    "where": "KeyConditionExpression",
    "project": "ProjectionExpression",
    "returns": "ReturnValues",
    "on_failure": "ReturnValuesOnConditionCheckFailure",
    "capacity": "ReturnConsumedCapacity",
    "metrics": "ReturnItemCollectionMetrics",
    "consistent": "ConsistentRead",
    "limit": "Limit",
    "start": "ExclusiveStartKey",
    "forward": "ScanIndexForward",
    "select": "Select",
    "expected": "Expected",
    "joined": "ConditionalOperator",
    "attributes": "AttributesToGet",
    "updates": "AttributeUpdates",
}


def members(more):
    """Returns parameters by their full names."""
    full = {}
    for name, value in more.items():
        if name == "values":
            full["ExpressionAttributeValues"] = {f":{key}": one for key, one in value.items()}
        elif name == "names":
            full["ExpressionAttributeNames"] = {f"#{key}": one for key, one in value.items()}
        else:
            full[SHORT.get(name, name)] = value
    return full


def me(**attributes):
    """An item of this case: its partition key is there by itself."""
    return {"pk": "$", **attributes}


class Step:
    """One call and what it must answer; by itself it must succeed."""

    def __init__(self, operation, parameters, *, unordered=False):
        self.operation = operation
        self.parameters = parameters
        self.unordered = unordered
        self.wanted = {}
        self.absent = ()
        self.refusal = None
        self.whole = False

    def gives(self, **wanted):
        """The reply has these members."""
        self.wanted |= wanted
        return self

    def exactly(self, **wanted):
        """The reply has these members and no more."""
        self.whole = True
        return self.gives(**wanted)

    def lacks(self, *names):
        """The reply has none of these members."""
        self.absent += names
        return self

    def refused(self, code, *patterns, **wanted):
        """The call is refused: the code, patterns that the message matches, further members."""
        self.refusal = (code, patterns)
        return self.gives(**wanted)

    def invalid(self, *patterns):
        return self.refused(VALIDATION, *patterns)

    def run(self, server, fill):
        parameters = wire("", fill(self.parameters))
        reply = server.call(self.operation, parameters)
        if isinstance(reply, botocore.exceptions.ClientError):
            told = reply.response["Error"]
            assert self.refusal, f"{self.operation}: {told['Code']}: {told.get('Message')}"
            code, patterns = self.refusal
            assert told["Code"] == code, told.get("Message")
            # Another server words its refusals otherwise; what it refuses with is the same.
            for pattern in () if server.is_peer else patterns:
                message = told.get("Message", "")
                assert re.search(fill(pattern), message, re.IGNORECASE), message
            reply = reply.response
        else:
            assert self.refusal is None, f"{self.operation} was done: {reply}"
        for name, wanted in wire("", fill(self.wanted)).items():
            got = same(reply.get(name), self.unordered)
            assert got == same(wanted, self.unordered), f"{self.operation}: {name}"
        for name in self.absent:
            assert name not in reply, f"{self.operation}: {name} is {reply[name]}"
        if self.whole:
            assert set(reply) - {"ResponseMetadata"} == set(self.wanted), self.operation


def same(value, unordered):
    """Returns a value so that equal ones compare equal: sets sorted, and lists without order."""
    if isinstance(value, dict):
        return {
            name: sorted(one) if name in ("SS", "NS", "BS") else same(one, unordered)
            for name, one in value.items()
        }
    if isinstance(value, list):
        alike = [same(one, unordered) for one in value]
        # Sorted by a text that does not tell in which order members came.
        return sorted(alike, key=pprint.pformat) if unordered else alike
    return value


class Case:
    """Steps in order, on one table and one key of their own."""

    def __init__(self, name, *steps, table="hash"):
        self.name = name
        self.steps = steps
        self.shape = table

    def run(self, server):
        if isinstance(self.shape, str):
            table = server.table(self.shape)
        else:
            table = server.make(self.shape)
        key = server.unique()

        def fill(value):
            match value:
                case str() if value.startswith("$"):
                    return key + value[1:]
                case "@":
                    return table
                case str() if value[:1] == "@" and value[1:] in KNOWN:
                    return server.table(value[1:])
                case str():
                    return value.replace("{table}", table)
                case dict():
                    return {fill(name): fill(one) for name, one in value.items()}
                case list() | tuple():
                    return [fill(one) for one in value]
                case Raw():
                    return Raw(fill(value.value))
            return value

        for step in self.steps:
            step.run(server, fill)


KNOWN = {"hash", "range", "numbers", "bytes", "by-number", "by-bytes"}


def suite(*cases):
    """Returns a test of each case."""
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"names stand for one case each: {twice}"

    def test(server, case):
        case.run(server)

    return pytest.mark.parametrize("case", [parameter(case) for case in cases])(test)


def parameter(case):
    name = re.sub(r"[^a-z0-9]+", "-", case.name.lower()).strip("-")
    return pytest.param(case, id=name)


# Steps.


def call(operation, **more):
    """A call as it stands."""
    return Step(operation, members(more))


def on_table(operation, more, **given):
    return Step(operation, {"TableName": "@", **given, **members(more)})


def put(item=None, **more):
    """A PutItem of this case's item."""
    return on_table("PutItem", more, Item=me(**(item or {})))


def get(key=None, **more):
    return on_table("GetItem", {"consistent": True, **more}, Key=me(**(key or {})))


def delete(key=None, **more):
    return on_table("DeleteItem", more, Key=me(**(key or {})))


def update(expression=None, key=None, **more):
    given = {"UpdateExpression": expression} if expression is not None else {}
    return on_table("UpdateItem", more, Key=me(**(key or {})), **given)


def query(where=None, **more):
    given = {"KeyConditionExpression": where} if where is not None else {}
    return on_table("Query", more, **given)


def mine(more_where="", **more):
    """A Query of this case's partition."""
    values = {"pk": "$", **more.pop("values", {})}
    return query(f"pk = :pk{more_where}", values=values, **more)


def scan(**more):
    step = on_table("Scan", more)
    step.unordered = True
    return step


def is_now(**attributes):
    """The item of this case is this now."""
    return get().gives(Item=me(**attributes))


def is_gone():
    return get().lacks("Item")
