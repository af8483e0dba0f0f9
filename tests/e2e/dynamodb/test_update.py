"""UpdateItem: SET, REMOVE, ADD, DELETE, their functions and paths, and what is answered."""

from case import CONDITION, NOT_FOUND, Case, N, Raw, delete, get, is_gone, is_now, me, put, suite
from case import update

INVALID_PATH = "document path provided in the update expression is invalid for update"
MISSING = "refers to an attribute that does not exist in the item"
WRONG_TYPE = "incorrect data type"
SYNTAX = "Invalid UpdateExpression: Syntax error"


def case(name, before, expression, after, **values):
    """An item, an update, the item then."""
    more = {"values": values} if values else {}
    return Case(name, put(before), update(expression, **more), is_now(**after))


def fails(name, before, expression, *patterns, names=None, **values):
    """An update that is refused and leaves the item as it was."""
    more = ({"values": values} if values else {}) | ({"names": names} if names else {})
    return Case(name, put(before), update(expression, **more).invalid(*patterns), is_now(**before))


test_set = suite(
    case("SET makes an attribute", {"a": 1}, "SET b = :b", {"a": 1, "b": 2}, b=2),
    case("SET replaces an attribute", {"a": 1}, "SET a = :a", {"a": "x"}, a="x"),
    case("SET of several", {}, "SET a = :a, b = :b, c = :a", {"a": 1, "b": 2, "c": 1}, a=1, b=2),
    case("SET from another attribute", {"a": [1]}, "SET b = a", {"a": [1], "b": [1]}),
    case("SET from itself", {"a": 1}, "SET a = a", {"a": 1}),
    case("SET swaps two attributes", {"a": 1, "b": 2}, "SET a = b, b = a", {"a": 2, "b": 1}),
    case("SET reads the item before", {"a": 1}, "SET b = a, a = :v", {"a": 2, "b": 1}, v=2),
    case("SET adds", {"a": 1}, "SET a = a + :v", {"a": 3}, v=2),
    case("SET subtracts", {"a": 1}, "SET a = a - :v", {"a": -1}, v=2),
    case("SET adds two attributes", {"a": 1, "b": 2}, "SET c = a + b", {"a": 1, "b": 2, "c": 3}),
    case("SET subtracts from a value", {"a": 1}, "SET a = :v - a", {"a": 4}, v=5),
    case("SET adds two values", {}, "SET a = :v + :v", {"a": 10}, v=5),
    case("if_not_exists of nothing", {}, "SET a = if_not_exists(a, :v)", {"a": 5}, v=5),
    case("if_not_exists of something", {"a": 1}, "SET a = if_not_exists(a, :v)", {"a": 1}, v=5),
    case("if_not_exists of another attribute", {"b": 2}, "SET a = if_not_exists(b, :v)",
         {"a": 2, "b": 2}, v=5),
    case("if_not_exists falls back to an attribute", {"b": 2}, "SET a = if_not_exists(a, b)",
         {"a": 2, "b": 2}),
    case("a counter from nothing", {}, "SET a = if_not_exists(a, :zero) + :one", {"a": 1},
         zero=0, one=1),
    case("if_not_exists inside itself", {"c": 3}, "SET a = if_not_exists(a, if_not_exists(b, c))",
         {"a": 3, "c": 3}),
    case("if_not_exists of a null attribute keeps it", {"a": None},
         "SET a = if_not_exists(a, :v)", {"a": None}, v=5),
    case("list_append at the end", {"l": [1]}, "SET l = list_append(l, :v)", {"l": [1, 2]}, v=[2]),
    case("list_append at the start", {"l": [1]}, "SET l = list_append(:v, l)", {"l": [2, 1]},
         v=[2]),
    case("list_append to nothing", {}, "SET l = list_append(if_not_exists(l, :none), :v)",
         {"l": [2]}, v=[2], none=[]),
    case("list_append of a list to itself", {"l": [1, 2]}, "SET l = list_append(l, l)",
         {"l": [1, 2, 1, 2]}),
    case("list_append of an empty list", {"l": [1]}, "SET l = list_append(l, :v)", {"l": [1]},
         v=[]),
    case("SET inside a map", {"m": {"a": 1}}, "SET m.b = :v", {"m": {"a": 1, "b": 2}}, v=2),
    case("SET deep inside", {"m": {"l": [{"a": 1}]}}, "SET m.l[0].a = :v",
         {"m": {"l": [{"a": 2}]}}, v=2),
    case("SET an element", {"l": [1, 2, 3]}, "SET l[1] = :v", {"l": [1, 9, 3]}, v=9),
    case("SET beyond the end appends", {"l": [1]}, "SET l[7] = :v", {"l": [1, 9]}, v=9),
    case("SET several beyond the end keeps their order", {"l": [1]},
         "SET l[9] = :b, l[5] = :a", {"l": [1, "a", "b"]}, a="a", b="b"),
    case("SET several elements", {"l": [1, 2, 3]}, "SET l[0] = :a, l[2] = :b",
         {"l": [8, 2, 9]}, a=8, b=9),
    case("SET copies out of a list", {"l": [1, {"x": 2}]}, "SET a = l[1].x",
         {"l": [1, {"x": 2}], "a": 2}),
    case("SET a map and later its member", {"m": {"a": 1}}, "SET m = :m", {"m": {"b": 2}},
         m={"b": 2}),
    case("SET an empty text", {"a": 1}, "SET a = :v", {"a": ""}, v=""),
    case("SET a set", {}, "SET a = :v", {"a": {"x", "y"}}, v={"x", "y"}),
    case("keywords in any case", {}, "set a = :v", {"a": 1}, v=1),
    case("white space of all kinds", {}, "SET\ta\n=\r\n :v", {"a": 1}, v=1),
    case("no white space where none is needed", {"a": 1}, "SET a=a+:v,b=:v", {"a": 2, "b": 1}, v=1),
    case("parentheses around an operand", {"a": 1}, "SET a = (a + :v)", {"a": 2}, v=1),
    fails("SET from nothing", {}, "SET a = b", MISSING),
    fails("SET a sum with nothing", {}, "SET a = a + :v", MISSING, v=1),
    fails("SET from a missing element", {"l": [1]}, "SET a = l[1]", MISSING),
    fails("SET a sum with text", {"a": "x"}, "SET a = a + :v", WRONG_TYPE, v=1),
    fails("SET a sum with a text value", {"a": 1}, "SET a = a + :v",
          "Incorrect operand type for operator or function.*operator or function: \\+", v="x"),
    fails("SET a difference with a list value", {"a": 1}, "SET a = a - :v",
          "Incorrect operand type", v=[1]),
    fails("list_append to nothing fails", {}, "SET l = list_append(l, :v)", MISSING, v=[1]),
    fails("list_append to text", {"l": "x"}, "SET l = list_append(l, :v)", WRONG_TYPE, v=[1]),
    fails("list_append of a number", {"l": []}, "SET l = list_append(l, :v)",
          "Incorrect operand type.*list_append", v=1),
    fails("list_append of one operand", {"l": []}, "SET l = list_append(l)",
          "Incorrect number of operands", ),
    fails("if_not_exists of one operand", {}, "SET a = if_not_exists(a)",
          "Incorrect number of operands"),
    fails("if_not_exists of a value", {}, "SET a = if_not_exists(:v, :v)",
          "requires a document path", v=1),
    fails("SET inside nothing", {}, "SET m.a = :v", INVALID_PATH, v=1),
    fails("SET inside text", {"m": "x"}, "SET m.a = :v", INVALID_PATH, v=1),
    fails("SET an element of a map", {"m": {}}, "SET m[0] = :v", INVALID_PATH, v=1),
    fails("SET a member of a list", {"l": []}, "SET l.a = :v", INVALID_PATH, v=1),
    fails("SET an element of nothing", {}, "SET l[0] = :v", INVALID_PATH, v=1),
    fails("SET the partition key", {}, "SET pk = :v", "Cannot update attribute pk. This attribute "
          "is part of the key", v="x"),
    fails("SET inside the key", {}, "SET pk.a = :v", "Cannot update attribute pk", v="x"),
    fails("REMOVE the key", {}, "REMOVE pk", "Cannot update attribute pk"),
    fails("SET of an unknown function", {}, "SET a = size_of(:v)", "Invalid function name", v=1),
    fails("SET of a function of conditions", {"a": "x"}, "SET b = size(a)",
          "not allowed in an update expression"),
)

