"""Query: key conditions, order, filters, pages, and what is refused."""

import pytest
from case import NOT_FOUND, Case, N, Raw, me, mine, on_table, put, query, suite

LETTERS = [put({"sk": letter, "n": at}) for at, letter in enumerate("abcdef")]
NUMBERS = [put({"sk": at}) for at in range(6)]
WORDS = [put({"sk": word}) for word in ("apple", "apricot", "banana", "ap", "Apple", "ä")]


def finds(name, where, keys, before=LETTERS, table="range", values=None, **more):
    """A key condition on the sort key, and the sort keys that it finds in order."""
    step = mine(where, values=values or {}, **more)
    wanted = [me(sk=key, n="abcdef".index(key)) if before is LETTERS else me(sk=key)
              for key in keys]
    return Case(f"finds: {name}", *before, step.gives(Items=wanted, Count=len(wanted)), table=table)


def invalid(name, where, *patterns, table="range", names=None, **values):
    more = ({"names": names} if names else {}) | ({"values": values} if values else {})
    return Case(f"invalid: {name}", query(where, **more).invalid(*patterns),
                table=table)


test_key_conditions = suite(
    finds("the partition", "", "abcdef"),
    finds("one item", " AND sk = :a", "c", values={"a": "c"}),
    finds("nothing", " AND sk = :a", "", values={"a": "zz"}),
    finds("less", " AND sk < :a", "ab", values={"a": "c"}),
    finds("less or equal", " AND sk <= :a", "abc", values={"a": "c"}),
    finds("greater", " AND sk > :a", "def", values={"a": "c"}),
    finds("greater or equal", " AND sk >= :a", "cdef", values={"a": "c"}),
    finds("between", " AND sk BETWEEN :a AND :b", "bcd", values={"a": "b", "b": "d"}),
    finds("between the same", " AND sk BETWEEN :a AND :a", "b", values={"a": "b"}),
    finds("a prefix", " AND begins_with(sk, :a)", ["ap", "apple", "apricot"], before=WORDS,
          values={"a": "ap"}),
    finds("a prefix of nothing", " AND begins_with(sk, :a)", [], before=WORDS, values={"a": "x"}),
    finds("in the order of UTF-8", "", ["Apple", "ap", "apple", "apricot", "banana", "ä"],
          before=WORDS),
    finds("backwards", "", "fedcba", forward=False),
    finds("backwards within a range", " AND sk > :a", "fed", values={"a": "c"}, forward=False),
    finds("forwards when asked", "", "abcdef", forward=True),
    finds("numbers less", " AND sk < :a", [0, 1, 2], before=NUMBERS, table="numbers",
          values={"a": N("2.5")}),
    finds("numbers between", " AND sk BETWEEN :a AND :b", [2, 3], before=NUMBERS, table="numbers",
          values={"a": 2, "b": 3}),
    finds("in parentheses", " AND (sk = :a)", "c", values={"a": "c"}),
    finds("an item by eventual reads", " AND sk = :a", "c", values={"a": "c"}, consistent=False),
    Case("finds: conditions in either order", *LETTERS,
         query("sk = :a AND pk = :pk", values={"pk": "$", "a": "b"}).gives(Count=1), table="range"),
    Case("finds: with values on the left", *LETTERS,
         query(":pk = pk AND :a < sk", values={"pk": "$", "a": "d"}).gives(Count=2), table="range"),
    Case("finds: with names", *LETTERS,
         query("#p = :pk AND #s = :a", names={"p": "pk", "s": "sk"},
               values={"pk": "$", "a": "b"}).gives(Count=1), table="range"),
    Case("finds: all in parentheses", *LETTERS,
         query("(pk = :pk) AND (sk = :a)", values={"pk": "$", "a": "b"}).gives(Count=1),
         table="range"),
    Case("finds: in a table without sort key", put({"a": 1}),
         query("pk = :pk", values={"pk": "$"}).gives(Items=[me(a=1)], Count=1, ScannedCount=1)),
    Case("finds: bytes in their order",
         *[put({"sk": one}) for one in (b"\xff", b"\x00", b"\x00\x00", b"\x7f", b"\x80")],
         mine().gives(Items=[me(sk=one) for one in
                             (b"\x00", b"\x00\x00", b"\x7f", b"\x80", b"\xff")]), table="bytes"),
    Case("finds: a prefix of bytes",
         *[put({"sk": one}) for one in (b"\xff", b"\xff\xff", b"\xfe", b"\xff\x00")],
         mine(" AND begins_with(sk, :a)", values={"a": b"\xff"})
         .gives(Items=[me(sk=one) for one in (b"\xff", b"\xff\x00", b"\xff\xff")]), table="bytes"),
    Case("finds: texts with zeros inside",
         *[put({"sk": one}) for one in ("a\u0000", "a", "a\u0000b", "a\u0001", "ab")],
         mine().gives(Items=[me(sk=one) for one in ("a", "a\u0000", "a\u0000b", "a\u0001", "ab")]),
         table="range"),
    Case("finds: nothing of another partition", put({"sk": "a"}),
         query("pk = :pk", values={"pk": "$x"}).exactly(Items=[], Count=0, ScannedCount=0),
         table="range"),
    invalid("no partition", "sk = :a", "Query condition missed key schema element: pk", a="a"),
    invalid("a partition by less", "pk < :a", "Query key condition not supported", a="a"),
    invalid("a partition by prefix", "begins_with(pk, :a)", "Query key condition not supported",
            a="a"),
    invalid("another attribute", "pk = :a AND n = :b",
            "Query condition missed key schema element: sk", a="a", b=1),
    invalid("a sort key there is not", "pk = :a AND sk = :b", "key schema element|not supported",
            table="hash", a="a", b="b"),
    invalid("three conditions", "pk = :a AND sk > :b AND sk < :c",
            "only contain one condition per key|length 1 or 2", a="a", b="b", c="c"),
    invalid("the partition twice", "pk = :a AND pk = :b", "one condition per key", a="a", b="b"),
    invalid("OR", "pk = :a OR sk = :b", "Invalid operator used in KeyConditionExpression: OR",
            a="a", b="b"),
    invalid("NOT", "NOT pk = :a", "Invalid operator used in KeyConditionExpression: NOT", a="a"),
    invalid("unequal", "pk <> :a", "Invalid operator used in KeyConditionExpression: <>", a="a"),
    invalid("IN", "pk IN (:a)", "Invalid operator used in KeyConditionExpression: IN", a="a"),
    invalid("contains", "pk = :a AND contains(sk, :b)", "Invalid operator.*contains", a="a", b="b"),
    invalid("attribute_exists", "pk = :a AND attribute_exists(sk)",
            "Invalid operator.*attribute_exists", a="a"),
    invalid("size", "pk = :a AND size(sk) = :b", "cannot contain nested operations", a="a", b=1),
    invalid("a path", "pk.a = :a", "nested attributes", a="a"),
    invalid("two attributes", "pk = sk", "Multiple attribute names|No key attribute|distinct"),
    invalid("a partition of the wrong type", "pk = :a",
            "Condition parameter type does not match schema type", a=1),
    invalid("a sort key of the wrong type", "pk = :a AND sk = :b",
            "Condition parameter type does not match schema type", a="a", b=1),
    invalid("BETWEEN of two types", "pk = :a AND sk BETWEEN :b AND :c", "same data type|type",
            a="a", b="b", c=1),
    invalid("BETWEEN upside down", "pk = :a AND sk BETWEEN :c AND :b",
            "upper bound to be greater than or equal to lower bound", a="a", b="b", c="c"),
    invalid("an empty partition", "pk = :a", "empty string value. Key: pk", a=""),
    invalid("an empty sort key", "pk = :a AND sk = :b", "empty string value. Key: sk", a="a", b=""),
    invalid("begins_with of a number", "pk = :a AND begins_with(sk, :b)", "operand type", a="a",
            b=1),
    invalid("nothing", "", "expression can not be empty"),
    invalid("a syntax error", "pk = ", "Invalid KeyConditionExpression: Syntax error"),
    invalid("an undefined value", "pk = :zz", "attribute value: :zz", a="a"),
    invalid("an unused value", "pk = :a", "unused in expressions: keys: {:b}", a="a", b="b"),
    Case("invalid: no condition at all",
         on_table("Query", {}).invalid("Either the KeyConditions or KeyConditionExpression "
         "parameter must be specified in the request")),
    Case("invalid: a table that is not there",
         query("pk = :a", values={"a": "a"}, TableName="no-such-table").refused(NOT_FOUND)),
    Case("invalid: an index that is not there",
         query("pk = :a", values={"a": "a"}, IndexName="no-such-index")
         .invalid("The table does not have the specified index: no-such-index")),
)

