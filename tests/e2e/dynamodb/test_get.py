"""GetItem and projections: which parts of an item come back."""

from case import NOT_FOUND, Case, Raw, call, get, me, on_table, put, suite

ITEM = {
    "a": 1,
    "b": "two",
    "status": "open",
    "m": {"x": 1, "y": {"z": [1, 2, {"deep": True}]}, "size": 3},
    "l": [10, [20, 21], {"k": "v"}, 40],
    "a.b": "dots",
    "z": None,
}


def shows(name, project, wanted, **names):
    """What a projection shows of ITEM."""
    more = {"names": names} if names else {}
    return Case(f"shows: {name}", put(ITEM), get(project=project, **more).exactly(Item=wanted))


def invalid(name, project, *patterns, **names):
    more = {"names": names} if names else {}
    return Case(f"invalid: {name}", get(project=project, **more).invalid(*patterns))


test_get = suite(
    Case("an item", put({"a": 1}), get().exactly(Item=me(a=1))),
    Case("no item", get().exactly()),
    Case("an item, read eventually", put({"a": 1}), get(consistent=False).exactly(Item=me(a=1))),
    Case("without a word on consistency", put({"a": 1}),
         on_table("GetItem", {}, Key=me()).exactly(Item=me(a=1))),
    Case("a key of too many attributes",
         get({"a": 1}).invalid("The provided key element does not match the schema")),
    Case("a key of too few attributes",
         get().invalid("The provided key element does not match the schema"), table="range"),
    Case("a key without the partition",
         on_table("GetItem", {}, Key={"sk": "a"})
         .invalid("The provided key element does not match the schema"), table="range"),
    Case("an empty key",
         on_table("GetItem", {}, Key={}).invalid("The provided key element does not match")),
    Case("a key of another attribute",
         on_table("GetItem", {}, Key={"other": "a"}).invalid("key element does not match")),
    Case("a key of the wrong type",
         on_table("GetItem", {}, Key={"pk": 1}).invalid("key element does not match the schema")),
    Case("an empty text as key",
         on_table("GetItem", {}, Key={"pk": ""}).invalid("empty string value. Key: pk")),
    Case("a key of no type",
         on_table("GetItem", {}, Key={"pk": Raw({})}).invalid("Supplied AttributeValue is empty")),
    Case("a key of two types",
         on_table("GetItem", {}, Key={"pk": Raw({"S": "a", "N": "1"})})
         .invalid("more than one datatypes")),
    Case("no key", call("GetItem", TableName="@").invalid("'key' failed.*must not be null")),
    Case("no table",
         call("GetItem", Key={"pk": "a"}).invalid("'tableName' failed.*must not be null|required")),
    Case("a table that is not there", get(TableName="no-such-table")
         .refused(NOT_FOUND, "^Requested resource not found")),
    Case("a table's name that is too long",
         get(TableName="a" * 256).invalid("'tableName'", "less than or equal to 255")),
    Case("a table's name with a blank",
         get(TableName="a b c").invalid("'tableName'", "regular expression pattern")),
    Case("an unknown ReturnConsumedCapacity", get(capacity="ALL")
         .invalid("returnConsumedCapacity")),
)

test_projections = suite(
    shows("one attribute", "a", {"a": 1}),
    shows("several attributes", "a, b, z", {"a": 1, "b": "two", "z": None}),
    shows("no key unless asked", "b", {"b": "two"}),
    shows("the key if asked", "pk, b", me(b="two")),
    shows("what is not there", "nope", {}),
    shows("what is there beside what is not", "nope, a", {"a": 1}),
    shows("a member", "m.x", {"m": {"x": 1}}),
    shows("several members of a map", "m.x, m.y.z[0]", {"m": {"x": 1, "y": {"z": [1]}}}),
    shows("a member of nothing", "m.nope", {}),
    shows("an element", "l[0]", {"l": [10]}),
    shows("several elements in their order", "l[3], l[0]", {"l": [10, 40]}),
    shows("an element of an element", "l[1][1]", {"l": [[21]]}),
    shows("a member of an element", "l[2].k", {"l": [{"k": "v"}]}),
    shows("an element beyond the end", "l[9]", {}),
    shows("a path of all kinds", "m.y.z[2].deep", {"m": {"y": {"z": [{"deep": True}]}}}),
    shows("an index into a map", "m[0]", {}),
    shows("a member of a list", "l.x", {}),
    shows("a member of text", "b.x", {}),
    shows("a name that is reserved", "#s", {"status": "open"}, s="status"),
    shows("a name with dots", "#d", {"a.b": "dots"}, d="a.b"),
    shows("a placeholder in a path", "m.#s", {"m": {"size": 3}}, s="size"),
    shows("two placeholders of one path", "#m.#x", {"m": {"x": 1}}, m="m", x="x"),
    shows("white space", " a ,\n\tb ", {"a": 1, "b": "two"}),
    Case("shows: nothing of nothing", get(project="a").exactly()),
    invalid("nothing", "", "expression can not be empty"),
    invalid("a trailing comma", "a,", "Syntax error"),
    invalid("a value", ":v", "Syntax error"),
    invalid("a star", "*", "Syntax error"),
    invalid("a reserved word", "status", "reserved keyword; reserved keyword: status"),
    invalid("a reserved word in a path", "m.status", "reserved keyword"),
    invalid("an undefined name", "#nope", "attribute name: #nope"),
    invalid("an unused name", "a", "unused in expressions: keys: {#x}", x="x"),
    invalid("one path twice", "a, a", "Two document paths overlap"),
    invalid("a path within another", "m, m.x", "Two document paths overlap"),
    invalid("an element within its list", "l[0], l", "Two document paths overlap"),
    invalid("a map that is a list", "m.x, m[0]", "Two document paths conflict"),
    invalid("one path by two names", "a, #a", "overlap", a="a"),
    invalid("an open bracket", "l[0", "Syntax error"),
    invalid("an index that is none", "l[x]", "Syntax error"),
    invalid("an index of many digits", "l[99999999999]", "index is not within the allowable range"),
    invalid("two dots", "m..x", "Syntax error"),
    invalid("more than 4 KB", "a" * 4097, "Expression size has exceeded"),
    invalid("a function", "size(a)", "Syntax error"),
)

test_attributes_to_get = suite(
    Case("some attributes", put(ITEM), get(attributes=["a", "nope", "status"])
         .exactly(Item={"a": 1, "status": "open"})),
    Case("the key", put(ITEM), get(attributes=["pk"]).exactly(Item=me())),
    Case("a name with dots is one attribute", put(ITEM),
         get(attributes=["a.b"]).exactly(Item={"a.b": "dots"})),
    Case("a path is no attribute", put(ITEM), get(attributes=["m.x"]).exactly(Item={})),
    Case("an attribute twice",
         get(attributes=["a", "a"]).invalid("Duplicate value in attribute name")),
    Case("an empty name", get(attributes=[""]).invalid("Empty attribute name|length")),
    Case("no attribute", get(attributes=[]).invalid("attributesToGet|length|at least")),
    Case("beside a projection", get(attributes=["a"], project="a")
         .invalid("Can not use both expression and non-expression parameters",
                  "AttributesToGet", "ProjectionExpression")),
    Case("beside names", get(attributes=["a"], names={"a": "a"})
         .invalid("ExpressionAttributeNames can only be specified when using expressions")),
)
