"""Parameters from before expressions: Expected, AttributeUpdates, KeyConditions and filters."""

from case import CONDITION, Case, N, Raw, delete, get, is_gone, is_now, me, on_table, put, query
from case import scan, suite, update

ITEM = {
    "s": "banana",
    "n": 5,
    "b": b"\x01\x02",
    "t": True,
    "z": None,
    "l": [1, "two"],
    "m": {"x": 1},
    "ss": {"a", "b"},
    "ns": {1, 2},
}
UNKNOWN = "validation error|enum value set|Unsupported"


def operator(name, *values):
    given = {"AttributeValueList": list(values)} if values else {}
    return {"ComparisonOperator": name, **given}


def holds(name, test, *values):
    """A test of an attribute that holds on ITEM."""
    return Case(f"holds: {name} {test} {values}", put(ITEM),
                put(ITEM, expected={name: operator(test, *values)}))


def fails(name, test, *values):
    return Case(f"fails: {name} {test} {values}", put(ITEM),
                put(ITEM, expected={name: operator(test, *values)}).refused(CONDITION))


def invalid(name, expected, *patterns, **more):
    return Case(f"invalid: {name}", put(ITEM, expected=expected, **more).invalid(*patterns))


test_operators = suite(
    holds("s", "EQ", "banana"),
    fails("s", "EQ", "Banana"),
    fails("s", "EQ", 5),
    holds("n", "EQ", N("5.0")),
    holds("l", "EQ", [1, "two"]),
    holds("m", "EQ", {"x": 1}),
    holds("ss", "EQ", Raw({"SS": ["b", "a"]})),
    holds("z", "EQ", None),
    fails("nope", "EQ", "x"),
    holds("s", "NE", "apple"),
    fails("s", "NE", "banana"),
    holds("s", "NE", 5),
    holds("n", "LT", 6),
    fails("n", "LT", 5),
    fails("n", "LT", "6"),
    holds("n", "LE", 5),
    holds("n", "GT", 4),
    holds("n", "GE", 5),
    holds("s", "GT", "ban"),
    holds("b", "LT", b"\x02"),
    fails("nope", "LT", 5),
    holds("n", "BETWEEN", 5, 6),
    fails("n", "BETWEEN", 6, 7),
    holds("s", "BETWEEN", "a", "c"),
    holds("n", "IN", 1, 5),
    fails("n", "IN", 1, 2),
    holds("s", "IN", "banana"),
    holds("s", "NOT_NULL"),
    holds("z", "NOT_NULL"),
    fails("nope", "NOT_NULL"),
    holds("nope", "NULL"),
    fails("z", "NULL"),
    holds("s", "BEGINS_WITH", "ban"),
    fails("s", "BEGINS_WITH", "nan"),
    fails("n", "BEGINS_WITH", "5"),
    holds("b", "BEGINS_WITH", b"\x01"),
    holds("s", "CONTAINS", "nan"),
    holds("ss", "CONTAINS", "a"),
    holds("ns", "CONTAINS", 2),
    holds("l", "CONTAINS", "two"),
    fails("ss", "CONTAINS", "c"),
    fails("nope", "CONTAINS", "c"),
    holds("s", "NOT_CONTAINS", "x"),
    fails("s", "NOT_CONTAINS", "nan"),
    holds("ss", "NOT_CONTAINS", "c"),
)