test_remove = suite(
    case("REMOVE an attribute", {"a": 1, "b": 2}, "REMOVE a", {"b": 2}),
    case("REMOVE what is not there", {"a": 1}, "REMOVE b", {"a": 1}),
    case("REMOVE several", {"a": 1, "b": 2, "c": 3}, "REMOVE a, b", {"c": 3}),
    case("REMOVE a member", {"m": {"a": 1, "b": 2}}, "REMOVE m.a", {"m": {"b": 2}}),
    case("REMOVE the last member leaves an empty map", {"m": {"a": 1}}, "REMOVE m.a", {"m": {}}),
    case("REMOVE an element closes the gap", {"l": [1, 2, 3]}, "REMOVE l[1]", {"l": [1, 3]}),
    case("REMOVE several elements by their places before", {"l": [1, 2, 3, 4]},
         "REMOVE l[0], l[2]", {"l": [2, 4]}),
    case("REMOVE elements in any order", {"l": [1, 2, 3, 4]}, "REMOVE l[2], l[0]", {"l": [2, 4]}),
    case("REMOVE beyond the end", {"l": [1]}, "REMOVE l[5]", {"l": [1]}),
    case("REMOVE the last element leaves an empty list", {"l": [1]}, "REMOVE l[0]", {"l": []}),
    case("REMOVE deep inside", {"m": {"l": [{"a": 1, "b": 2}]}}, "REMOVE m.l[0].a",
         {"m": {"l": [{"b": 2}]}}),
    case("REMOVE a member that is not there", {"m": {}}, "REMOVE m.a", {"m": {}}),
    fails("REMOVE inside nothing", {}, "REMOVE m.a", INVALID_PATH),
    fails("REMOVE inside text", {"m": "x"}, "REMOVE m.a", INVALID_PATH),
)

