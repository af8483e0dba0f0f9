"""Histories of real clients at one region: what they asked, when, and what they were answered.

It judges nothing: `checks` does. Three loads run beside each other: single items, lists that
transactions append to, and transfers between accounts.
"""

import collections
import contextlib
import itertools
import random
import threading
import time

import botocore.exceptions
from checks import UNKNOWN, Op, balanced, linearizable, serialisable

ITEMS = ("item-0", "item-1", "item-2")
ACCOUNTS = tuple(f"account-{number}" for number in range(5))
OPENING = 100
# Lists are read whole: after so many appends, others are begun.
APPENDS_MAX = 120
LISTS = 4
# Clients of each load.
CLIENTS = 3


class RefusedError(Exception):
    """The call was answered, and nothing was done."""


class LostError(Exception):
    """The call was not answered: it may have been done."""


class UnreachableError(Exception):
    """The call was never sent."""


@contextlib.contextmanager
def answers():
    """Sorts failures of a call by what they say of its effect."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code = error.response["Error"]["Code"]
        if code in ("TransactionCanceledException", "TransactionConflictException"):
            raise RefusedError from error
        if status >= 500:
            raise LostError from error
        raise
    except botocore.exceptions.EndpointConnectionError as error:
        raise UnreachableError from error
    except botocore.exceptions.BotoCoreError as error:
        raise LostError from error


class Calls:
    """The calls of the loads, made as they should be."""

    def __init__(self, client, table):
        self.client, self.table = client, table

    def key(self, key):
        return {"TableName": self.table, "Key": {"id": {"S": key}}}

    def update(self, key, expression, **values):
        numbers = {f":{name}": {"N": str(value)} for name, value in values.items()}
        return self.key(key) | {
            "UpdateExpression": expression,
            "ExpressionAttributeValues": numbers,
        }

    # Single items.

    def get(self, key, _):
        return number(self.client.get_item(**self.key(key), ConsistentRead=True).get("Item"))

    def put(self, key, value):
        item = {"id": {"S": key}, "v": {"N": str(value)}}
        old = self.client.put_item(TableName=self.table, Item=item, ReturnValues="ALL_OLD")
        return number(old.get("Attributes"))

    def delete(self, key, _):
        old = self.client.delete_item(**self.key(key), ReturnValues="ALL_OLD")
        return number(old.get("Attributes"))

    def add(self, key, value):
        update = self.update(key, "ADD v :n", n=value)
        return number(self.client.update_item(**update, ReturnValues="ALL_NEW")["Attributes"])

    def swap(self, key, asked):
        before, after = asked
        update = self.update(key, "SET v = :new", old=before, new=after)
        try:
            self.client.update_item(
                **update,
                ConditionExpression="v = :old",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self.client.exceptions.ConditionalCheckFailedException as error:
            return ("refused", number(error.response.get("Item")))
        return ("done",)

    # Transactions.

    def transact(self, updates):
        self.client.transact_write_items(TransactItems=[{"Update": one} for one in updates])

    def read_items(self, keys):
        gets = [{"Get": self.key(key)} for key in keys]
        replies = self.client.transact_get_items(TransactItems=gets)["Responses"]
        return {key: reply.get("Item") for key, reply in zip(keys, replies, strict=True)}

    def one_append(self, key, value):
        update = self.update(key, "SET l = list_append(if_not_exists(l, :none), :v)")
        update["ExpressionAttributeValues"] = {
            ":none": {"L": []},
            ":v": {"L": [{"N": str(value)}]},
        }
        return update

    def append(self, keys, value):
        self.transact([self.one_append(key, value) for key in keys])
        return "done"

    def read(self, keys, _):
        items = self.read_items(keys)
        return {
            key: [int(value["N"]) for value in item["l"]["L"]] if item else []
            for key, item in items.items()
        }

    def one_side(self, key, value):
        if value < 0:
            update = self.update(key, "SET v = v - :n", n=-value)
            return update | {"ConditionExpression": "v >= :n"}
        return self.update(key, "SET v = v + :n", n=value)

    def transfer(self, accounts, value):
        source, target = accounts
        self.transact([self.one_side(source, -value), self.one_side(target, value)])
        return "done"

    def balances(self, accounts, _):
        return {key: number(item) for key, item in self.read_items(accounts).items()}


def number(item):
    return int(item["v"]["N"]) if item else None


class Load:
    """Clients that call and note, until told to end."""

    def __init__(self, calls, seed):
        """Begins; `calls` makes the calls of a client."""
        self.ops, self.refused, self.unexpected = [], set(), []
        self.values = itertools.count(1)
        self.ending = threading.Event()
        self.lock = threading.Lock()
        self.calls = calls
        self.threads = []
        for client in range(CLIENTS):
            for load in (self.items, self.lists, self.accounts):
                chance = random.Random(f"{seed} {client} {load.__name__}")
                thread = threading.Thread(target=self.run, args=(load, chance), daemon=True)
                self.threads.append(thread)
        for thread in self.threads:
            thread.start()

    def run(self, load, chance):
        calls = self.calls()
        while not self.ending.is_set():
            try:
                load(calls, chance)
            except UnreachableError:
                # It is down: leave its restart some of the machine.
                self.ending.wait(0.02)
            except Exception as error:
                self.unexpected.append(error)
                return

    def call(self, calls, kind, key, asked=None):
        """Makes a call and notes it; returns its result."""
        op = Op(kind, key, asked, time.monotonic())
        try:
            with answers():
                op.result = getattr(calls, kind)(key, asked)
            op.returned = time.monotonic()
        except RefusedError:
            if kind == "append":
                self.refused.add(asked)
            return UNKNOWN
        except LostError:
            if kind in ("get", "read", "balances"):
                return UNKNOWN
        with self.lock:
            self.ops.append(op)
        return op.result

    def items(self, calls, chance):
        key = chance.choice(ITEMS)
        value = 1000 * next(self.values)
        kind = chance.choice(("get", "get", "put", "add", "swap", "swap", "delete"))
        if kind == "swap":
            before = self.call(calls, "get", key)
            if before is not UNKNOWN:
                self.call(calls, "swap", key, (before or 0, value))
        else:
            asked = {"put": value, "add": 1}.get(kind)
            self.call(calls, kind, key, asked)

    def lists(self, calls, chance):
        value = next(self.values)
        keys = tuple(sorted(chance.sample(list_keys(value), 2)))
        if chance.random() < 0.5:
            self.call(calls, "append", keys, value)
        else:
            self.call(calls, "read", keys)

    def accounts(self, calls, chance):
        if chance.random() < 0.5:
            self.call(calls, "transfer", tuple(chance.sample(ACCOUNTS, 2)), chance.randint(1, 60))
        else:
            self.call(calls, "balances", ACCOUNTS)

    def end(self):
        """Ends the clients, reads everything once more and returns the history."""
        self.ending.set()
        for thread in self.threads:
            thread.join(timeout=60)
            assert not thread.is_alive(), "a client hangs"
        assert self.unexpected == [], self.unexpected
        calls = self.calls()
        for key in ITEMS:
            self.call(calls, "get", key)
        self.call(calls, "balances", ACCOUNTS)
        lists = sorted({key for op in self.ops if op.kind == "append" for key in op.key})
        for at in range(0, len(lists), LISTS):
            self.call(calls, "read", tuple(lists[at : at + LISTS]))
        return self.ops


def list_keys(value):
    """Returns the keys of the lists that are appended to when `value` is."""
    epoch = value // APPENDS_MAX
    return [f"list-{epoch}-{number}" for number in range(LISTS)]


def anomalies(load):
    """Judges a history; returns what is wrong with it, at most one anomaly for each check."""
    by_key = collections.defaultdict(list)
    for op in load.ops:
        if isinstance(op.key, str):
            by_key[op.key].append(op)
    lists = [op for op in load.ops if op.kind in ("append", "read")]
    found = [linearizable(ops) for ops in by_key.values()]
    found.append(serialisable(lists, load.refused))
    found.append(balanced(load.ops, OPENING * len(ACCOUNTS)))
    return [anomaly for anomaly in found if anomaly]


def report(load, kills):
    """Returns what a history holds, as text."""
    kinds = collections.Counter(op.kind for op in load.ops)
    unknown = sum(op.result is UNKNOWN for op in load.ops)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    found = anomalies(load)
    lines = [
        f"{len(load.ops)} operations ({counts})",
        f"{len(load.threads)} clients, {kills} kills -9, {unknown} without an answer, "
        f"{len(load.refused)} appends refused",
        *(found or ["linearizable per item, serialisable in real time, total kept"]),
    ]
    return "\n".join(lines)


def prepare(client, table):
    """Makes the table and opens the accounts."""
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 0.05})
    for key in ACCOUNTS:
        item = {"id": {"S": key}, "v": {"N": str(OPENING)}}
        client.put_item(TableName=table, Item=item)