test_expected = suite(
    Case("a value", put({"a": 1}), put({"a": 2}, expected={"a": {"Value": 1}}), is_now(a=2)),
    Case("a value that is another", put({"a": 1}),
         put({"a": 2}, expected={"a": {"Value": 9}}).refused(CONDITION), is_now(a=1)),
    Case("a value that exists", put({"a": 1}),
         put({"a": 2}, expected={"a": {"Value": 1, "Exists": True}}), is_now(a=2)),
    Case("a value on no item", put({}, expected={"a": {"Value": 1}}).refused(CONDITION), is_gone()),
    Case("nothing that exists", put({"a": 1}, expected={"pk": {"Exists": False}}), is_now(a=1)),
    Case("something that must not exist", put({"a": 1}),
         put({"a": 2}, expected={"pk": {"Exists": False}}).refused(CONDITION)),
    Case("two, both hold", put({"a": 1, "b": 2}),
         put({}, expected={"a": {"Value": 1}, "b": {"Value": 2}}), is_now()),
    Case("two, one holds", put({"a": 1, "b": 2}),
         put({}, expected={"a": {"Value": 1}, "b": {"Value": 9}}).refused(CONDITION)),
    Case("two joined by OR", put({"a": 1, "b": 2}),
         put({}, expected={"a": {"Value": 1}, "b": {"Value": 9}}, joined="OR"), is_now()),
    Case("two joined by OR, none holds", put({"a": 1, "b": 2}),
         put({}, expected={"a": {"Value": 8}, "b": {"Value": 9}}, joined="OR").refused(CONDITION)),
    Case("two joined by AND", put({"a": 1, "b": 2}),
         put({}, expected={"a": {"Value": 1}, "b": {"Value": 9}}, joined="AND").refused(CONDITION)),
    Case("a value beside an operator", put({"a": 1}),
         put({}, expected={"a": {"Value": 2, "ComparisonOperator": "LT"}}), is_now()),
    Case("of a delete", put({"a": 1}), delete(expected={"a": {"Value": 1}}), is_gone()),
    Case("of a delete that is refused", put({"a": 1}),
         delete(expected={"a": {"Value": 2}}).refused(CONDITION), is_now(a=1)),
    Case("of an update", put({"a": 1}),
         update(expected={"a": {"Value": 1}}, updates={"a": {"Value": 2}}), is_now(a=2)),
    Case("of an update that is refused", put({"a": 1}),
         update(expected={"a": {"Value": 2}}, updates={"a": {"Value": 2}}).refused(CONDITION)),
    Case("a failed one answers with the item", put({"a": 1}),
         put({}, expected={"a": {"Value": 2}}, on_failure="ALL_OLD")
         .refused(CONDITION, Item=me(a=1))),
    invalid("a value that does not exist", {"a": {"Value": 1, "Exists": False}},
            "Value cannot be used when Exists is false"),
    invalid("existing without a value", {"a": {"Exists": True}},
            "Value must be provided when Exists is (true|null)"),
    invalid("nothing at all", {"a": {}}, "Value must be provided when Exists is (null|true)"),
    invalid("Exists beside an operator", {"a": {"Exists": True, "ComparisonOperator": "NULL"}},
            "Exists and ComparisonOperator cannot be used together"),
    invalid("Value beside a list", {"a": {"Value": 1, **operator("EQ", 1)}},
            "Value and AttributeValueList cannot be used together"),
    invalid("a list without an operator", {"a": {"AttributeValueList": [1]}},
            "AttributeValueList can only be used with a ComparisonOperator"),
    invalid("an operator without a value", {"a": operator("EQ")},
            "Value or AttributeValueList must be used with ComparisonOperator: EQ"),
    invalid("EQ of two", {"a": operator("EQ", 1, 2)}, "Invalid number of argument.* EQ"),
    invalid("BETWEEN of one", {"a": operator("BETWEEN", 1)},
            "Invalid number of argument.* BETWEEN"),
    invalid("BETWEEN of three", {"a": operator("BETWEEN", 1, 2, 3)}, "Invalid number of argument"),
    invalid("BETWEEN upside down", {"a": operator("BETWEEN", 2, 1)},
            "lower bound .*greater than the upper bound"),
    invalid("BETWEEN of two types", {"a": operator("BETWEEN", 1, "2")}, "same type"),
    invalid("NULL of a value", {"a": operator("NULL", 1)}, "Invalid number of argument.* NULL"),
    invalid("BEGINS_WITH of a number", {"a": operator("BEGINS_WITH", 1)},
            "BEGINS_WITH is not valid for N AttributeValue type"),
    invalid("LT of a list", {"a": operator("LT", [1])},
            "LT is not valid for L AttributeValue type"),
    invalid("CONTAINS of a set", {"a": operator("CONTAINS", {"x"})},
            "CONTAINS is not valid for SS AttributeValue type"),
    invalid("an unknown operator", {"a": operator("LIKE", "x")}, UNKNOWN),
    invalid("an empty set", {"a": {"Value": Raw({"SS": []})}}, "empty"),
    invalid("beside an expression", {"a": {"Value": 1}},
            "Can not use both expression and non-expression", "Expected", "ConditionExpression",
            cond="attribute_exists(a)"),
    invalid("ConditionalOperator beside an expression", {"a": {"Value": 1}, "b": {"Value": 1}},
            "Can not use both expression and non-expression", joined="OR",
            cond="attribute_exists(a)"),
    invalid("ConditionalOperator of one", {"a": {"Value": 1}},
            "ConditionalOperator can only be used when Filter or Expected has two or more",
            joined="OR"),
    invalid("an unknown ConditionalOperator", {"a": {"Value": 1}, "b": {"Value": 1}}, UNKNOWN,
            joined="XOR"),
    Case("invalid: ConditionalOperator alone", put(joined="OR")
         .invalid("ConditionalOperator cannot be used without Filter or Expected")),
)


