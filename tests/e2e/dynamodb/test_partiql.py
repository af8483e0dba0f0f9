"""PartiQL as boto3 uses it: one statement, a batch of them, a transaction of them."""

import botocore.exceptions
import pytest

HASH, RANGE = "partiql-hash", "partiql-range"
REFUSED = "Transaction cancelled, please refer cancellation reasons for specific reasons"


def text(value):
    return {"S": value}


def number(value):
    return {"N": str(value)}


@pytest.fixture(scope="module")
def client(single):
    client = single.client("dynamodb")
    kinds = {"pk": "S", "sk": "N", "g": "S", "l": "N"}

    def make(table, keys, *, of_indexes=(), **more):
        client.create_table(
            TableName=table,
            KeySchema=schema(keys),
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kinds[name]}
                for name in (*keys, *of_indexes)
            ],
            BillingMode="PAY_PER_REQUEST",
            **more,
        )
        soon = {"Delay": 1, "MaxAttempts": 30}
        client.get_waiter("table_exists").wait(TableName=table, WaiterConfig=soon)

    def schema(keys):
        return [{"AttributeName": name, "KeyType": role} for name, role in keys.items()]

    def index(name, keys):
        projection = {"ProjectionType": "KEYS_ONLY"}
        return {"IndexName": name, "KeySchema": schema(keys), "Projection": projection}

    make(HASH, {"pk": "HASH"})
    make(
        RANGE,
        {"pk": "HASH", "sk": "RANGE"},
        of_indexes=("g", "l"),
        GlobalSecondaryIndexes=[index("by-g", {"g": "HASH"})],
        LocalSecondaryIndexes=[index("by-l", {"pk": "HASH", "l": "RANGE"})],
    )
    for at in range(6):
        item = {"sk": number(at), "v": number(at % 2), "m": {"M": {"x": number(at)}}}
        more = {"g": text(f"g{at % 2}"), "l": number(9 - at)}
        client.put_item(TableName=RANGE, Item={"pk": text("a"), **item, **more})
        client.put_item(TableName=RANGE, Item={"pk": text("b"), **item})
    return client


def run(client, statement, *parameters, **more):
    more |= {"Parameters": list(parameters)} if parameters else {}
    statement = statement.replace("HASH", f'"{HASH}"').replace("RANGE", f'"{RANGE}"')
    return client.execute_statement(Statement=statement, **more)


