"""Numbers: 38 digits, exact, in one normal form, in order."""

from case import Case, N, Raw, call, is_gone, is_now, me, mine, on_table, put, query, suite, update

NINES = "9" * 38
OVERFLOW = "Number overflow"
UNDERFLOW = "Number underflow"
# A sum that needs more digits is told in either way.
TOO_LONG = "38 (significant )?digits|Number overflow"
PRECISE = "more than 38 significant digits"


def kept(name, text, normal):
    """A number that is stored in its normal form."""
    return Case(f"kept: {name}", put({"n": N(text)}), is_now(n=N(normal)))


def refused(name, text, *patterns):
    return Case(f"refused: {name}", put({"n": N(text)}).invalid(*patterns), is_gone())


test_numbers = suite(
    kept("zero", "0", "0"),
    kept("minus zero", "-0", "0"),
    kept("zero with a fraction", "0.000", "0"),
    kept("zero of a high power", "0E100", "0"),
    kept("leading zeros", "007", "7"),
    kept("trailing zeros of a fraction", "1.500", "1.5"),
    kept("trailing zeros of an integer", "1500", "1500"),
    kept("a plus sign", "+5", "5"),
    kept("no digit before the point", ".5", "0.5"),
    kept("no digit after the point", "5.", "5"),
    kept("a power of ten", "1E2", "100"),
    kept("a small power of ten", "1e-3", "0.001"),
    kept("a power with a plus sign", "1e+3", "1000"),
    kept("38 nines", NINES, NINES),
    kept("38 nines below zero", f"-{NINES}", f"-{NINES}"),
    kept("38 nines after the point", f"0.{NINES}", f"0.{NINES}"),
    kept("38 digits around the point", "1234567890123456789.0123456789012345678",
         "1234567890123456789.0123456789012345678"),
    kept("zeros around 38 digits", f"000{NINES}.000", NINES),
    refused("39 digits", "1" * 39, PRECISE),
    refused("39 digits around the point", "1." + "1" * 38, PRECISE),
    refused("39 digits of a small number", "0." + "1" * 39, PRECISE),
    Case("39 digits, the last a zero", put({"n": N("1" * 38 + "0")}), is_now(n=N("1" * 38 + "0"))),
    Case("the largest", put({"n": N(f"9.{NINES[1:]}E+125")}),
         is_now(n=N(NINES + "0" * 88))),
    Case("the lowest", put({"n": N(f"-9.{NINES[1:]}E+125")}), is_now(n=N("-" + NINES + "0" * 88))),
    Case("the smallest above zero", put({"n": N("1E-130")}), is_now(n=N("0." + "0" * 129 + "1"))),
    Case("the smallest below zero", put({"n": N("-1E-130")}), is_now(n=N("-0." + "0" * 129 + "1"))),
    refused("1E126", "1E126", OVERFLOW),
    refused("-1E126", "-1E126", OVERFLOW),
    refused("1E1000", "1E1000", OVERFLOW),
    refused("1E-131", "1E-131", UNDERFLOW),
    refused("-1E-131", "-1E-131", UNDERFLOW),
    refused("an exponent beyond all", "1E99999999999999999999", "overflow|numeric"),
    Case("39 digits in a set", put({"s": Raw({"NS": ["1" * 39]})}).invalid(PRECISE), is_gone()),
    Case("a number too large in a list", put({"l": [N("1E126")]}).invalid(OVERFLOW), is_gone()),
    Case("a number too large in a value",
         update("SET n = :n", values={"n": N("1E126")}).invalid(OVERFLOW), is_gone()),
)

test_sums = suite(
    Case("a sum is exact", put({"n": N("0.1")}), update("SET n = n + :n", values={"n": N("0.2")}),
         is_now(n=N("0.3"))),
    Case("38 digits are added exactly", put({"n": N("1" * 38)}),
         update("SET n = n + :n", values={"n": N("2" * 38)}), is_now(n=N("3" * 38))),
    Case("a difference of far apart powers", put({"n": N("1E20")}),
         update("SET n = n - :n", values={"n": N("1E-17")}),
         is_now(n=N("9" * 20 + "." + "9" * 17))),
    Case("a sum of more than 38 digits", put({"n": N("1E38")}),
         update("SET n = n + :n", values={"n": N("0.1")}).invalid(TOO_LONG),
         is_now(n=N("1" + "0" * 38))),
    Case("a sum beyond the largest", put({"n": N("9E125")}),
         update("SET n = n + :n", values={"n": N("1E125")}).invalid(OVERFLOW)),
    Case("a sum back to zero", put({"n": N("-0.5")}),
         update("ADD n :n", values={"n": N("0.5")}), is_now(n=0)),
    Case("a difference below zero", put({"n": 1}), update("SET n = n - :n", values={"n": 3}),
         is_now(n=-2)),
    Case("a sum drops trailing zeros", put({"n": N("1.25")}),
         update("SET n = n + :n", values={"n": N("0.75")}), is_now(n=2)),
    Case("ADD of more than 38 digits", put({"n": N("1E38")}),
         update("ADD n :n", values={"n": N("0.1")}).invalid(TOO_LONG)),
)