test_filters = suite(
    Case("a filter drops items after they are counted", *LETTERS,
         mine(filter="n > :n", values={"n": 3}).gives(Count=2, ScannedCount=6), table="range"),
    Case("a filter that drops all", *LETTERS,
         mine(filter="n > :n", values={"n": 33}).exactly(Items=[], Count=0, ScannedCount=6),
         table="range"),
    Case("a filter on what is not there", *LETTERS,
         mine(filter="attribute_not_exists(nope)").gives(Count=6), table="range"),
    Case("a limit counts items before the filter", *LETTERS,
         mine(filter="n > :n", values={"n": 0}, limit=2)
         .gives(Count=1, ScannedCount=2, LastEvaluatedKey=me(sk="b")), table="range"),
    Case("a filter may not test the sort key",
         mine(filter="sk = :a", values={"a": "a"})
         .invalid("Filter Expression can only contain non-primary key attributes: Primary key "
                  "attribute: sk"), table="range"),
    Case("a filter may not test the partition key",
         mine(filter="pk = :pk").invalid("Primary key attribute: pk"), table="range"),
    Case("a filter of a wrong shape", mine(filter="n >").invalid("Invalid FilterExpression"),
         table="range"),
    Case("a filter that is empty", mine(filter="").invalid("Invalid FilterExpression"),
         table="range"),
    Case("a filter and a projection", *LETTERS,
         mine(filter="n = :n", values={"n": 3}, project="sk").gives(Items=[{"sk": "d"}]),
         table="range"),
)