def refused(call, *arguments, **more):
    """Makes a call that must be refused; returns the whole error."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*arguments, **more)
    return caught.value.response


# Reads.


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("WHERE pk = 'a'", "a0 a1 a2 a3 a4 a5"),
        ("WHERE pk = 'a' AND sk = 3", "a3"),
        ("WHERE pk = 'a' AND sk = 99", ""),
        ("WHERE pk = 'a' AND sk < 2", "a0 a1"),
        ("WHERE pk = 'a' AND sk <= 2", "a0 a1 a2"),
        ("WHERE pk = 'a' AND sk > 3", "a4 a5"),
        ("WHERE pk = 'a' AND sk >= 3", "a3 a4 a5"),
        ("WHERE pk = 'a' AND sk BETWEEN 2 AND 3", "a2 a3"),
        ("WHERE pk = 'a' AND sk IN [4, 2, 99]", "a2 a4"),
        ("WHERE pk = 'a' AND v = 1", "a1 a3 a5"),
        ("WHERE pk = 'a' AND v <> 1", "a0 a2 a4"),
        ("WHERE pk = 'a' AND NOT v = 1", "a0 a2 a4"),
        ("WHERE pk = 'a' AND m.x = 4", "a4"),
        ("WHERE pk = 'a' AND (m.x = 4 OR m.x = 5)", "a4 a5"),
        ("WHERE pk = 'a' AND nope IS MISSING AND sk < 1", "a0"),
        ("WHERE pk = 'a' AND v IS NOT MISSING AND sk < 1", "a0"),
        ("WHERE pk = 'a' AND attribute_type(v, 'N') AND sk < 1", "a0"),
        ("WHERE pk = 'a' ORDER BY sk DESC", "a5 a4 a3 a2 a1 a0"),
        ("WHERE pk IN ['b', 'a'] AND sk = 1", "a1 b1"),
        ("WHERE pk IN ['a', 'b'] AND sk < 1 ORDER BY pk DESC", "b0 a0"),
        ("WHERE pk = 'a' AND sk = 1 OR pk = 'b' AND sk = 2", "a1 b2"),
        ("WHERE begins_with(pk, 'b') AND sk = 5", "b5"),
        ("WHERE contains(pk, 'b') AND sk > 4", "b5"),
        ("WHERE pk = 'nobody'", ""),
    ],
)
def test_a_select_finds(client, where, found):
    items = run(client, f"SELECT pk, sk FROM RANGE {where}")["Items"]
    names = [item["pk"]["S"] + item["sk"]["N"] for item in items]
    assert " ".join(names) == found


@pytest.mark.parametrize(
    ("listed", "item"),
    [
        ("v", {"v": number(1)}),
        ("m.x", {"x": number(1)}),
        ("pk, v", {"pk": text("a"), "v": number(1)}),
        ("nope", {}),
    ],
)
def test_a_select_lists(client, listed, item):
    reply = run(client, f"SELECT {listed} FROM RANGE WHERE pk = 'a' AND sk = 1")
    assert reply["Items"] == [item]


@pytest.mark.parametrize(
    ("statement", "sorts"),
    [
        ('SELECT sk FROM RANGE."by-g" WHERE g = \'g0\'', [0, 2, 4]),
        ('SELECT sk FROM RANGE."by-g" WHERE g = \'g1\' AND sk > 1', [3, 5]),
        ('SELECT sk FROM RANGE."by-l" WHERE pk = \'a\' AND l < 6', [5, 4]),
        ('SELECT sk FROM RANGE."by-l" WHERE pk = \'a\' AND v = 1 ORDER BY l', [5, 3, 1]),
    ],
)
def test_an_index_is_read_by_its_own_key(client, statement, sorts):
    items = run(client, statement)["Items"]
    assert [int(item["sk"]["N"]) for item in items] == sorts


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 11, 12, 13])
@pytest.mark.parametrize(
    "statement", ["SELECT * FROM RANGE", "SELECT * FROM RANGE WHERE pk IN ['a', 'b']"]
)
def test_pages_have_each_item_once(client, statement, limit):
    found, more = [], {}
    while True:
        reply = run(client, statement, Limit=limit, **more)
        assert len(reply["Items"]) <= limit
        found += [item["pk"]["S"] + item["sk"]["N"] for item in reply["Items"]]
        if "NextToken" not in reply:
            break
        more = {"NextToken": reply["NextToken"]}
    assert sorted(found) == sorted(f"{pk}{sk}" for pk in "ab" for sk in range(6))


def test_a_token_belongs_to_its_statement(client):
    token = run(client, "SELECT * FROM RANGE", Limit=1)["NextToken"]
    other = refused(run, client, "SELECT * FROM HASH", NextToken=token)
    assert other["Error"]["Message"] == "NextToken does not match request"
    none = refused(run, client, "SELECT * FROM RANGE", NextToken="none")
    assert none["Error"]["Message"] == "Invalid NextToken"


def test_capacity_is_that_of_the_read(client):
    statement = "SELECT * FROM RANGE WHERE pk = 'a' AND sk = 1"
    more = {"ReturnConsumedCapacity": "TOTAL"}
    assert run(client, statement, **more)["ConsumedCapacity"]["CapacityUnits"] == 0.5
    more["ConsistentRead"] = True
    assert run(client, statement, **more)["ConsumedCapacity"]["CapacityUnits"] == 1.0


# Writes.


def test_an_item_lives_and_dies(client):
    assert run(client, "INSERT INTO HASH VALUE {'pk': 'life', 'v': 1}")["Items"] == []
    again = refused(run, client, "INSERT INTO HASH VALUE {'pk': 'life'}")
    assert again["Error"]["Code"] == "DuplicateItemException"
    assert again["Error"]["Message"] == "Duplicate primary key exists in table"
    changed = run(client, "UPDATE HASH SET v = v + 1 SET w = ? WHERE pk = 'life'", text("x"))
    assert changed["Items"] == []
    gone = run(client, "DELETE FROM HASH WHERE pk = 'life' RETURNING ALL OLD *")["Items"]
    assert gone == [{"pk": text("life"), "v": number(2), "w": text("x")}]
    assert run(client, "SELECT * FROM HASH WHERE pk = 'life'")["Items"] == []


@pytest.mark.parametrize(
    ("returning", "answered"),
    [
        ("ALL OLD", [{"pk": text("back"), "v": number(1)}]),
        ("ALL NEW", [{"pk": text("back"), "v": number(2)}]),
        ("MODIFIED OLD", [{"v": number(1)}]),
        ("MODIFIED NEW", [{"v": number(2)}]),
    ],
)
def test_an_update_returns(client, returning, answered):
    client.put_item(TableName=HASH, Item={"pk": text("back"), "v": number(1)})
    update = f"UPDATE HASH SET v = 2 WHERE pk = 'back' RETURNING {returning} *"
    assert run(client, update)["Items"] == answered


def test_a_failed_condition_shows_the_item_if_asked(client):
    item = {"pk": text("kept"), "v": number(1)}
    client.put_item(TableName=HASH, Item=item)
    statement = "DELETE FROM HASH WHERE pk = 'kept' AND v = 2"
    assert "Item" not in refused(run, client, statement)
    more = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    error = refused(run, client, statement, **more)
    assert error["Error"]["Code"] == "ConditionalCheckFailedException"
    assert error["Item"] == item


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT * FROM RANGE.nope", "The table does not have the specified index: nope"),
        ("SELECT * FROM RANGE WHERE pk = ?", "Number of parameters in request and statement"),
        ("SELECT * FROM RANGE WHERE pk = 1", "Key attribute's data type should match"),
        ("SELECT * FROM RANGE LIMIT 1", "Unsupported clause: LIMIT"),
        ("SELECT * FROM RANGE ORDER BY sk", "Must have WHERE clause in the statement"),
        ("SELECT pk AS p FROM RANGE", "Aliasing is not supported"),
        ("UPDATE RANGE SET v = 1 WHERE pk = 'a'", "Where clause does not contain a mandatory"),
        ("UPDATE RANGE SET sk = 1 WHERE pk = 'a' AND sk = 1", "One or more parameter values"),
        ("UPDATE HASH SET v = foo(1) WHERE pk = 'a'", "Unrecognized function: foo"),
        ("INSERT INTO HASH VALUE {'v': 1}", "Key attribute should be present in the item"),
        ("INSERT INTO HASH VALUE {'pk': ''}", "One or more parameter values are not valid"),
        ("EXISTS(SELECT * FROM HASH WHERE pk = 'a' AND v = 1)", "EXISTS can only be used in"),
        ("SELECT * FROM HASH WHERE", "Statement wasn't well formed, can't be processed"),
    ],
)
def test_what_is_wrong_is_told(client, statement, message):
    error = refused(run, client, statement)["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith(message)


def test_a_table_that_is_not_there_is_not_found(client):
    error = refused(run, client, "SELECT * FROM nobody")["Error"]
    assert error["Code"] == "ResourceNotFoundException"


# Batches and transactions.


def statements(*texts):
    return [{"Statement": text.replace("HASH", f'"{HASH}"')} for text in texts]


def batch(client, *texts):
    return client.batch_execute_statement(Statements=statements(*texts))["Responses"]


def transact(client, *texts, **more):
    return client.execute_transaction(TransactStatements=statements(*texts), **more)


def test_statements_of_a_batch_stand_alone(client):
    client.put_item(TableName=HASH, Item={"pk": text("b1"), "v": number(1)})
    replies = batch(
        client,
        "INSERT INTO HASH VALUE {'pk': 'b1'}",
        "INSERT INTO HASH VALUE {'pk': 'b2'}",
        "UPDATE HASH SET v = 1 WHERE pk = 'b3'",
        "UPDATE nobody SET v = 1 WHERE pk = 'b4'",
        "nonsense",
    )
    codes = [reply.get("Error", {}).get("Code") for reply in replies]
    assert codes == [
        "DuplicateItem",
        None,
        "ConditionalCheckFailed",
        "ResourceNotFound",
        "ValidationError",
    ]
    reads = [f"SELECT v FROM HASH WHERE pk = '{pk}'" for pk in ("b1", "b2", "b3")]
    replies = batch(client, *reads)
    assert [reply.get("Item") for reply in replies] == [{"v": number(1)}, {}, None]
    assert {reply["TableName"] for reply in replies} == {HASH}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ["SELECT * FROM HASH WHERE pk = 'x'", "DELETE FROM HASH WHERE pk = 'y'"],
            "Read and write requests together in the same batch is not supported.",
        ),
        (
            ["DELETE FROM HASH WHERE pk = 'x'"] * 2,
            "Provided list of item keys contains duplicates",
        ),
    ],
)
def test_what_cannot_stand_in_one_batch(client, texts, message):
    assert refused(batch, client, *texts)["Error"]["Message"] == message


def test_a_batch_has_25_statements_at_most(client):
    reads = [f"SELECT * FROM HASH WHERE pk = '{number}'" for number in range(26)]
    assert len(batch(client, *reads[:25])) == 25
    assert refused(batch, client, *reads)["Error"]["Code"] == "ValidationException"


def test_a_transaction_is_whole(client):
    client.put_item(TableName=HASH, Item={"pk": text("t1"), "v": number(1)})
    writes = [
        "EXISTS(SELECT * FROM HASH WHERE pk = 't1' AND v = 1)",
        "INSERT INTO HASH VALUE {'pk': 't2', 'v': 2}",
    ]
    assert transact(client, *writes)["Responses"] == []
    error = refused(transact, client, *writes, "DELETE FROM HASH WHERE pk = 't3'")
    assert error["Error"]["Message"] == f"{REFUSED} [None, DuplicateItem, None]"
    failing = [writes[0].replace("v = 1", "v = 9"), "DELETE FROM HASH WHERE pk = 't2'"]
    error = refused(transact, client, *failing)
    assert [one["Code"] for one in error["CancellationReasons"]] == [
        "ConditionalCheckFailed",
        "None",
    ]
    reads = [f"SELECT v FROM HASH WHERE pk = '{pk}'" for pk in ("t1", "t2", "t3")]
    items = transact(client, *reads)["Responses"]
    assert items == [{"Item": {"v": number(1)}}, {"Item": {"v": number(2)}}, {}]


def test_a_transaction_with_a_token_is_done_once(client):
    client.put_item(TableName=HASH, Item={"pk": text("once"), "v": number(0)})
    for _ in range(3):
        update = "UPDATE HASH SET v = v + 1 WHERE pk = 'once'"
        transact(client, update, ClientRequestToken="partiql-once")
    other = "UPDATE HASH SET v = v + 2 WHERE pk = 'once'"
    error = refused(transact, client, other, ClientRequestToken="partiql-once")
    assert error["Error"]["Code"] == "IdempotentParameterMismatchException"
    assert run(client, "SELECT v FROM HASH WHERE pk = 'once'")["Items"] == [{"v": number(1)}]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ["INSERT INTO HASH VALUE {'pk': 'm'}", "SELECT * FROM HASH WHERE pk = 'n'"],
            "ExecuteTransaction API does not support both read and write operations",
        ),
        (
            ["DELETE FROM HASH WHERE pk = 'm'"] * 2,
            "Transaction request cannot include multiple operations on one item",
        ),
        (["SELECT * FROM HASH"], "Validation failed in TransactStatements[0]: Select statements"),
        (
            ["DELETE FROM HASH WHERE pk = 'm' RETURNING ALL OLD *"],
            "Validation failed in TransactStatements[0]: RETURNING clause is not supported",
        ),
    ],
)
def test_what_cannot_stand_in_one_transaction(client, texts, message):
    error = refused(transact, client, *texts)["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith(message)
