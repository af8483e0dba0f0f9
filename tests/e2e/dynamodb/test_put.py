"""PutItem: what it stores, what it answers, what it refuses."""

from case import CONDITION, NOT_FOUND, Case, N, Raw, call, get, is_gone, is_now, me, on_table, put
from case import delete, suite


def value(name, one, back=None):
    """A value that is stored, and comes back as it is or as `back`."""
    return Case(f"value: {name}", put({"v": one}), is_now(v=one if back is None else back))


def bad(name, one, *patterns):
    """A value that is refused, with nothing stored."""
    return Case(f"bad value: {name}", put({"v": one}).invalid(*patterns), is_gone())


def exact(item, **more):
    """A PutItem of an item whose key is not filled in."""
    return on_table("PutItem", more, Item=item)


ONE_TYPE = "must contain exactly one of the supported datatypes|supported data ?types"

test_values = suite(
    value("text", "text"),
    value("empty text", ""),
    value("text beyond ASCII", "žluťoučký 東京 🚲"),
    value("text with quotes and controls", 'a"b\\c\n\t\u0000\u001f/'),
    value("text with a surrogate pair's character", "\U0001f600"),
    value("number", 12),
    value("bytes", b"\x00\x01\xff"),
    value("empty bytes", b""),
    value("true", True),
    value("false", False),
    value("null", None),
    value("list of all types", ["a", 1, b"b", True, None, ["x"], {"y": 1}, {"s"}, {1}, {b"c"}]),
    value("empty list", []),
    value("empty map", {}),
    value("map of maps", {"a": {"b": {"c": 1}}}),
    value("map with a name of dots and brackets", {"a.b": 1, "c[0]": 2, "#d": 3, ":e": 4}),
    value("list of empty values", ["", b"", [], {}]),
    value("set of texts", {"a", "b", "c"}),
    value("set of an empty text", {""}),
    value("set of numbers", {1, 2, 3}),
    value("set of bytes", {b"a", b"b"}),
    value("set of an empty blob", {b""}),
    value("set of one", {"only"}),
    value("numbers of a set in their normal form", Raw({"NS": ["1.0", "02"]}), Raw({"NS": ["1",
        "2"]})),
    value("texts of a set that differ in case", {"a", "A"}),
    value("texts that normalise alike stay two", {"\u00e9", "e\u0301"}),
    value("deep map of 31 levels", eval('{"d":' * 30 + "1" + "}" * 30)),
    bad("no type", Raw({}), ONE_TYPE),
    bad("two types", Raw({"S": "a", "N": "1"}), ONE_TYPE),
    bad("empty set of texts", Raw({"SS": []}),
        "set.*may not be empty|should not be empty|empty set"),
    bad("empty set of numbers", Raw({"NS": []}),
        "set.*may not be empty|should not be empty|empty set"),
    bad("empty set of bytes", Raw({"BS": []}), "should not be empty|may not be empty|empty set"),
    bad("texts twice", Raw({"SS": ["a", "a"]}), "contains duplicates"),
    bad("numbers twice", Raw({"NS": ["1", "1.0"]}), "contains duplicates"),
    bad("bytes twice", Raw({"BS": [b"a", b"a"]}), "contains duplicates"),
    bad("no type in a list", [Raw({})], ONE_TYPE),
    bad("no type in a map", {"m": Raw({})}, ONE_TYPE),
    bad("two types deep down", {"m": [Raw({"S": "", "BOOL": True})]}, ONE_TYPE),
    bad("empty set deep down", {"m": [Raw({"SS": []})]}, "empty"),
    bad("a word as number", N("one"), "cannot be converted to a numeric value"),
    bad("an empty number", N(""), "cannot be converted to a numeric value"),
    bad("an empty number in a set", Raw({"NS": [""]}), "cannot be converted to a numeric value"),
    bad("a number with a blank", N(" 1"), "cannot be converted to a numeric value"),
    bad("infinity", N("Infinity"), "cannot be converted to a numeric value"),
    bad("not a number", N("NaN"), "cannot be converted to a numeric value"),
    bad("a number in hexadecimal", N("0x10"), "cannot be converted to a numeric value"),
    bad("a number with a bare exponent", N("1e"), "cannot be converted to a numeric value"),
    bad("a number with two points", N("1.2.3"), "cannot be converted to a numeric value"),
    bad("33 levels", eval('{"d":' * 33 + "1" + "}" * 33), "nesting"),
)