test_add = suite(
    case("ADD to a number", {"n": 1}, "ADD n :v", {"n": 3}, v=2),
    case("ADD a negative number", {"n": 1}, "ADD n :v", {"n": -1}, v=-2),
    case("ADD to nothing starts at zero", {}, "ADD n :v", {"n": 2}, v=2),
    case("ADD to a set of texts", {"s": {"a"}}, "ADD s :v", {"s": {"a", "b"}}, v={"a", "b"}),
    case("ADD to a set of numbers", {"s": {1}}, "ADD s :v", {"s": {1, 2}}, v={1, 2}),
    case("ADD to a set of bytes", {"s": {b"a"}}, "ADD s :v", {"s": {b"a", b"b"}}, v={b"b"}),
    case("ADD a set to nothing", {}, "ADD s :v", {"s": {"a"}}, v={"a"}),
    case("ADD of several", {"n": 1, "s": {"a"}}, "ADD n :n, s :s", {"n": 2, "s": {"a", "b"}},
         n=1, s={"b"}),
    case("ADD inside a map", {"m": {"n": 1}}, "ADD m.n :v", {"m": {"n": 2}}, v=1),
    case("ADD a new member of a map", {"m": {}}, "ADD m.n :v", {"m": {"n": 1}}, v=1),
    case("ADD to an element", {"l": [1, 2]}, "ADD l[1] :v", {"l": [1, 3]}, v=1),
    fails("ADD a number to text", {"n": "x"}, "ADD n :v", WRONG_TYPE, v=1),
    fails("ADD a number to a set", {"s": {1}}, "ADD s :v", WRONG_TYPE, v=1),
    fails("ADD a set to a set of another type", {"s": {1}}, "ADD s :v", WRONG_TYPE, v={"a"}),
    fails("ADD a list", {"l": [1]}, "ADD l :v", "Incorrect operand type.*operator: ADD", v=[2]),
    fails("ADD text", {}, "ADD n :v", "Incorrect operand type.*operator: ADD", v="x"),
    fails("ADD an attribute", {"a": 1, "b": 1}, "ADD a b", SYNTAX),
    fails("ADD inside nothing", {}, "ADD m.n :v", INVALID_PATH, v=1),
)

