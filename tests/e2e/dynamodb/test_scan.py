"""Scan: all items, filters, segments, pages."""

import pytest
from case import NOT_FOUND, SERIALIZATION, Case, call, on_table, put, scan, suite

KEY = [("pk", "S"), ("sk", "N")]
FEW = [put({"sk": at, "n": at % 2}) for at in range(6)]


def few(name, *steps):
    """A case on a table of its own with six items."""
    return Case(name, *FEW, *steps, table=KEY)


def invalid(name, *patterns, **more):
    return Case(f"invalid: {name}", scan(**more).invalid(*patterns))


test_scan = suite(
    Case("of an empty table", scan().exactly(Items=[], Count=0, ScannedCount=0), table=KEY),
    few("of all items", scan().gives(
        Items=[{"pk": "$", "sk": at, "n": at % 2} for at in range(6)], Count=6, ScannedCount=6)),
    few("read consistently", scan(consistent=True).gives(Count=6)),
    few("with a filter", scan(filter="n = :n", values={"n": 1}).gives(Count=3, ScannedCount=6)),
    few("with a filter on the key", scan(filter="sk > :n AND pk = :pk",
        values={"n": 3, "pk": "$"}).gives(Count=2, ScannedCount=6)),
    few("with a projection", scan(project="sk").gives(Items=[{"sk": at} for at in range(6)])),
    few("with a filter on what is not shown",
        scan(filter="n = :n", values={"n": 0}, project="sk")
        .gives(Items=[{"sk": at} for at in (0, 2, 4)])),
    few("COUNT", scan(select="COUNT").exactly(Count=6, ScannedCount=6)),
    few("COUNT with a filter", scan(select="COUNT", filter="n = :n", values={"n": 1})
        .exactly(Count=3, ScannedCount=6)),
    few("a limit", scan(limit=4).gives(Count=4, ScannedCount=4)),
    few("a limit beyond all", scan(limit=7).gives(Count=6).lacks("LastEvaluatedKey")),
    few("after a key", scan(start={"pk": "$", "sk": 3}).gives(Count=2)),
    few("after a key there is not", scan(start={"pk": "$", "sk": 99}).exactly(
        Items=[], Count=0, ScannedCount=0)),
    few("AttributesToGet", scan(attributes=["sk"]).gives(Items=[{"sk": at} for at in range(6)])),
    few("a segment of one", scan(Segment=0, TotalSegments=1).gives(Count=6)),
    Case("a table that is not there", scan(TableName="no-such-table").refused(NOT_FOUND)),
    Case("an index that is not there", scan(IndexName="no-such-index")
         .invalid("The table does not have the specified index: no-such-index")),
)

test_refusals = suite(
    invalid("a limit of zero", "'limit'", "greater than or equal to 1", limit=0),
    invalid("a segment alone", "TotalSegments parameter is required", Segment=0),
    invalid("segments alone", "Segment parameter is required", TotalSegments=2),
    invalid("a segment too high", "zero-based and must be less than", Segment=2, TotalSegments=2),
    invalid("a segment below zero", "'segment'", "greater than or equal to 0", Segment=-1,
            TotalSegments=2),
    invalid("no segments", "'totalSegments'", "greater than or equal to 1", Segment=0,
            TotalSegments=0),
    invalid("too many segments", "'totalSegments'", "less than or equal to 1000000", Segment=0,
            TotalSegments=1_000_001),
    invalid("an unknown Select", "'select'", select="SOME"),
    invalid("SPECIFIC_ATTRIBUTES without any", "Must specify the AttributesToGet",
            select="SPECIFIC_ATTRIBUTES"),
    invalid("a syntax error", "Invalid FilterExpression: Syntax error", filter="n ="),
    invalid("an empty filter", "expression can not be empty", filter=""),
    invalid("an unused value", "unused in expressions: keys: {:b}", filter="n = :a",
            values={"a": 1, "b": 2}),
    invalid("values without a filter", "ExpressionAttributeValues can only be specified",
            values={"a": 1}),
    invalid("values beside a projection alone", "ExpressionAttributeValues can only be specified",
            project="a", values={"a": 1}),
    invalid("a starting key of another schema", "The provided starting key is invalid",
            start={"pk": "$", "more": 1}),
    invalid("a starting key of the wrong type", "The provided starting key is invalid",
            start={"pk": 1}),
    invalid("a legacy filter beside an expression",
            "Can not use both expression and non-expression",
            filter="n = :n", values={"n": 1},
            ScanFilter={"n": {"ComparisonOperator": "NOT_NULL"}}),
    Case("invalid: a limit that is no number",
         on_table("Scan", {}, Limit="ten").refused(SERIALIZATION)),
    Case("invalid: no table", call("Scan").invalid("'tableName'|required")),
)