def becomes(name, before, updates, after):
    return Case(f"updates: {name}", put(before), update(updates=updates), is_now(**after))


def refused(name, before, updates, *patterns):
    return Case(f"updates refused: {name}", put(before), update(updates=updates).invalid(*patterns),
                is_now(**before))


test_updates = suite(
    becomes("PUT", {"a": 1}, {"a": {"Value": 2, "Action": "PUT"}}, {"a": 2}),
    becomes("PUT by default", {}, {"a": {"Value": "x"}}, {"a": "x"}),
    becomes("PUT of several", {"a": 1}, {"a": {"Value": 2}, "b": {"Value": 3}}, {"a": 2, "b": 3}),
    becomes("a name with dots is one attribute", {}, {"a.b": {"Value": 1}}, {"a.b": 1}),
    becomes("a reserved word", {}, {"status": {"Value": 1}}, {"status": 1}),
    becomes("DELETE of an attribute", {"a": 1, "b": 2}, {"a": {"Action": "DELETE"}}, {"b": 2}),
    becomes("DELETE of nothing", {"b": 2}, {"a": {"Action": "DELETE"}}, {"b": 2}),
    becomes("DELETE from a set", {"s": {"a", "b"}}, {"s": {"Action": "DELETE", "Value": {"a"}}},
            {"s": {"b"}}),
    becomes("DELETE of all of a set", {"s": {"a"}}, {"s": {"Action": "DELETE", "Value": {"a"}}},
            {}),
    becomes("ADD to a number", {"n": 1}, {"n": {"Action": "ADD", "Value": 2}}, {"n": 3}),
    becomes("ADD to nothing", {}, {"n": {"Action": "ADD", "Value": 2}}, {"n": 2}),
    becomes("ADD to a set", {"s": {1}}, {"s": {"Action": "ADD", "Value": {2}}}, {"s": {1, 2}}),
    becomes("ADD of a set to nothing", {}, {"s": {"Action": "ADD", "Value": {"a"}}}, {"s": {"a"}}),
    becomes("ADD to a list appends", {"l": [1]}, {"l": {"Action": "ADD", "Value": ["x"]}},
            {"l": [1, "x"]}),
    becomes("ADD of a list to nothing", {}, {"l": {"Action": "ADD", "Value": [1]}}, {"l": [1]}),
    Case("updates: no updates make the item of its key", update(updates={}), is_now()),
    Case("updates: DELETE alone makes no item", update(updates={"a": {"Action": "DELETE"}}),
         is_gone()),
    Case("updates: ADD makes the item", update(updates={"n": {"Action": "ADD", "Value": 1}}),
         is_now(n=1)),
    Case("updates: UPDATED_OLD", put({"a": 1, "b": 2}),
         update(updates={"a": {"Value": 9}}, returns="UPDATED_OLD").exactly(Attributes={"a": 1})),
    Case("updates: UPDATED_NEW", put({"a": 1, "b": 2}),
         update(updates={"a": {"Action": "ADD", "Value": 9}}, returns="UPDATED_NEW")
         .exactly(Attributes={"a": 10})),
    Case("updates: ALL_NEW", put({"a": 1, "b": 2}),
         update(updates={"a": {"Value": 9}}, returns="ALL_NEW").exactly(Attributes=me(a=9, b=2))),
    refused("of the key", {"a": 1}, {"pk": {"Value": "x"}},
            "Cannot update attribute pk. This attribute is part of the key"),
    refused("PUT without a value", {}, {"a": {"Action": "PUT"}},
            "Only DELETE action is allowed when no attribute value is specified"),
    refused("ADD without a value", {}, {"a": {"Action": "ADD"}},
            "Only DELETE action is allowed when no attribute value is specified"),
    refused("ADD of text", {}, {"a": {"Action": "ADD", "Value": "x"}},
            "ADD.*type|type.*ADD|not supported"),
    refused("ADD of a map", {}, {"a": {"Action": "ADD", "Value": {}}}, "type"),
    refused("ADD of a number to text", {"a": "x"}, {"a": {"Action": "ADD", "Value": 1}},
            "Type mismatch|incorrect data type"),
    refused("ADD of a set of another type", {"a": {1}}, {"a": {"Action": "ADD", "Value": {"x"}}},
            "Type mismatch|incorrect data type"),
    refused("DELETE of a number", {"a": 1}, {"a": {"Action": "DELETE", "Value": 1}}, "type"),
    refused("DELETE of a set of another type", {"a": {1}},
            {"a": {"Action": "DELETE", "Value": {"x"}}}, "Type mismatch|incorrect data type"),
    refused("an unknown action", {}, {"a": {"Action": "SET", "Value": 1}}, UNKNOWN),
    refused("an empty set", {}, {"a": {"Value": Raw({"NS": []})}}, "empty"),
    refused("an empty name", {}, {"": {"Value": 1}}, "name|length"),
    Case("updates refused: beside an expression",
         update("SET a = :a", values={"a": 1}, updates={"b": {"Value": 1}})
         .invalid("Can not use both expression and non-expression", "AttributeUpdates",
                  "UpdateExpression")),
    Case("updates refused: beside a condition",
         update(cond="attribute_exists(a)", updates={"b": {"Value": 1}})
         .invalid("Can not use both expression and non-expression")),
)