test_items = suite(
    Case("an item of its key alone", put(), is_now()),
    Case("it replaces the whole item", put({"a": 1, "b": 2}), put({"c": 3}), is_now(c=3)),
    Case("an attribute may be named like a reserved word", put({"status": 1, "Size": 2}),
         is_now(status=1, Size=2)),
    Case("attribute names are told apart by case", put({"a": 1, "A": 2}), is_now(a=1, A=2)),
    Case("attribute names may be any text", put({"ä 1.[0]#:": 1, "\U0001f600": 2}),
         is_now(**{"ä 1.[0]#:": 1, "\U0001f600": 2})),
    Case("an attribute name may not be empty", put({"": 1})
         .invalid("empty attribute name|at least")),
    Case("two tables keep their items apart",
         put({"n": 1}), get().gives(Item=me(n=1)),
         call("GetItem", TableName="@by-bytes", Key={"pk": b"no such"}).lacks("Item")),
    Case("the answer is empty by default", put({"a": 1}).exactly()),
)

test_keys = suite(
    Case("a key must be there", exact({"a": 1}).invalid("Missing the key pk in the item")),
    Case("a sort key must be there", exact({"pk": "$"}).invalid("Missing the key sk in the item"),
         table="range"),
    Case("a key has the type of the schema",
         exact({"pk": 1}).invalid("Type mismatch for key pk expected: S actual: N")),
    Case("a sort key has the type of the schema",
         put({"sk": "a"}).invalid("Type mismatch for key sk expected: N actual: S"),
         table="numbers"),
    Case("a key may not be a set",
         exact({"pk": {"a"}}).invalid("Type mismatch for key pk expected: S actual: SS")),
    Case("a key may not be null", exact({"pk": None}).invalid("Type mismatch for key")),
    Case("a key may not be an empty text",
         exact({"pk": ""}).invalid("cannot contain an empty string value. Key: pk")),
    Case("a sort key may not be an empty text",
         put({"sk": ""}).invalid("cannot contain an empty string value. Key: sk"), table="range"),
    Case("a sort key may not be empty bytes",
         put({"sk": b""}).invalid("cannot contain an empty binary value. Key: sk"), table="bytes"),
    Case("a partition key of bytes may not be empty",
         exact({"pk": b""}).invalid("cannot contain an empty binary value. Key: pk"),
         table="by-bytes"),
    Case("a key of bytes", exact({"pk": b"\x00\xff", "n": 1}),
         call("GetItem", TableName="@", Key={"pk": b"\x00\xff"})
         .gives(Item={"pk": b"\x00\xff", "n": 1}), table="by-bytes"),
    Case("a number is the same key however it is written",
         exact({"pk": N("1.50"), "n": 1}), exact({"pk": N("15e-1"), "n": 2}),
         call("GetItem", TableName="@", Key={"pk": N("0001.5")}).gives(Item={"pk": N("1.5"),
             "n": 2}),
         table="by-number"),
    Case("zero is one key, signed or not",
         exact({"pk": N("-0"), "n": 1}),
         call("GetItem", TableName="@", Key={"pk": N("0.00")}).gives(Item={"pk": N("0"), "n": 1}),
         table="by-number"),
    Case("a negative number is a key",
         exact({"pk": N("-1.5"), "n": 1}),
         call("GetItem", TableName="@", Key={"pk": N("-15E-1")}).gives(Item={"pk": N("-1.5"),
             "n": 1}),
         table="by-number"),
    Case("items of a partition differ by sort key",
         put({"sk": "a", "n": 1}), put({"sk": "b", "n": 2}),
         get({"sk": "a"}).gives(Item=me(sk="a", n=1)),
         get({"sk": "b"}).gives(Item=me(sk="b", n=2)), table="range"),
    Case("keys are told apart by case", put({"sk": "a"}), get({"sk": "A"}).lacks("Item"),
         table="range"),
    Case("key attributes come back with the item",
         put({"sk": N("7.0"), "n": 1}), get({"sk": 7}).gives(Item=me(sk=7, n=1)), table="numbers"),
)

test_returns = suite(
    Case("ALL_OLD of nothing", put({"a": 1}, returns="ALL_OLD").exactly()),
    Case("ALL_OLD of an item", put({"a": 1, "s": {"x", "y"}}),
         put({"b": 2}, returns="ALL_OLD").exactly(Attributes=me(a=1, s={"x", "y"}))),
    Case("NONE", put({"a": 1}), put({"b": 2}, returns="NONE").exactly()),
    *[
        Case(f"{mode} is for updates alone", put(returns=mode).invalid("ALL_OLD or NONE"))
        for mode in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
    ],
    Case("an unknown ReturnValues", put(returns="OLD").invalid("validation error", "returnValues",
         "enum value set")),
    Case("an unknown ReturnConsumedCapacity",
         put(capacity="SUM").invalid("returnConsumedCapacity", "INDEXES, TOTAL, NONE")),
    Case("an unknown ReturnItemCollectionMetrics",
         put(metrics="ALL").invalid("returnItemCollectionMetrics", "SIZE, NONE")),
    Case("an unknown ReturnValuesOnConditionCheckFailure",
         put(on_failure="NEW").invalid("returnValuesOnConditionCheckFailure", "ALL_OLD, NONE")),
    Case("several broken constraints are told together",
         put(returns="OLD", capacity="SUM").invalid("2 validation errors detected", "returnValues",
         "returnConsumedCapacity")),
    Case("metrics without local indexes are left out",
         put({"a": 1}, metrics="SIZE").lacks("ItemCollectionMetrics")),
)