@pytest.fixture(scope="module")
def many(one):
    """A table of 100 items, 40 of them in one partition."""
    table = one.make(KEY, stem="many")
    keys = [("one", at) for at in range(40)] + [(f"p{at}", at) for at in range(60)]
    for at in range(0, 100, 25):
        puts = [
            {"PutRequest": {"Item": {"pk": {"S": pk}, "sk": {"N": str(sk)}}}}
            for pk, sk in keys[at : at + 25]
        ]
        one.client.batch_write_item(RequestItems={table: puts})
    return table, sorted(keys)


def keys_of(server, **request):
    pages = server.client.get_paginator("scan").paginate(**request)
    return [(item["pk"]["S"], int(item["sk"]["N"])) for page in pages for item in page["Items"]]


@pytest.mark.parametrize("limit", [1, 7, 33, 100, 1000])
def test_pages_hold_every_item_once(server, many, limit):
    table, keys = many
    assert sorted(keys_of(server, TableName=table, Limit=limit)) == keys


@pytest.mark.parametrize("segments", [1, 2, 3, 10, 100])
def test_segments_hold_every_item_once(server, many, segments):
    table, keys = many
    found = []
    for segment in range(segments):
        found += keys_of(server, TableName=table, Segment=segment, TotalSegments=segments)
    assert sorted(found) == keys


def test_a_partition_is_in_one_segment_and_in_order(server, many):
    table, _ = many
    parts = [
        [sk for pk, sk in keys_of(server, TableName=table, Segment=at, TotalSegments=8)
         if pk == "one"]
        for at in range(8)
    ]
    assert [part for part in parts if part] == [list(range(40))]


def test_pages_of_a_segment_hold_its_items_once(server, many):
    table, keys = many
    found = []
    for segment in range(4):
        found += keys_of(server, TableName=table, Segment=segment, TotalSegments=4, Limit=3)
    assert sorted(found) == keys


def test_a_segment_goes_on_after_keys_of_its_own_alone(server, many):
    table, _ = many
    after = {"pk": {"S": "one"}, "sk": {"N": "1"}}
    taken = 0
    for at in range(8):
        request = {"TableName": table, "ExclusiveStartKey": after, "Segment": at}
        reply = server.call("Scan", {**request, "TotalSegments": 8})
        if isinstance(reply, dict):
            taken += 1
        else:
            assert "Please use ExclusiveStartKey with correct Segment" in str(reply)
    assert taken == 1


def test_a_page_of_a_scan_ends_at_one_mebibyte(server):
    table = server.make([("pk", "S")])
    for at in range(4):
        item = {"pk": {"S": f"{at}"}, "v": {"S": "x" * 390_000}}
        server.client.put_item(TableName=table, Item=item)
    page = server.client.scan(TableName=table)
    assert page["Count"] == 3 and "LastEvaluatedKey" in page
    rest = server.client.scan(TableName=table, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert rest["Count"] == 1 and "LastEvaluatedKey" not in rest
