"""BatchGetItem and BatchWriteItem."""

from case import NOT_FOUND, Case, N, Raw, call, get, is_gone, is_now, me, put, suite


def writes(*requests, **more):
    return call("BatchWriteItem", RequestItems={"@": list(requests)}, **more)


def puts(**attributes):
    return {"PutRequest": {"Item": me(**attributes)}}


def deletes(**key):
    return {"DeleteRequest": {"Key": me(**key)}}


def gets(*keys, capacity=None, **more):
    own = {"capacity": capacity} if capacity else {}
    step = call("BatchGetItem", RequestItems={"@": {"Keys": list(keys), **more}}, **own)
    step.unordered = True
    return step


MANY = [me(sk=at) for at in range(100)]

test_writes = suite(
    Case("a put", writes(puts(a=1)).exactly(UnprocessedItems={}), is_now(a=1)),
    Case("a delete", put(), writes(deletes()).exactly(UnprocessedItems={}), is_gone()),
    Case("a delete of nothing", writes(deletes()).exactly(UnprocessedItems={})),
    Case("a put replaces", put({"a": 1}), writes(puts(b=2)), is_now(b=2)),
    Case("puts and deletes together", put({"sk": 1}),
         writes(deletes(sk=1), puts(sk=2), puts(sk=3)),
         get({"sk": 1}).lacks("Item"), get({"sk": 2}).gives(Item=me(sk=2)),
         get({"sk": 3}).gives(Item=me(sk=3)), table="numbers"),
    Case("two tables",
         call("BatchWriteItem", RequestItems={"@hash": [puts(a=1)], "@numbers": [puts(sk=1)]})
         .exactly(UnprocessedItems={}),
         is_now(a=1), get({"sk": 1}, TableName="@numbers").gives(Item=me(sk=1))),
    Case("25 of them", writes(*[puts(sk=at) for at in range(25)]).exactly(UnprocessedItems={}),
         gets(*MANY[:25]).gives(Responses={"@": MANY[:25]}), table="numbers"),
    Case("26 of them", writes(*[puts(sk=at) for at in range(26)])
         .invalid("less than or equal to 25|Too many items"), table="numbers"),
    Case("26 of them in two tables",
         call("BatchWriteItem", RequestItems={
             "@numbers": [puts(sk=at) for at in range(13)],
             "@range": [puts(sk=f"{at}") for at in range(13)],
         }).invalid("Too many items requested for the BatchWriteItem call|less than or equal")),
    Case("none", call("BatchWriteItem", RequestItems={}).invalid("requestItems|required|at least")),
    Case("none of a table", writes().invalid("requestItems|at least|greater than or equal to 1")),
    Case("one item twice", writes(puts(a=1), puts(a=2))
         .invalid("^Provided list of item keys contains duplicates$"), is_gone()),
    Case("a put and a delete of one item", writes(puts(a=1), deletes()).invalid("duplicates")),
    Case("one number in two writings",
         writes(puts(sk=N("1")), puts(sk=N("1.0"))).invalid("duplicates"), table="numbers"),
    Case("an item without its key", writes({"PutRequest": {"Item": {"a": 1}}})
         .invalid("Missing the key pk|key element does not match")),
    Case("an item with a key of the wrong type", writes({"PutRequest": {"Item": {"pk": 1}}})
         .invalid("Type mismatch for key|key element does not match")),
    Case("a delete with too many attributes", writes(deletes(a=1))
         .invalid("The provided key element does not match the schema")),
    Case("an empty key", writes({"PutRequest": {"Item": {"pk": ""}}}).invalid("empty string")),
    Case("an item with an empty set", writes(puts(a=Raw({"SS": []}))).invalid("empty")),
    Case("an item with a bad number", writes(puts(a=N("x"))).invalid("numeric value")),
    Case("one bad item stops all", writes(puts(sk=1), puts(sk=2, a=Raw({})))
         .invalid(), get({"sk": 1}).lacks("Item"), table="numbers"),
    Case("a put and a delete in one request",
         writes({**puts(a=1), **deletes()}).invalid()),
    Case("a request of nothing", writes({}).invalid()),
    Case("a table that is not there",
         call("BatchWriteItem", RequestItems={"no-such-table": [puts(a=1)]}).refused(NOT_FOUND)),
    Case("one table of two is not there",
         call("BatchWriteItem", RequestItems={"@hash": [puts(a=1)], "no-such-table": [puts()]})
         .refused(NOT_FOUND), is_gone()),
    Case("a bad name of a table",
         call("BatchWriteItem", RequestItems={"a b c": [puts(a=1)]}).invalid("regular expression|"
         "member|Table/index names")),
    Case("an unknown ReturnConsumedCapacity", writes(puts(a=1), capacity="ALL")
         .invalid("returnConsumedCapacity")),
    Case("an unknown ReturnItemCollectionMetrics", writes(puts(a=1), metrics="ALL")
         .invalid("returnItemCollectionMetrics")),
    Case("metrics without local indexes", writes(puts(a=1), metrics="SIZE")
         .gives(UnprocessedItems={})),
)