test_delete_from_sets = suite(
    case("DELETE from a set", {"s": {"a", "b"}}, "DELETE s :v", {"s": {"b"}}, v={"a"}),
    case("DELETE what is not in it", {"s": {"a"}}, "DELETE s :v", {"s": {"a"}}, v={"z"}),
    case("DELETE all removes the attribute", {"s": {"a"}}, "DELETE s :v", {}, v={"a"}),
    case("DELETE from nothing", {}, "DELETE s :v", {}, v={"a"}),
    case("DELETE numbers", {"s": {1, 2}}, "DELETE s :v", {"s": {2}}, v=Raw({"NS": ["1.0"]})),
    case("DELETE bytes", {"s": {b"a", b"b"}}, "DELETE s :v", {"s": {b"b"}}, v={b"a"}),
    case("DELETE inside a map", {"m": {"s": {"a", "b"}}}, "DELETE m.s :v", {"m": {"s": {"b"}}},
         v={"a"}),
    fails("DELETE from a number", {"n": 1}, "DELETE n :v", WRONG_TYPE, v={1}),
    fails("DELETE from a set of another type", {"s": {1}}, "DELETE s :v", WRONG_TYPE, v={"a"}),
    fails("DELETE a number", {"s": {1}}, "DELETE s :v",
          "Incorrect operand type.*operator: DELETE.*ALLOWED_FOR_DELETE_OPERAND", v=1),
    fails("DELETE text", {"s": {"a"}}, "DELETE s :v", "Incorrect operand type.*DELETE", v="a"),
    fails("DELETE a list", {"l": ["a"]}, "DELETE l :v", "Incorrect operand type.*DELETE", v=["a"]),
)

test_sections = suite(
    case("all four sections", {"a": 1, "b": 2, "n": 1, "s": {"x", "y"}},
         "SET a = :a REMOVE b ADD n :n DELETE s :s", {"a": 9, "n": 2, "s": {"y"}},
         a=9, n=1, s={"x"}),
    case("sections in another order", {"b": 2, "n": 1}, "ADD n :n REMOVE b SET a = :a",
         {"a": 9, "n": 2}, a=9, n=1),
    case("SET reads what REMOVE takes", {"a": 1}, "SET b = a REMOVE a", {"b": 1}),
    fails("SET twice", {}, "SET a = :v SET b = :v", 'The "SET" section can only be used once', v=1),
    fails("REMOVE twice", {}, "REMOVE a REMOVE b", 'The "REMOVE" section can only be used once'),
    fails("one path twice", {}, "SET a = :v, a = :v", "Two document paths overlap", v=1),
    fails("one path in two sections", {"a": 1}, "SET a = :v REMOVE a", "overlap", v=1),
    fails("a path within another", {"m": {}}, "SET m = :v, m.a = :v", "overlap", v=1),
    fails("an element within its list", {"l": [1]}, "SET l[0] = :v REMOVE l", "overlap", v=1),
    fails("a list and a map at once", {"m": {}}, "SET m.a = :v, m[0] = :v", "conflict", v=1),
    fails("one path by two names", {"a": 1}, "SET #a = :v, a = :v", "overlap",
          names={"a": "a"}, v=1),
    fails("nothing", {}, "", "expression can not be empty"),
    fails("blanks", {}, "  ", "expression can not be empty|Syntax error"),
    fails("no section", {}, "a = :v", SYNTAX, v=1),
    fails("an empty section", {}, "SET", SYNTAX),
    fails("a trailing comma", {}, "SET a = :v,", SYNTAX, v=1),
    fails("a missing value", {}, "SET a =", SYNTAX),
    fails("two operators", {"a": 1}, "SET a = a + :v + :v", SYNTAX, v=1),
    fails("multiplication", {"a": 1}, "SET a = a * :v", SYNTAX, v=1),
    fails("an undefined value", {}, "SET a = :w",
          "An expression attribute value used in expression is not defined; attribute value: :w"),
    fails("an undefined name", {}, "SET #z = :v",
          "attribute name used in the document path is not defined; attribute name: #z", v=1),
    fails("a reserved word", {}, "SET status = :v", "reserved keyword; reserved keyword: status",
          v=1),
    fails("a reserved word in another case", {}, "SET sTaTuS = :v", "reserved keyword", v=1),
    fails("a reserved word inside a path", {"m": {}}, "SET m.size = :v", "reserved keyword", v=1),
    fails("a name that starts with a digit", {}, "SET 1a = :v", SYNTAX, v=1),
    fails("a name with a dash", {}, "SET a-b = :v", SYNTAX, v=1),
    fails("an unused value", {}, "SET a = :v", "unused in expressions: keys: {:w}", v=1, w=2),
    fails("an unused name", {}, "SET a = :v", "unused in expressions: keys: {#z}",
          names={"z": "z"}, v=1),
    fails("a negative index", {"l": [1]}, "SET l[-1] = :v", SYNTAX, v=1),
    fails("an index that is a value", {"l": [1]}, "SET l[:v] = :v", SYNTAX, v=1),
    Case("a name that stands for a reserved word", update("SET #s = :v", names={"s": "status"},
         values={"v": 1}), is_now(status=1)),
    Case("a name with dots is one attribute", update("SET #s = :v", names={"s": "a.b"},
         values={"v": 1}), is_now(**{"a.b": 1})),
    Case("a placeholder in the middle of a path", put({"m": {"size": {"a": 1}}}),
         update("SET m.#s.a = :v", names={"s": "size"}, values={"v": 2}),
         is_now(m={"size": {"a": 2}})),
    Case("a placeholder with an index", put({"size": [1, 2]}),
         update("SET #s[1] = :v", names={"s": "size"}, values={"v": 3}), is_now(size=[1, 3])),
    Case("a placeholder of digits", update("SET #0 = :1", names={"0": "a"}, values={"1": 1}),
         is_now(a=1)),
)

