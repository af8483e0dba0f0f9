"""TransactWriteItems and TransactGetItems."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from case import CANCELED, NOT_FOUND, Case, N, Raw, call, get, is_gone, is_now, me, on_table, put
from case import suite

NONE = {"Code": "None"}
FAILED = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}


def write(*actions, **more):
    return call("TransactWriteItems", TransactItems=list(actions), **more)


def action(kind, given, more):
    full = on_table("", more, **given).parameters
    return {kind: full}


def puts(item=None, **more):
    return action("Put", {"Item": me(**(item or {}))}, more)


def deletes(key=None, **more):
    return action("Delete", {"Key": me(**(key or {}))}, more)


def updates(expression, key=None, **more):
    return action("Update", {"Key": me(**(key or {})), "UpdateExpression": expression}, more)


def checks(cond, key=None, **more):
    return action("ConditionCheck", {"Key": me(**(key or {})), "ConditionExpression": cond}, more)


def read(*gets, **more):
    return call("TransactGetItems", TransactItems=[{"Get": get} for get in gets], **more)


def reads(key=None, **more):
    return on_table("", more, Key=me(**(key or {}))).parameters


def of(sk, **more):
    return {"sk": sk, **more}


def there(sk, **attributes):
    return get({"sk": sk}).gives(Item=me(sk=sk, **attributes))


def absent(sk):
    return get({"sk": sk}).lacks("Item")


test_writes = suite(
    Case("a put", write(puts({"a": 1})).exactly(), is_now(a=1)),
    Case("a delete", put(), write(deletes()).exactly(), is_gone()),
    Case("an update", put({"a": 1}), write(updates("SET a = a + :v", values={"v": 1})),
         is_now(a=2)),
    Case("an update makes an item", write(updates("SET a = :v", values={"v": 1})), is_now(a=1)),
    Case("a check that holds", put({"a": 1}), write(checks("a = :v", values={"v": 1})).exactly(),
         is_now(a=1)),
    Case("all four", put(of(1)), put(of(2, a=1)), put(of(3)),
         write(puts(of(0, a=1)), deletes(of(1)), updates("SET a = :v", of(2), values={"v": 5}),
               checks("attribute_exists(pk)", of(3))),
         there(0, a=1), absent(1), there(2, a=5), there(3), table="numbers"),
    Case("two tables", write(puts({"a": 1}), puts({"sk": 1}, TableName="@numbers")), is_now(a=1),
         get({"sk": 1}, TableName="@numbers").gives(Item=me(sk=1))),
    Case("100 actions", write(*[puts(of(at)) for at in range(100)]).exactly(), there(0), there(99),
         table="numbers"),
    Case("101 actions", write(*[puts(of(at)) for at in range(101)])
         .invalid("transactItems", "less than or equal to 100"), absent(0), table="numbers"),
    Case("no action", call("TransactWriteItems", TransactItems=[])
         .invalid("transactItems", "greater than or equal to 1")),
    Case("no TransactItems", call("TransactWriteItems").invalid("transactItems", "null")),
    Case("one item twice", write(puts({"a": 1}), deletes())
         .invalid("Transaction request cannot include multiple operations on one item"), is_gone()),
    Case("a check beside a put of one item",
         write(puts({"a": 1}), checks("attribute_exists(pk)"))
         .invalid("multiple operations on one item")),
    Case("an action of two kinds", write({**puts({"a": 1}), **deletes()}).invalid()),
    Case("an action of no kind", write({}).invalid()),
    Case("a check without a condition", write({"ConditionCheck": {"TableName": "@", "Key": me()}})
         .invalid("conditionExpression|null|empty")),
    Case("an update without an expression", write({"Update": {"TableName": "@", "Key": me()}})
         .invalid("updateExpression|null|empty")),
    Case("a put without an item", write({"Put": {"TableName": "@"}}).invalid("item")),
    Case("a delete without a key", write({"Delete": {"TableName": "@"}}).invalid("key")),
    Case("an action without a table", write({"Delete": {"Key": me()}}).invalid("tableName")),
    Case("a table that is not there", write(puts({"a": 1}, TableName="no-such-table"))
         .refused(NOT_FOUND)),
    Case("one table of two is not there",
         write(puts({"a": 1}), puts({"sk": 1}, TableName="no-such-table")).refused(NOT_FOUND),
         is_gone()),
    Case("an empty set", write(puts({"a": Raw({"SS": []})})).invalid("empty"), is_gone()),
    Case("a bad number", write(puts({"a": N("x")})).invalid("numeric value")),
    Case("a syntax error in a condition", write(puts({"a": 1}, cond="a ="))
         .invalid("Invalid ConditionExpression"), is_gone()),
    Case("a syntax error in an update", write(updates("SET a ="))
         .invalid("Invalid UpdateExpression"), is_gone()),
    Case("an unused value", write(puts({"a": 1}, cond="attribute_not_exists(pk)", values={"v": 1}))
         .invalid("unused in expressions")),
    Case("an update of the key", write(updates("SET pk = :v", values={"v": "x"}))
         .refused(CANCELED, r"\[ValidationError\]"), is_gone()),
    Case("a blank in a table's name", write(puts({}, TableName="a b")).invalid()),
    Case("an unknown ReturnConsumedCapacity", write(puts(), capacity="ALL")
         .invalid("returnConsumedCapacity")),
    Case("a token that is too long", write(puts(), ClientRequestToken="x" * 37)
         .invalid("clientRequestToken", "less than or equal to 36")),
    Case("a token of 36 characters", write(puts(), ClientRequestToken=str(uuid.uuid4()))),
    Case("a token that is empty", write(puts(), ClientRequestToken="").invalid("clientRequestToken",
         "greater than or equal to 1")),
)


def canceled(*reasons, **more):
    return {"CancellationReasons": list(reasons), **more}


test_cancellations = suite(
    Case("a failed condition", put({"a": 1}),
         write(puts({"a": 2}, cond="a = :v", values={"v": 2}))
         .refused(CANCELED, r"specific reasons \[ConditionalCheckFailed\]", **canceled(FAILED)),
         is_now(a=1)),
    Case("a failed condition stops the others", put(of(2, a=1)),
         write(puts(of(1)), updates("SET a = :v", of(2), cond="a = :w", values={"v": 5, "w": 9}),
               deletes(of(3)))
         .refused(CANCELED, r"\[None, ConditionalCheckFailed, None\]",
                  **canceled(NONE, FAILED, NONE)),
         absent(1), there(2, a=1), table="numbers"),
    Case("a failed check", write(puts(of(1)), checks("attribute_exists(pk)", of(2)))
         .refused(CANCELED, r"\[None, ConditionalCheckFailed\]", **canceled(NONE, FAILED)),
         absent(1), table="numbers"),
    Case("two failed conditions", put(of(1)), put(of(2)),
         write(puts(of(1), cond="attribute_not_exists(pk)"),
               puts(of(2), cond="attribute_not_exists(pk)"))
         .refused(CANCELED, r"\[ConditionalCheckFailed, ConditionalCheckFailed\]",
                  **canceled(FAILED, FAILED)), table="numbers"),
    Case("a failed condition with its item", put({"a": 1}),
         write(puts({"a": 2}, cond="a = :v", values={"v": 2}, on_failure="ALL_OLD"))
         .refused(CANCELED, CancellationReasons=[{**FAILED, "Item": me(a=1)}])),
    Case("a failed condition of a delete", put({"a": 1}),
         write(deletes(cond="a = :v", values={"v": 2}, on_failure="ALL_OLD"))
         .refused(CANCELED, CancellationReasons=[{**FAILED, "Item": me(a=1)}]), is_now(a=1)),
    Case("a failed check with its item", put({"a": 1}),
         write(checks("a = :v", values={"v": 2}, on_failure="ALL_OLD"))
         .refused(CANCELED, CancellationReasons=[{**FAILED, "Item": me(a=1)}])),
    Case("a failed update without its item", put({"a": 1}),
         write(updates("SET a = :v", cond="a = :v", values={"v": 2}))
         .refused(CANCELED, **canceled(FAILED))),
    Case("an update of a type that does not fit", put({"a": "x"}),
         write(updates("SET a = a + :v", values={"v": 1}))
         .refused(CANCELED, r"\[ValidationError\]"), is_now(a="x")),
    Case("an update of a path that is not there",
         write(updates("SET m.a = :v", values={"v": 1}))
         .refused(CANCELED, r"\[ValidationError\]"), is_gone()),
    Case("a put of an item without its sort key",
         write(puts(of(1)), action("Put", {"Item": me()}, {}))
         .refused(CANCELED, r"\[None, ValidationError\]"), absent(1), table="numbers"),
    Case("only the first key that does not fit is told",
         write(puts({"sk": "a"}), puts({"sk": "b"}), checks("attribute_exists(pk)", of(3)))
         .refused(CANCELED, r"\[ValidationError, None, None\]"), table="numbers"),
    Case("a delete by a key of too many attributes",
         write(deletes({"a": 1})).refused(CANCELED, r"\[ValidationError\]")),
    Case("a put of a key of the wrong type",
         write({"Put": {"TableName": "@", "Item": {"pk": 1}}})
         .refused(CANCELED, r"\[ValidationError\]")),
    Case("conditions are judged by the items before", put(of(1, a=1)),
         write(updates("SET a = :v", of(1), values={"v": 2}),
               checks("attribute_not_exists(pk)", of(2))), there(1, a=2), table="numbers"),
)

test_reads = suite(
    Case("an item", put({"a": 1}), read(reads()).exactly(Responses=[{"Item": me(a=1)}])),
    Case("no item", read(reads()).exactly(Responses=[{}])),
    Case("several in their order", put(of(1)), put(of(3)),
         read(reads(of(3)), reads(of(2)), reads(of(1)))
         .exactly(Responses=[{"Item": me(sk=3)}, {}, {"Item": me(sk=1)}]), table="numbers"),
    Case("two tables at once", put({"a": 1}), read(reads(), reads({"sk": 1}, TableName="@numbers"))
         .exactly(Responses=[{"Item": me(a=1)}, {}])),
    Case("a projection", put({"a": 1, "b": 2}),
         read(reads(project="b")).exactly(Responses=[{"Item": {"b": 2}}])),
    Case("a projection by name", put({"a": 1, "size": 2}),
         read(reads(project="#s", names={"s": "size"})).exactly(Responses=[{"Item": {"size": 2}}])),
    Case("a bad projection", read(reads(project="a,")).invalid("Invalid ProjectionExpression")),
    Case("100 reads", read(*[reads(of(at)) for at in range(100)])
         .exactly(Responses=[{}] * 100), table="numbers"),
    Case("101 reads", read(*[reads(of(at)) for at in range(101)])
         .invalid("transactItems", "less than or equal to 100"), table="numbers"),
    Case("no reads", call("TransactGetItems", TransactItems=[]).invalid("transactItems")),
    Case("no items to read", call("TransactGetItems").invalid("transactItems", "null")),
    Case("a read of nothing", call("TransactGetItems", TransactItems=[{}]).invalid("get")),
    Case("one item read twice", read(reads(), reads()).invalid("multiple operations on one item")),
    Case("a key of the wrong type",
         read({"TableName": "@", "Key": {"pk": 1}}).refused(CANCELED, r"\[ValidationError\]")),
    Case("a key of too many attributes",
         read(reads({"a": 1})).refused(CANCELED, r"\[ValidationError\]")),
    Case("a table to read that is not there",
         read(reads(TableName="no-such-table")).refused(NOT_FOUND)),
    Case("a key of no type", read({"TableName": "@", "Key": {"pk": Raw({})}}).invalid("empty|"
         "must contain exactly one")),
)


@pytest.fixture
def counter(server):
    """A table, a key, and a transaction that adds one to it under a token."""
    table, key = server.table("hash"), {"pk": {"S": server.unique()}}

    def add(token, amount="1", **more):
        update = {
            "TableName": table,
            "Key": key,
            "UpdateExpression": "ADD n :v",
            "ExpressionAttributeValues": {":v": {"N": amount}},
        }
        return server.client.transact_write_items(
            TransactItems=[{"Update": update}], ClientRequestToken=token, **more
        )

    def now():
        reply = server.client.get_item(TableName=table, Key=key, ConsistentRead=True)
        return reply["Item"]["n"]["N"]

    return add, now


def test_the_same_call_under_one_token_is_done_once(counter):
    add, now = counter
    token = str(uuid.uuid4())
    for _ in range(3):
        add(token)
    assert now() == "1"


def test_another_token_is_another_call(counter):
    add, now = counter
    add(str(uuid.uuid4()))
    add(str(uuid.uuid4()))
    assert now() == "2"


def test_a_token_does_not_stand_for_another_call(server, counter):
    add, now = counter
    token = str(uuid.uuid4())
    add(token)
    with pytest.raises(server.client.exceptions.IdempotentParameterMismatchException):
        add(token, amount="5")
    assert now() == "1"


def test_a_call_repeated_under_its_token_is_billed_as_reads(server, counter):
    add, _ = counter
    token = str(uuid.uuid4())
    first = add(token, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"][0]
    again = add(token, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"][0]
    assert (first["CapacityUnits"], first["WriteCapacityUnits"]) == (2.0, 2.0)
    assert (again["CapacityUnits"], again["ReadCapacityUnits"]) == (2.0, 2.0)


def test_a_canceled_call_may_be_repeated_under_its_token(server):
    table, key = server.table("hash"), {"pk": {"S": server.unique()}}
    request = {
        "ClientRequestToken": str(uuid.uuid4()),
        "TransactItems": [{"Put": {
            "TableName": table,
            "Item": {**key, "a": {"N": "2"}},
            "ConditionExpression": "attribute_exists(pk)",
        }}],
    }
    with pytest.raises(server.client.exceptions.TransactionCanceledException):
        server.client.transact_write_items(**request)
    server.client.put_item(TableName=table, Item=key)
    server.client.transact_write_items(**request)
    item = server.client.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    assert item["a"] == {"N": "2"}


def test_a_transaction_holds_four_mebibytes(server):
    table, pk = server.table("numbers"), {"S": server.unique()}

    def puts(count):
        return [{"Put": {"TableName": table, "Item": {
            "pk": pk, "sk": {"N": str(at)}, "v": {"S": "x" * 390_000}}}} for at in range(count)]

    server.client.transact_write_items(TransactItems=puts(10))
    with pytest.raises(server.client.exceptions.ClientError) as refused:
        server.client.transact_write_items(TransactItems=puts(11))
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_transactions_on_one_item_leave_no_write_out(server):
    # Whoever meets a conflict is told so and tries again; nobody's sum is lost.
    table = server.table("numbers")
    pk = {"S": server.unique()}

    def add(at):
        actions = [{"Update": {
            "TableName": table,
            "Key": {"pk": pk, "sk": {"N": str(sk)}},
            "UpdateExpression": "ADD n :v",
            "ExpressionAttributeValues": {":v": {"N": "1"}},
        }} for sk in ((0, 1) if at % 2 else (1, 0))]
        for _ in range(200):
            try:
                return server.client.transact_write_items(TransactItems=actions)
            except server.client.exceptions.TransactionCanceledException as error:
                reasons = error.response["CancellationReasons"]
                assert {one["Code"] for one in reasons} <= {"None", "TransactionConflict"}
        raise AssertionError("it met a conflict each time")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(24)))
    items = server.client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": pk},
        ConsistentRead=True,
    )["Items"]
    assert [item["n"] for item in items] == [{"N": "24"}, {"N": "24"}]
