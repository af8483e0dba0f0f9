"""One region's answers under contention and `kill -9`: can they have happened in one order?

It runs for seconds; `long.py` runs as long as it is told. Each planted mistake must be named.
"""

import itertools
import math

import histories
import laptop
import pytest
from checks import Op, balanced, linearizable, serialisable
from laptop import EAST, eventually

# Operations before a kill, and after the restart.
ENOUGH = 600
# A planted mistake that has not shown after so many rounds of operations is not being looked for.
A_ROUND, ROUNDS = 150, 30


@pytest.fixture(scope="module")
def region():
    with laptop.running(laptop.Laptop()) as regions:
        yield regions


tables = (f"history-{number}" for number in itertools.count())


def load(region, calls=histories.Calls, seed=1):
    table = next(tables)
    histories.prepare(region.client("dynamodb"), table)
    return histories.Load(lambda: calls(region.client("dynamodb"), table), seed)


def test_a_history_across_kill_9_has_an_order(region):
    running = load(region)
    eventually(lambda: len(running.ops) > ENOUGH)
    command = region.kill(EAST)
    region.restart(EAST, command)
    so_far = len(running.ops)
    eventually(lambda: len(running.ops) > so_far + ENOUGH or running.unexpected)
    running.end()
    print(histories.report(running, kills=1))
    assert histories.anomalies(running) == []


class LostUpdate(histories.Calls):
    """Swaps by reading, comparing and writing, without a condition."""

    def swap(self, key, asked):
        before, after = asked
        found = self.get(key, None)
        if found != before:
            return ("refused", found)
        self.put(key, after)
        return ("done",)


class StaleRead(histories.Calls):
    """Answers a read with what the client had read of that item before."""

    def __init__(self, *words):
        super().__init__(*words)
        self.cache = {}

    def get(self, key, _):
        answered = self.cache.get(key)
        self.cache[key] = super().get(key, None)
        return self.cache[key] if answered is None else answered


class TornTransaction(histories.Calls):
    """Writes the items of a transaction one after the other."""

    def transact(self, updates):
        for update in updates:
            super().transact([update])


class FracturedRead(histories.Calls):
    """Reads the items of a transaction one after the other."""

    def read_items(self, keys):
        return {
            key: self.client.get_item(**self.key(key), ConsistentRead=True).get("Item")
            for key in keys
        }


class ForgottenWrite(histories.Calls):
    """Acknowledges every eighth transaction without doing it."""

    def __init__(self, *words):
        super().__init__(*words)
        self.count = 0

    def append(self, keys, value):
        self.count += 1
        return "done" if self.count % 8 == 0 else super().append(keys, value)


class DoneTwice(histories.Calls):
    """Sends each append again after it was done."""

    def append(self, keys, value):
        super().append(keys, value)
        return super().append(keys, value)


@pytest.mark.parametrize(
    ("mistake", "names"),
    [
        (LostUpdate, ["not linearizable"]),
        (StaleRead, ["not linearizable"]),
        (TornTransaction, ["cycle", "broken total"]),
        (FracturedRead, ["cycle", "broken total"]),
        (ForgottenWrite, ["lost"]),
        (DoneTwice, ["done twice"]),
    ],
)
def test_a_planted_mistake_is_named(region, mistake, names):
    found = set()
    for seed in range(ROUNDS):
        running = load(region, mistake, seed)
        eventually(lambda running=running: len(running.ops) > A_ROUND or running.unexpected)
        running.end()
        found |= {anomaly.split(":")[0] for anomaly in histories.anomalies(running)}
        if found & set(names):
            return
    pytest.fail(f"{names} not found, but {found}")


def op(kind, key, asked, invoked, returned, result):
    return Op(kind, key, asked, invoked, returned, result)


def test_an_unanswered_write_may_have_been_done_or_not():
    lost = Op("put", "k", 5, 0)
    for seen in (None, 5):
        assert linearizable([lost, op("get", "k", None, 1, 2, seen)]) is None
    back = [lost, op("get", "k", None, 1, 2, 5), op("get", "k", None, 3, 4, None)]
    assert linearizable(back).startswith("not linearizable")


def test_an_answer_from_before_is_no_answer_after():
    history = [
        op("put", "k", 1, 0, 1, None),
        op("put", "k", 2, 2, 5, 1),
        op("get", "k", None, 3, 4, 2),
        op("get", "k", None, 4.5, 4.8, 1),
    ]
    assert linearizable(history[:3]) is None
    assert linearizable(history).startswith("not linearizable")


def append(value, keys, invoked, returned=math.inf):
    return op("append", keys, value, invoked, returned, "done")


def read(result, invoked, returned):
    return op("read", tuple(result), None, invoked, returned, result)


@pytest.mark.parametrize(
    ("history", "name"),
    [
        ([append(1, "ab", 0, 1), read({"a": [1], "b": [1]}, 2, 3)], None),
        ([append(1, "ab", 0, 1), read({"a": [], "b": [1]}, 0, 3), read({"a": [1]}, 4, 5)], "cycle"),
        ([append(1, "a", 0, 1), read({"a": []}, 2, 3), read({"a": [1]}, 4, 5)], "cycle"),
        ([append(1, "a", 0, 1), read({"a": []}, 2, 3)], "lost"),
        ([read({"a": [7]}, 2, 3)], "made up"),
        ([append(1, "a", 0, 1), append(2, "a", 0, 1), read({"a": [1, 2]}, 2, 3)]
         + [read({"a": [2]}, 2, 3)], "divergent reads"),
        (
            [append(1, "a", 0, 9), append(2, "b", 0, 9)]
            + [read({"a": [1], "b": []}, 0, 9), read({"a": [], "b": [2]}, 0, 9)]
            + [read({"a": [1], "b": [2]}, 10, 11)],
            "cycle",
        ),
    ],
)
def test_lists_tell_the_order_of_transactions(history, name):
    found = serialisable(history)
    assert (found and found.split(":")[0]) == name


def test_a_refused_transaction_is_not_seen():
    history = [append(1, "a", 0, 1), read({"a": [1]}, 2, 3)]
    assert serialisable(history, refused={1}).startswith("aborted read")


def test_a_total_is_kept():
    assert balanced([op("balances", "ab", None, 0, 1, {"a": 3, "b": 7})], 10) is None
    assert balanced([op("balances", "ab", None, 0, 1, {"a": 3, "b": 8})], 10)
    assert balanced([op("balances", "ab", None, 0, 1, {"a": -3, "b": 13})], 10)