test_making = suite(
    Case("an update makes the item", update("SET a = :a", values={"a": 1}), is_now(a=1)),
    Case("an update of nothing makes the item of its key", update(), is_now()),
    Case("a REMOVE makes no item", update("REMOVE a", returns="ALL_NEW").exactly(), is_gone()),
    Case("a REMOVE within nothing makes no item", update("REMOVE a.b, c[0]").exactly(), is_gone()),
    Case("a DELETE makes no item", update("DELETE s :s", values={"s": {"a"}}), is_gone()),
    Case("a REMOVE beside a SET makes the item",
         update("SET a = :a REMOVE b", values={"a": 1}), is_now(a=1)),
    Case("an update of nothing keeps an item", put({"a": 1}), update(), is_now(a=1)),
    Case("a failed update makes nothing", update("SET a = b").invalid(MISSING), is_gone()),
    Case("a condition that holds", put({"a": 1}),
         update("SET a = :b", cond="a = :a", values={"a": 1, "b": 2}), is_now(a=2)),
    Case("a condition that does not", put({"a": 1}),
         update("SET a = :b", cond="a = :b", values={"b": 2}).refused(CONDITION), is_now(a=1)),
    Case("a condition that does not answers with the item", put({"a": 1}),
         update("SET a = :b", cond="a = :b", values={"b": 2}, on_failure="ALL_OLD")
         .refused(CONDITION, Item=me(a=1))),
    Case("a condition on no item", update("SET a = :b", cond="attribute_exists(pk)",
         values={"b": 2}).refused(CONDITION), is_gone()),
    Case("the condition is checked before the update is applied", put({"a": "x"}),
         update("SET a = a + :b", cond="a = :b", values={"b": 2}).refused(CONDITION)),
    Case("a condition alone", put({"a": 1}), update(cond="a = :a", values={"a": 1}), is_now(a=1)),
    Case("a key of too many attributes", update("SET a = :a", {"b": 1}, values={"a": 1})
         .invalid("The provided key element does not match the schema")),
    Case("a key of the wrong type", update("SET a = :a", {"sk": 1}, values={"a": 1})
         .invalid("The provided key element does not match the schema"), table="range"),
    Case("a table that is not there", update(TableName="no-such-table").refused(NOT_FOUND)),
    Case("an empty set is refused", update("SET a = :a", values={"a": Raw({"SS": []})})
         .invalid("ExpressionAttributeValues contains invalid value", "empty"), is_gone()),
    Case("a deleted item is made again", put({"a": 1}), delete(),
         update("SET b = :b", values={"b": 1}), is_now(b=1)),
)