test_select = suite(
    Case("a projection", *LETTERS, mine(" AND sk = :a", values={"a": "b"}, project="n")
         .exactly(Items=[{"n": 1}], Count=1, ScannedCount=1), table="range"),
    Case("a projection of what is not there keeps the count", *LETTERS,
         mine(project="nope").gives(Items=[{}] * 6, Count=6), table="range"),
    Case("COUNT", *LETTERS, mine(select="COUNT").exactly(Count=6, ScannedCount=6), table="range"),
    Case("COUNT with a filter", *LETTERS,
         mine(select="COUNT", filter="n < :n", values={"n": 2}).exactly(Count=2, ScannedCount=6),
         table="range"),
    Case("COUNT with a limit", *LETTERS, mine(select="COUNT", limit=4)
         .exactly(Count=4, ScannedCount=4, LastEvaluatedKey=me(sk="d")), table="range"),
    Case("ALL_ATTRIBUTES", *LETTERS, mine(select="ALL_ATTRIBUTES").gives(Count=6), table="range"),
    Case("SPECIFIC_ATTRIBUTES", *LETTERS,
         mine(select="SPECIFIC_ATTRIBUTES", project="sk", limit=1).gives(Items=[{"sk": "a"}]),
         table="range"),
    Case("COUNT with a projection", mine(select="COUNT", project="n")
         .invalid("Cannot specify the ProjectionExpression when choosing to get only the Count"),
         table="range"),
    Case("ALL_ATTRIBUTES with a projection", mine(select="ALL_ATTRIBUTES", project="n")
         .invalid("Cannot specify the .* when choosing to get ALL_ATTRIBUTES"),
         table="range"),
    Case("SPECIFIC_ATTRIBUTES without any", mine(select="SPECIFIC_ATTRIBUTES")
         .invalid("Must specify the AttributesToGet or ProjectionExpression"), table="range"),
    Case("ALL_PROJECTED_ATTRIBUTES of a table", mine(select="ALL_PROJECTED_ATTRIBUTES")
         .invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"),
         table="range"),
    Case("an unknown Select", mine(select="ALL").invalid("'select'", "enum value set"),
         table="range"),
)