test_gets = suite(
    Case("an item", put({"a": 1}), gets(me()).exactly(Responses={"@": [me(a=1)]},
         UnprocessedKeys={})),
    Case("an item that is not there is left out", put({"sk": 1}),
         gets(me(sk=1), me(sk=2)).exactly(Responses={"@": [me(sk=1)]}, UnprocessedKeys={}),
         table="numbers"),
    Case("nothing at all", gets(me()).exactly(Responses={"@": []}, UnprocessedKeys={})),
    Case("100 of them", *[writes(*[puts(sk=at) for at in range(start, start + 25)])
         for start in (0, 25, 50, 75)], gets(*MANY).gives(Responses={"@": MANY}), table="numbers"),
    Case("101 of them", gets(*[me(sk=at) for at in range(101)])
         .invalid("less than or equal to 100|Too many items"), table="numbers"),
    Case("101 of them in two tables",
         call("BatchGetItem", RequestItems={
             "@numbers": {"Keys": MANY[:51]},
             "@range": {"Keys": [me(sk=f"{at}") for at in range(50)]},
         }).invalid("Too many items requested for the BatchGetItem call|less than or equal")),
    Case("two tables", put({"a": 1}), put({"sk": 2}, TableName="@numbers"),
         call("BatchGetItem", RequestItems={
             "@hash": {"Keys": [me()]}, "@numbers": {"Keys": [me(sk=2)]}})
         .exactly(Responses={"@hash": [me(a=1)], "@numbers": [me(sk=2)]}, UnprocessedKeys={})),
    Case("read consistently", put({"a": 1}),
         gets(me(), ConsistentRead=True).gives(Responses={"@": [me(a=1)]})),
    Case("with a projection", put({"a": 1, "b": 2}),
         gets(me(), ProjectionExpression="b").gives(Responses={"@": [{"b": 2}]})),
    Case("with a projection by names", put({"a": 1, "size": 2}),
         gets(me(), ProjectionExpression="#s", ExpressionAttributeNames={"#s": "size"})
         .gives(Responses={"@": [{"size": 2}]})),
    Case("with AttributesToGet", put({"a": 1, "b": 2}),
         gets(me(), AttributesToGet=["a"]).gives(Responses={"@": [{"a": 1}]})),
    Case("with both", gets(me(), AttributesToGet=["a"], ProjectionExpression="a")
         .invalid("Can not use both expression and non-expression")),
    Case("with names that no projection uses",
         gets(me(), ExpressionAttributeNames={"#s": "a"})
         .invalid("ExpressionAttributeNames can only be specified when using expressions")),
    Case("with a bad projection", gets(me(), ProjectionExpression="a,")
         .invalid("Invalid ProjectionExpression")),
    Case("one key twice", gets(me(), me())
         .invalid("^Provided list of item keys contains duplicates$")),
    Case("one number in two writings as key", gets(me(sk=N("1")), me(sk=N("1.0")))
         .invalid("duplicates"), table="numbers"),
    Case("a key of too many attributes", gets(me(a=1)).invalid("key element does not match")),
    Case("a key of too few attributes", gets(me()).invalid("key element does not match"),
         table="range"),
    Case("a key of the wrong type", gets({"pk": 1}).invalid("key element does not match")),
    Case("an empty value as key", gets({"pk": ""}).invalid("empty string value")),
    Case("no keys", gets().invalid("Keys|keys|at least|greater than or equal to 1")),
    Case("empty RequestItems", call("BatchGetItem", RequestItems={}).invalid("requestItems|"
         "required|at least")),
    Case("a table that is not there",
         call("BatchGetItem", RequestItems={"no-such-table": {"Keys": [me()]}}).refused(NOT_FOUND)),
    Case("an unknown ReturnConsumedCapacity", gets(me(), capacity="ALL")
         .invalid("returnConsumedCapacity")),
)


def test_a_reply_holds_sixteen_mebibytes_and_the_rest_is_unprocessed(server):
    table, pk = server.table("numbers"), {"S": server.unique()}
    for at in range(45):
        item = {"pk": pk, "sk": {"N": str(at)}, "v": {"S": "x" * 399_000}}
        server.client.put_item(TableName=table, Item=item)
    keys = [{"pk": pk, "sk": {"N": str(at)}} for at in range(45)]
    wanted = {table: {"Keys": keys, "ProjectionExpression": "sk", "ConsistentRead": True}}
    seen, calls = [], 0
    while wanted:
        reply = server.client.batch_get_item(RequestItems=wanted)
        got = [int(item["sk"]["N"]) for item in reply["Responses"][table]]
        assert got, "each call makes progress"
        seen, calls, wanted = seen + got, calls + 1, reply["UnprocessedKeys"]
        if wanted:
            # What is left is asked for in the same way.
            assert wanted[table]["ProjectionExpression"] == "sk"
            assert wanted[table]["ConsistentRead"] is True
    assert sorted(seen) == list(range(45)) and calls == 2


def test_a_batch_of_items_of_the_largest_size(server):
    table, pk = server.table("numbers"), {"S": server.unique()}
    puts = [
        {"PutRequest": {"Item": {"pk": pk, "sk": {"N": str(at)}, "v": {"S": "x" * 400_000}}}}
        for at in range(25)
    ]
    reply = server.client.batch_write_item(RequestItems={table: puts})
    assert reply["UnprocessedItems"] == {}
    counted = server.client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": pk},
        Select="COUNT",
    )
    assert counted["Count"] == 3