LETTERS = [put({"sk": letter, "n": at}) for at, letter in enumerate("abcdef")]
MINE = {"pk": operator("EQ", "$")}


def finds(name, test, values, keys, **more):
    conditions = {**MINE, "sk": operator(test, *values)}
    return Case(f"key condition: {name}", *LETTERS, query(KeyConditions=conditions, **more)
                .gives(Items=[me(sk=key, n="abcdef".index(key)) for key in keys]), table="range")


def bad(name, conditions, *patterns, where=None, **more):
    return Case(f"key condition refused: {name}",
                query(where, KeyConditions=conditions, **more).invalid(*patterns), table="range")


test_key_conditions = suite(
    finds("EQ", "EQ", ["c"], "c"),
    finds("LT", "LT", ["c"], "ab"),
    finds("LE", "LE", ["c"], "abc"),
    finds("GT", "GT", ["c"], "def"),
    finds("GE", "GE", ["c"], "cdef"),
    finds("BETWEEN", "BETWEEN", ["b", "d"], "bcd"),
    finds("BEGINS_WITH", "BEGINS_WITH", ["c"], "c"),
    finds("backwards", "GT", ["c"], "fed", forward=False),
    Case("key condition: the partition alone", *LETTERS, query(KeyConditions=MINE).gives(Count=6),
         table="range"),
    bad("none", {}, "KeyConditions|key condition"),
    bad("no partition", {"sk": operator("EQ", "a")},
        "Query condition missed key schema element: pk"),
    bad("the partition by LT", {"pk": operator("LT", "a")}, "Query key condition not supported"),
    bad("NE", {**MINE, "sk": operator("NE", "a")},
        "not supported|unsupported|not an indexable operation"),
    bad("CONTAINS", {**MINE, "sk": operator("CONTAINS", "a")},
        "not supported|unsupported|not an indexable operation"),
    bad("another attribute", {**MINE, "n": operator("EQ", 1)},
        "Query condition missed key schema element: sk"),
    bad("three", {**MINE, "sk": operator("EQ", "a"), "n": operator("EQ", 1)}, "length 1 or 2"),
    bad("the wrong type", {**MINE, "sk": operator("EQ", 1)}, "type does not match schema type"),
    bad("EQ of two", {**MINE, "sk": operator("EQ", "a", "b")}, "Invalid number of argument"),
    bad("beside its expression", MINE, "Can not use both expression and non-expression",
        where="pk = :pk", values={"pk": "$"}),
    bad("beside a filter of the other kind", MINE,
        "Can not use both expression and non-expression",
        "Non-expression parameters: {QueryFilter}",
        filter="n = :n", values={"n": 1}, QueryFilter={"n": operator("EQ", 1)}),
    Case("key condition: beside other expressions", *LETTERS,
         query(KeyConditions=MINE, filter="n > :n", values={"n": 3}, project="sk")
         .gives(Items=[{"sk": "e"}, {"sk": "f"}], ScannedCount=6), table="range"),
)