def equal(one, other):
    return Case(f"{one} equals {other}", put({"n": N(one)}),
                put({"n": 0}, cond="n = :n", values={"n": N(other)}))


def less(one, other):
    return Case(f"{one} is less than {other}", put({"n": N(one)}),
                put({"n": 0}, cond="n < :n AND NOT n > :n AND n <> :n", values={"n": N(other)}))


test_comparisons = suite(
    equal("1", "1.0"),
    equal("100", "1E2"),
    equal("-0", "0"),
    equal("0.5", "5E-1"),
    less("2", "10"),
    less("-10", "-2"),
    less("-1", "0"),
    less("0", "1E-130"),
    less("-1E-130", "0"),
    less("0.1", "0.11"),
    less("9.99", "1E1"),
    less("-1E125", "-1E124"),
    less("9" * 37, "1E37"),
    less(NINES[:-1] + "8", NINES),
)

UNSORTED = ["10", "-1", "0", "2", "1E-130", "-1E125", "1E125", "-0.5", "9.9", "-1E-130"]
SORTED = ["-1E125", "-1", "-0.5", "-1E-130", "0", "1E-130", "2", "9.9", "10", "1E125"]


def plain(text):
    """The normal form of a number without an exponent."""
    from decimal import Decimal

    return N(format(Decimal(text), "f"))


test_order = suite(
    Case("sort keys are in the order of numbers",
         *[put({"sk": N(text)}) for text in UNSORTED],
         mine().gives(Items=[me(sk=plain(text)) for text in SORTED]),
         mine(forward=False).gives(Items=[me(sk=plain(text)) for text in reversed(SORTED)]),
         mine(" AND sk BETWEEN :a AND :b", values={"a": N("-0.50"), "b": N("2")})
         .gives(Items=[me(sk=plain(text)) for text in SORTED[2:7]]),
         mine(" AND sk < :a", values={"a": 0}).gives(Count=4),
         mine(" AND sk <= :a", values={"a": N("-0")}).gives(Count=5),
         mine(" AND sk > :a", values={"a": N("1E124")}).gives(Count=1),
         table="numbers"),
    Case("numbers close to each other keep their order",
         *[put({"sk": N(text)}) for text in ("1.01", "1.001", "1.1", "1", "0.999", "0.9999")],
         mine().gives(Items=[me(sk=N(text)) for text in
                             ("0.999", "0.9999", "1", "1.001", "1.01", "1.1")]),
         table="numbers"),
    Case("integers of many digits keep their order",
         *[put({"sk": N("1" * length)}) for length in (38, 1, 20, 19, 2)],
         mine().gives(Items=[me(sk=N("1" * length)) for length in (1, 2, 19, 20, 38)]),
         table="numbers"),
    Case("negative integers of many digits keep their order",
         *[put({"sk": N("-" + "1" * length)}) for length in (38, 1, 20, 19, 2)],
         mine().gives(Items=[me(sk=N("-" + "1" * length)) for length in (38, 20, 19, 2, 1)]),
         table="numbers"),
    Case("a sort key of 38 digits",
         put({"sk": N(NINES), "a": 1}),
         query("pk = :pk AND sk = :sk", values={"pk": "$", "sk": N(f"{NINES}.0")})
         .gives(Items=[me(sk=N(NINES), a=1)]), table="numbers"),
    Case("a sort key of 39 digits",
         put({"sk": N("1" * 39)}).invalid(PRECISE), table="numbers"),
    Case("a partition key that is no number",
         on_table("GetItem", {}, Key={"pk": N("x")}).invalid("numeric value"), table="by-number"),
    Case("a partition key too large",
         call("GetItem", TableName="@", Key={"pk": N("1E126")}).invalid(OVERFLOW),
         table="by-number"),
)