OLD = {"a": 1, "b": 2, "m": {"x": 1, "y": 2}, "l": [1, 2, 3]}


def returning(name, mode, expression, attributes, **values):
    step = update(expression, returns=mode, **({"values": values} if values else {}))
    step = step.exactly() if attributes is None else step.exactly(Attributes=attributes)
    return Case(f"{mode}: {name}", put(OLD), step)


test_returns = suite(
    returning("nothing", "NONE", "SET a = :v", None, v=9),
    returning("the item before", "ALL_OLD", "SET a = :v", me(**OLD), v=9),
    returning("the item after", "ALL_NEW", "SET a = :v", me(**{**OLD, "a": 9}), v=9),
    returning("what changed, before", "UPDATED_OLD", "SET a = :v, b = :v", {"a": 1, "b": 2}, v=9),
    returning("what changed, after", "UPDATED_NEW", "SET a = :v, c = :v", {"a": 9, "c": 9}, v=9),
    returning("what is made, before", "UPDATED_OLD", "SET c = :v", None, v=9),
    returning("what is made beside what changed, before", "UPDATED_OLD", "SET a = :v, c = :v",
              {"a": 1}, v=9),
    returning("what is removed, after", "UPDATED_NEW", "REMOVE a", None),
    returning("what is removed, before", "UPDATED_OLD", "REMOVE a", {"a": 1}),
    returning("a member, before", "UPDATED_OLD", "SET m.x = :v", {"m": {"x": 1}}, v=9),
    returning("a member, after", "UPDATED_NEW", "SET m.x = :v", {"m": {"x": 9}}, v=9),
    returning("an element, after", "UPDATED_NEW", "SET l[1] = :v", {"l": [9]}, v=9),
    returning("an element, before", "UPDATED_OLD", "SET l[1] = :v", {"l": [2]}, v=9),
    returning("a sum, after", "UPDATED_NEW", "ADD a :v", {"a": 10}, v=9),
    Case("ALL_OLD of an item that is made", update("SET a = :v", values={"v": 1},
         returns="ALL_OLD").exactly()),
    Case("ALL_NEW of an item that is made", update("SET a = :v", values={"v": 1},
         returns="ALL_NEW").exactly(Attributes=me(a=1))),
    Case("UPDATED_OLD of an item that is made", update("SET a = :v", values={"v": 1},
         returns="UPDATED_OLD").exactly()),
    Case("UPDATED_NEW of an item that is made", update("SET a = :v", values={"v": 1},
         returns="UPDATED_NEW").exactly(Attributes={"a": 1})),
    Case("ALL_NEW of an update of nothing", put({"a": 1}),
         update(returns="ALL_NEW").exactly(Attributes=me(a=1))),
    Case("UPDATED_NEW of an update of nothing", put({"a": 1}),
         update(returns="UPDATED_NEW").exactly()),
    Case("UPDATED_NEW of an unchanged value", put({"a": 1}),
         update("SET a = :v", values={"v": 1}, returns="UPDATED_NEW").exactly(Attributes={"a": 1})),
    Case("ALL_OLD when a set ends", put({"s": {"a"}}),
         update("DELETE s :v", values={"v": {"a"}}, returns="ALL_OLD")
         .exactly(Attributes=me(s={"a"})), is_now()),
    Case("numbers are answered in their normal form",
         update("SET a = :v", values={"v": N("1.0E1")}, returns="ALL_NEW")
         .exactly(Attributes=me(a=10))),
    Case("an unknown ReturnValues", update(returns="ALL").invalid("returnValues",
        "enum value set")),
    Case("sorted tables update by both keys", put({"sk": "a", "n": 1}), put({"sk": "b", "n": 1}),
         update("ADD n :v", {"sk": "b"}, values={"v": 1}, returns="UPDATED_NEW")
         .exactly(Attributes={"n": 2}),
         get({"sk": "a"}).gives(Item=me(sk="a", n=1)), table="range"),
)