test_starts = suite(
    Case("after a key", *LETTERS, mine(start=me(sk="c")).gives(Count=3), table="range"),
    Case("after a key, backwards", *LETTERS,
         mine(start=me(sk="c"), forward=False).gives(Count=2), table="range"),
    Case("after a key there is not", *LETTERS, mine(start=me(sk="cc")).gives(Count=3),
         table="range"),
    Case("after the last key", *LETTERS, mine(start=me(sk="f")).exactly(Items=[], Count=0,
         ScannedCount=0), table="range"),
    Case("after a key of another partition", mine(start={"pk": "$x", "sk": "c"})
         .invalid("The provided starting key is outside query boundaries"), table="range"),
    Case("after a key outside the range",
         mine(" AND sk > :a", values={"a": "c"}, start=me(sk="a"))
         .invalid("The provided starting key does not match the range key predicate"),
         table="range"),
    Case("after a key without sort key",
         mine(start=me()).invalid("The provided starting key is invalid"), table="range"),
    Case("after a key of the wrong type",
         mine(start=me(sk=1)).invalid("The provided starting key is invalid: The provided key "
                                      "element does not match the schema"), table="range"),
    Case("after a key with more", mine(start=me(sk="a", n=1))
         .invalid("The provided starting key is invalid"), table="range"),
    Case("after a key of no type", mine(start=me(sk=Raw({})))
         .invalid("Supplied AttributeValue is empty|starting key is invalid"), table="range"),
)

test_limits = suite(
    *[
        Case(f"a limit of {limit}", *LETTERS,
             mine(limit=limit).gives(Count=min(limit, 6)), table="range")
        for limit in (1, 5, 7, 1000)
    ],
    Case("a limit of all there is still has a next page", *LETTERS,
         mine(limit=6).gives(Count=6, LastEvaluatedKey=me(sk="f")), table="range"),
    Case("a limit beyond all there is ends it", *LETTERS,
         mine(limit=7).gives(Count=6).lacks("LastEvaluatedKey"), table="range"),
    Case("a limit of zero", mine(limit=0).invalid("limit|Limit", "greater than or equal to 1"),
         table="range"),
    Case("a limit below zero", mine(limit=-1).invalid("greater than or equal to 1"), table="range"),
)


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_hold_every_item_once_in_order(server, limit, forward):
    table, pk = server.table("numbers"), {"S": server.unique()}
    for at in range(7):
        server.client.put_item(TableName=table, Item={"pk": pk, "sk": {"N": str(at)}})
    pages = server.client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": pk},
        ScanIndexForward=forward,
        Limit=limit,
    )
    found = [int(item["sk"]["N"]) for page in pages for item in page["Items"]]
    assert found == sorted(range(7), reverse=not forward)


def test_a_page_ends_at_one_mebibyte_of_items(server):
    table, pk = server.table("numbers"), {"S": server.unique()}
    for at in range(5):
        item = {"pk": pk, "sk": {"N": str(at)}, "v": {"S": "x" * 300_000}}
        server.client.put_item(TableName=table, Item=item)
    request = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": pk},
    }
    # The item that crosses the limit is the last of its page.
    page = server.client.query(**request)
    assert (page["Count"], page["LastEvaluatedKey"]["sk"]) == (4, {"N": "3"})
    rest = server.client.query(**request, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert rest["Count"] == 1 and "LastEvaluatedKey" not in rest
    # It is counted before the filter and the projection.
    filtered = server.client.query(
        **request, FilterExpression="attribute_not_exists(v)", ProjectionExpression="sk"
    )
    assert (filtered["Count"], filtered["ScannedCount"]) == (0, 4)
    assert "LastEvaluatedKey" in filtered
    counted = server.client.query(**request, Select="COUNT")
    assert counted["Count"] == 4 and "LastEvaluatedKey" in counted
