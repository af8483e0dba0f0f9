"""What clients were told of their writes, and whether what is there afterwards agrees.

Every write has a number of its own and asks what it replaced. So an acknowledged write is accounted for when it is there,
when an acknowledged write says that it replaced it, when the conflict log names it, or when a write whose outcome nobody
was told, and which was seen, may have replaced it: one such for each. Anything else is lost.
"""

import collections
import dataclasses
import itertools
import random
import threading

import botocore.exceptions

TABLE = "ledger"

# Nothing was sent: the write was not done.
UNSENT = (botocore.exceptions.EndpointConnectionError, botocore.exceptions.ConnectTimeoutError)

# A call of boto3 that came to nothing, for whatever reason.
CALL_FAILED = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)

# How many clients write in each region.
CLIENTS = 2

# How long a writer waits after a refusal, so that a region that starts has some of the machine.
PAUSE = 0.02

_numbers = itertools.count(1)


@dataclasses.dataclass
class Write:
    """One call: `acknowledged`, `refused` (surely not done), or `unknown`."""

    number: int
    key: str
    outcome: str = "unknown"
    replaced: int | None = None
    error: object = None


def make_table(client, replicas=()):
    """Makes the ledger's table and waits until it, and its replicas, can be used."""
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    waiter = client.get_waiter("table_exists")
    waiter.wait(TableName=TABLE, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    if replicas:
        updates = [{"Create": {"RegionName": region}} for region in replicas]
        client.update_table(TableName=TABLE, ReplicaUpdates=updates)


def pad(key, number, size):
    """Returns text that belongs to one write alone, and that no compression shrinks much."""
    return random.Random(f"{key} {number}").randbytes(size // 2).hex()


class Ledger:
    """All writes of all clients, after those of the ledger that a directory was filled with."""

    def __init__(self, before=None):
        self.lock = threading.Lock()
        self.writes = dict(before.writes) if before else {}
        self.first = max(self.writes, default=0) + 1

    def put(self, client, key, size=200):
        """Writes one item and notes what became of it."""
        write = Write(next(_numbers), key)
        with self.lock:
            self.writes[write.number] = write
        item = {
            "id": {"S": key},
            "number": {"N": str(write.number)},
            "size": {"N": str(size)},
            "pad": {"S": pad(key, write.number, size)},
        }
        try:
            answer = client.put_item(TableName=TABLE, Item=item, ReturnValues="ALL_OLD")
        except UNSENT as error:
            write.outcome, write.error = "refused", error
        except botocore.exceptions.BotoCoreError as error:
            write.error = error
        except botocore.exceptions.ClientError as error:
            write.error = error
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                write.outcome = "refused"
        else:
            old = answer.get("Attributes")
            write.replaced = int(old["number"]["N"]) if old else None
            write.outcome = "acknowledged"
        return write

    def count(self, outcome):
        with self.lock:
            own = [write for write in self.writes.values() if self.first <= write.number]
        return sum(write.outcome == outcome for write in own)

    def judge(self, items, conflicts=()):
        """Returns what is wrong with a region's `items`, read whole when no call was under way."""
        with self.lock:
            writes = list(self.writes.values())
        there, problems = {}, []
        for item in items:
            key, number = item["id"]["S"], int(item["number"]["N"])
            there[key] = number
            write = self.writes.get(number)
            if write is None or write.key != key or write.outcome == "refused":
                problems.append(f"{key} has {number}, which nobody wrote")
            elif item["pad"]["S"] != pad(key, number, int(item["size"]["N"])):
                problems.append(f"{key} has {number}, damaged")
        by_key = collections.defaultdict(list)
        for write in writes:
            by_key[write.key].append(write)
        for key, own in by_key.items():
            seen = {write.replaced for write in own if write.outcome == "acknowledged"}
            seen |= {there.get(key)} | set(conflicts)
            missing = [w.number for w in own if w.outcome == "acknowledged" and w.number not in seen]
            excuses = sum(write.outcome == "unknown" and write.number in seen for write in own)
            if len(missing) > excuses:
                problems.append(f"{key} has {there.get(key)}, and {missing} are gone")
        return problems


def read(client):
    """Reads the whole table from one region."""
    pages = client.get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def losers(laptop, regions):
    """Returns the numbers of all writes that the regions' conflict logs name."""
    numbers = set()
    for region in regions:
        start = ""
        while start is not None:
            path = f"/_hither/conflicts?table={TABLE}&limit=1000" + (start and f"&start={start}")
            page = laptop.ask(region, path)
            for race in page["conflicts"]:
                item = race["loser"]["item"]
                if item:
                    numbers.add(int(item["number"]["N"]))
            start = page["next"]
    return numbers


class Load:
    """Clients that write without end, each to keys of its own and to keys that all share."""

    def __init__(self, ledger, laptop, regions, *, read_timeout=20):
        self.ledger, self.ending = ledger, threading.Event()
        self.acknowledged = collections.Counter()
        self.threads = [
            threading.Thread(
                target=self.write,
                args=(laptop.client("dynamodb", region, read_timeout=read_timeout), region, number),
            )
            for region in regions
            for number in range(CLIENTS)
        ]
        for thread in self.threads:
            thread.daemon = True
            thread.start()

    def write(self, client, region, number):
        keys = [f"{region}-{number}-{own}" for own in range(6)] + ["shared-0", "shared-1"]
        for key in itertools.cycle(keys):
            if self.ending.is_set():
                return
            write = self.ledger.put(client, key)
            if write.outcome == "acknowledged":
                self.acknowledged[region] += 1
            else:
                self.ending.wait(PAUSE)

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join(timeout=60)
            assert not thread.is_alive(), "a client hangs"