test_filters = suite(
    Case("QueryFilter", *LETTERS,
         query(KeyConditions=MINE, QueryFilter={"n": operator("GE", 4)})
         .gives(Count=2, ScannedCount=6), table="range"),
    Case("QueryFilter of two", *LETTERS,
         query(KeyConditions=MINE, QueryFilter={"n": operator("GE", 4), "x": operator("NOT_NULL")})
         .gives(Count=0), table="range"),
    Case("QueryFilter of two by OR", *LETTERS,
         query(KeyConditions=MINE, joined="OR",
               QueryFilter={"n": operator("GE", 4), "x": operator("NOT_NULL")})
         .gives(Count=2), table="range"),
    Case("QueryFilter on the key",
         query(KeyConditions=MINE, QueryFilter={"sk": operator("EQ", "a")})
         .invalid("QueryFilter can only contain non-primary key attributes|Filter Expression can "
                  "only contain non-primary key attributes"), table="range"),
    Case("QueryFilter of an unknown operator",
         query(KeyConditions=MINE, QueryFilter={"n": operator("LIKE", 1)}).invalid(UNKNOWN),
         table="range"),
    Case("QueryFilter without operator",
         query(KeyConditions=MINE, QueryFilter={"n": {"AttributeValueList": [1]}})
         .invalid("comparisonOperator|null"), table="range"),
    Case("AttributesToGet of a query", *LETTERS,
         query(KeyConditions=MINE, attributes=["n"], limit=1).gives(Items=[{"n": 0}]),
         table="range"),
    Case("ScanFilter", put({"a": "$1"}),
         scan(ScanFilter={"a": operator("EQ", "$1")}).gives(Items=[me(a="$1")])),
    Case("ScanFilter on the key", put({"a": 1}),
         scan(ScanFilter={"pk": operator("EQ", "$")}).gives(Items=[me(a=1)])),
    Case("ScanFilter by OR", put({"a": "$1"}),
         scan(ScanFilter={"a": operator("EQ", "$1"), "pk": operator("EQ", "$")}, joined="OR")
         .gives(Items=[me(a="$1")])),
    Case("ScanFilter of no attribute", scan(ScanFilter={"a": operator("EQ")}).invalid("argument")),
    Case("ConditionalOperator without a filter",
         scan(joined="OR")
         .invalid("ConditionalOperator cannot be used without Filter or Expected")),
    Case("AttributesToGet beside a filter expression",
         scan(attributes=["a"], filter="a = :a", values={"a": 1})
         .invalid("Can not use both expression and non-expression")),
    Case("AttributesToGet of a get", put({"a": 1, "b": 2}),
         on_table("GetItem", {}, Key=me(), AttributesToGet=["b"]).exactly(Item={"b": 2})),
    Case("AttributesToGet of a get of nothing", get(attributes=["b"]).exactly()),
)