test_conditions = suite(
    Case("a put of what must not be there", put({"a": 1}, cond="attribute_not_exists(pk)"),
         is_now(a=1)),
    Case("it is refused where it is there", put({"a": 1}),
         put({"a": 2}, cond="attribute_not_exists(pk)")
         .refused(CONDITION, "^The conditional request failed$"), is_now(a=1)),
    Case("a condition on the item before", put({"v": 1}),
         put({"v": 2}, cond="v = :v", values={"v": 1}),
         put({"v": 3}, cond="v = :v", values={"v": 1}).refused(CONDITION), is_now(v=2)),
    Case("a condition on no item", put({"v": 1}, cond="v = :v", values={"v": 1}).refused(CONDITION),
         is_gone()),
    Case("a failed condition answers with the item if asked", put({"v": 1, "s": {"a"}}),
         put({}, cond="v = :v", values={"v": 2}, on_failure="ALL_OLD")
         .refused(CONDITION, Item=me(v=1, s={"a"}))),
    Case("a failed condition answers without the item by default", put({"v": 1}),
         put({}, cond="v = :v", values={"v": 2}).refused(CONDITION).lacks("Item")),
    Case("a failed condition on no item has none to answer with",
         put({}, cond="attribute_exists(pk)", on_failure="ALL_OLD")
         .refused(CONDITION).lacks("Item")),
    Case("ALL_OLD beside a condition that holds", put({"v": 1}),
         put({"v": 2}, cond="v = :v", values={"v": 1}, returns="ALL_OLD", on_failure="ALL_OLD")
         .exactly(Attributes=me(v=1))),
    Case("an empty condition", put(cond="").invalid("Invalid ConditionExpression",
                                                    "can not be empty")),
    Case("values without an expression", put(values={"v": 1})
         .invalid("ExpressionAttributeValues can only be specified when using expressions")),
    Case("names without an expression", put(names={"n": "a"})
         .invalid("ExpressionAttributeNames can only be specified when using expressions")),
    Case("an unused value", put(cond="attribute_not_exists(pk)", values={"v": 1})
         .invalid("unused in expressions: keys: {:v}")),
    Case("an unused name", put(cond="attribute_not_exists(pk)", names={"n": "a"})
         .invalid("unused in expressions: keys: {#n}")),
    Case("the condition is read before the table is looked up",
         put(cond="a =", TableName="no-such-table").invalid("Syntax error")),
    Case("the item is checked before the table is looked up",
         put({"v": Raw({})}, TableName="no-such-table").invalid(ONE_TYPE)),
    Case("a table that is not there",
         put(TableName="no-such-table").refused(NOT_FOUND, "^Requested resource not found")),
)

test_delete = suite(
    Case("it removes an item", put({"a": 1}), delete().exactly(), is_gone()),
    Case("removing nothing is no fault", delete().exactly()),
    Case("ALL_OLD of what is removed", put({"a": 1}),
         delete(returns="ALL_OLD").exactly(Attributes=me(a=1)), is_gone()),
    Case("ALL_OLD of nothing removed", delete(returns="ALL_OLD").exactly()),
    *[
        Case(f"{mode} is not for deletes", delete(returns=mode).invalid("ALL_OLD or NONE"))
        for mode in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
    ],
    Case("a condition that holds", put({"a": 1}), delete(cond="a = :a", values={"a": 1}),
         is_gone()),
    Case("a condition that does not", put({"a": 1}),
         delete(cond="a = :a", values={"a": 2}).refused(CONDITION), is_now(a=1)),
    Case("the item of a failed condition", put({"a": 1}),
         delete(cond="a = :a", values={"a": 2}, on_failure="ALL_OLD")
         .refused(CONDITION, Item=me(a=1))),
    Case("a condition on nothing", delete(cond="attribute_exists(pk)").refused(CONDITION)),
    Case("a key of too many attributes",
         delete({"a": 1}).invalid("The provided key element does not match the schema")),
    Case("a key of too few attributes",
         delete().invalid("The provided key element does not match the schema"), table="range"),
    Case("a key of the wrong type", delete({"sk": 1})
         .invalid("The provided key element does not match the schema"), table="range"),
    Case("an empty key value", delete({"sk": ""}).invalid("empty string value"), table="range"),
    Case("one of two items of a partition", put({"sk": "a"}), put({"sk": "b"}), delete({"sk": "a"}),
         get({"sk": "a"}).lacks("Item"), get({"sk": "b"}).gives(Item=me(sk="b")), table="range"),
    Case("a table that is not there", delete(TableName="no-such-table").refused(NOT_FOUND)),
)
