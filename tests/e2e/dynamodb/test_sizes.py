"""Sizes and their limits, and the capacity that calls tell."""

import pytest
from case import Case, call, delete, get, is_gone, me, mine, on_table, put, scan, suite, update

# An item of the key alone, `pk` with 20 bytes: the rest of a size is in the attribute `v`.
KEY = {"pk": "k" * 20}
MOST = 409_600
TOO_LARGE = "Item size (to update )?has exceeded the maximum allowed size"


def sized(size, name="v"):
    """An item of just that size: its names and values in bytes."""
    return {**KEY, name: "x" * (size - 2 - 20 - len(name))}


def exact(item, **more):
    return on_table("PutItem", {"capacity": "TOTAL", **more}, Item=item)


def takes(name, item, units):
    """A put of an item on a table of its own that takes so many write units."""
    return Case(f"write units: {name}", exact(item)
                .gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": units}),
                table=[("pk", "S")])


test_limits = suite(
    Case("an item of 400 KB", exact(sized(MOST)), table=[("pk", "S")]),
    Case("an item of a byte more", exact(sized(MOST + 1)).invalid(TOO_LARGE), table=[("pk", "S")]),
    Case("names count", exact(sized(MOST, name="n" * 1000)), table=[("pk", "S")]),
    Case("names count for a byte more", exact(sized(MOST + 1, name="n" * 1000)).invalid(TOO_LARGE),
         table=[("pk", "S")]),
    Case("texts count in UTF-8", exact({**KEY, "v": "é" * ((MOST - 23) // 2)}),
         exact({**KEY, "v": "é" * ((MOST - 23) // 2 + 1)}).invalid(TOO_LARGE),
         table=[("pk", "S")]),
    Case("bytes count as they are", exact({**KEY, "v": b"\xff" * (MOST - 23)}),
         exact({**KEY, "v": b"\xff" * (MOST - 22)}).invalid(TOO_LARGE), table=[("pk", "S")]),
    Case("an update that makes an item too large", put({"v": "x" * 400_000}),
         update("SET w = :w", values={"w": "x" * 10_000}).invalid(TOO_LARGE),
         get(project="w").gives(Item={})),
    Case("an update by a list that grows too large", put({"l": ["x" * 300_000]}),
         update("SET l = list_append(l, l)").invalid(TOO_LARGE)),
    Case("a partition key of 2048 bytes", on_table("PutItem", {}, Item={"pk": "k" * 2048})),
    Case("a partition key of a byte more",
         on_table("PutItem", {}, Item={"pk": "k" * 2049})
         .invalid("Size of hashkey has exceeded the maximum size limit of ?2048 bytes")),
    Case("a partition key of 2048 bytes in UTF-8",
         on_table("PutItem", {}, Item={"pk": "é" * 1025}).invalid("2048 bytes")),
    Case("a get by a partition key that is too long",
         on_table("GetItem", {}, Key={"pk": "k" * 2049}).invalid("2048 bytes")),
    Case("a sort key of 1024 bytes", put({"sk": "k" * 1024}), table="range"),
    Case("a sort key of a byte more",
         put({"sk": "k" * 1025}).invalid("range keys has exceeded the size limit of ?1024 bytes"),
         table="range"),
    Case("a sort key of bytes, 1024 of them", put({"sk": b"k" * 1024}),
         put({"sk": b"k" * 1025}).invalid("1024 bytes"), table="bytes"),
    Case("a query by a sort key that is too long",
         mine(" AND sk = :a", values={"a": "k" * 1025}).invalid("1024 bytes"), table="range"),
    Case("an attribute's name of 65,535 bytes", put({"n" * 65_535: 1})),
    Case("an attribute's name of a byte more", put({"n" * 65_536: 1})
         .invalid("name|65535|65536"), is_gone()),
    Case("a batch with an item that is too large",
         call("BatchWriteItem", RequestItems={"@": [{"PutRequest": {
             "Item": me(v="x" * MOST)}}]}).invalid(TOO_LARGE), is_gone()),
    Case("a transaction with an item that is too large",
         call("TransactWriteItems", TransactItems=[{"Put": {
             "TableName": "@", "Item": me(v="x" * MOST)}}])
         .refused("TransactionCanceledException", "ValidationError"), is_gone()),
    Case("an expression of 4 KB in bytes",
         put(cond="attribute_not_exists(#" + "é" * 2048 + ")", names={"é" * 2048: "a"})
         .invalid("Expression size has exceeded|Syntax error|too long")),
    Case("a value's name of 255 bytes",
         put(cond="attribute_not_exists(pk) OR a = :" + "v" * 254, values={"v" * 254: 1})),
    Case("a value's name of a byte more",
         put(cond="attribute_not_exists(pk) OR a = :" + "v" * 255, values={"v" * 255: 1})
         .invalid("too long|Expression")),
    Case("values of more than 2 MB", put(
        cond=" AND ".join(f"a <> :v{at}" for at in range(6)),
        values={f"v{at}": "x" * 400_000 for at in range(6)}).invalid("exceeds max size|exceeded")),
)

test_write_units = suite(
    takes("a small item", sized(100), 1.0),
    takes("1 KB", sized(1024), 1.0),
    takes("1 KB and a byte", sized(1025), 2.0),
    takes("2 KB", sized(2048), 2.0),
    takes("400 KB", sized(MOST), 400.0),
    Case("write units: a smaller item in place of a larger", exact(sized(3000)),
         exact(sized(100)).gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": 3.0}),
         table=[("pk", "S")]),
    Case("write units: a larger item in place of a smaller", exact(sized(100)),
         exact(sized(3000)).gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": 3.0}),
         table=[("pk", "S")]),
    Case("write units: a delete", put({"v": "x" * 3000}), delete(capacity="TOTAL")
         .gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": 3.0})),
    Case("write units: a delete of nothing", delete(capacity="TOTAL")
         .gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": 1.0})),
    Case("write units: an update of a little in a large item", put({"v": "x" * 3000}),
         update("SET a = :a", values={"a": 1}, capacity="TOTAL")
         .gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": 3.0})),
    Case("write units: by indexes", put(capacity="INDEXES").gives(ConsumedCapacity={
        "TableName": "@", "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}})),
    Case("write units: unasked", put(capacity="NONE").exactly()),
    Case("write units: a batch",
         call("BatchWriteItem", capacity="TOTAL", RequestItems={"@": [
             {"PutRequest": {"Item": me(sk=1)}},
             {"PutRequest": {"Item": me(sk=2, v="x" * 1500)}},
             {"DeleteRequest": {"Key": me(sk=3)}}]})
         .gives(ConsumedCapacity=[{"TableName": "@", "CapacityUnits": 4.0}]), table="numbers"),
    Case("write units: a transaction takes twice",
         call("TransactWriteItems", capacity="TOTAL", TransactItems=[
             {"Put": {"TableName": "@", "Item": me(sk=1)}},
             {"Put": {"TableName": "@", "Item": me(sk=2, v="x" * 1500)}}])
         .gives(ConsumedCapacity=[{"TableName": "@", "CapacityUnits": 6.0,
                                   "WriteCapacityUnits": 6.0}]), table="numbers"),
    Case("write units: a check takes two",
         call("TransactWriteItems", capacity="TOTAL", TransactItems=[{"ConditionCheck": {
             "TableName": "@", "Key": me(), "ConditionExpression": "attribute_not_exists(pk)"}}])
         .gives(ConsumedCapacity=[{"TableName": "@", "CapacityUnits": 2.0,
                                   "WriteCapacityUnits": 2.0}])),
)


def reads(name, size, units, **more):
    """A read of an item of that size that takes so many read units."""
    return Case(f"read units: {name}", exact(sized(size)),
                on_table("GetItem", {"capacity": "TOTAL", **more}, Key=KEY)
                .gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": units}),
                table=[("pk", "S")])


test_read_units = suite(
    reads("4 KB, eventually", 4096, 0.5),
    reads("4 KB, strongly", 4096, 1.0, consistent=True),
    reads("4 KB and a byte, eventually", 4097, 1.0),
    reads("4 KB and a byte, strongly", 4097, 2.0, consistent=True),
    reads("400 KB, strongly", MOST, 100.0, consistent=True),
    reads("a projection reads the whole item", 8192, 1.0, project="pk"),
    Case("read units: of nothing", get(capacity="TOTAL", consistent=False)
         .exactly(ConsumedCapacity={"TableName": "@", "CapacityUnits": 0.5})),
    Case("read units: of nothing, strongly", get(capacity="TOTAL")
         .exactly(ConsumedCapacity={"TableName": "@", "CapacityUnits": 1.0})),
    Case("read units: by indexes", get(capacity="INDEXES").gives(ConsumedCapacity={
        "TableName": "@", "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}})),
    Case("read units: a query adds up before it rounds",
         *[put({"sk": at, "v": "x" * 1000}) for at in range(8)],
         mine(capacity="TOTAL")
         .gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": 1.0}),
         mine(capacity="TOTAL", consistent=True)
         .gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": 2.0}), table="numbers"),
    Case("read units: a query of nothing", mine(capacity="TOTAL")
         .gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": 0.5}), table="range"),
    Case("read units: a count takes the same", *[put({"sk": at, "v": "x" * 4000})
         for at in range(4)], mine(capacity="TOTAL", select="COUNT")
         .gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": 2.0}), table="numbers"),
    Case("read units: a filter takes the same", *[put({"sk": at, "v": "x" * 4000})
         for at in range(4)], mine(capacity="TOTAL", filter="attribute_not_exists(v)")
         .gives(Count=0, ConsumedCapacity={"TableName": "@", "CapacityUnits": 2.0}),
         table="numbers"),
    Case("read units: a scan", *[exact({"pk": f"{at}", "v": "x" * 4000}) for at in range(4)],
         scan(capacity="TOTAL").gives(ConsumedCapacity={"TableName": "@", "CapacityUnits": 2.0}),
         table=[("pk", "S")]),
    Case("read units: a batch rounds each item", *[put({"sk": at, "v": "x" * 1000})
         for at in range(3)],
         call("BatchGetItem", capacity="TOTAL",
              RequestItems={"@": {"Keys": [me(sk=at) for at in range(4)]}})
         .gives(ConsumedCapacity=[{"TableName": "@", "CapacityUnits": 2.0}]), table="numbers"),
    Case("read units: a transaction takes two", put(),
         call("TransactGetItems", capacity="TOTAL",
              TransactItems=[{"Get": {"TableName": "@", "Key": me()}}])
         .gives(ConsumedCapacity=[{"TableName": "@", "CapacityUnits": 2.0,
                                   "ReadCapacityUnits": 2.0}])),
    Case("read units: a transaction by indexes", put(),
         call("TransactGetItems", capacity="INDEXES",
              TransactItems=[{"Get": {"TableName": "@", "Key": me()}}])
         .gives(ConsumedCapacity=[{
             "TableName": "@", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0,
             "Table": {"CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}}])),
)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "abc"}, 3),
        ({"B": b"abc"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "bcd"]}, 4),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [{"S": "abc"}]}, 3 + 1 + 3),
        ({"M": {"ab": {"S": "abc"}}}, 3 + 1 + 2 + 3),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_counts_its_bytes(server, value, size):
    # The item holds as much more text as makes 1 KB with the value: a byte more is another unit.
    table = server.table("hash")
    key = {"pk": {"S": server.unique().ljust(20, "-")}}
    rest = 1024 - (2 + 20) - (1 + size) - 1
    for more, units in ((0, 1.0), (1, 2.0)):
        reply = server.client.put_item(
            TableName=table,
            Item={**key, "a": value, "p": {"S": "x" * (rest + more)}},
            ReturnConsumedCapacity="TOTAL",
        )
        assert reply["ConsumedCapacity"]["CapacityUnits"] == units
        server.client.delete_item(TableName=table, Key=key)
