"""A region's process is killed under writes: what was acknowledged is there afterwards."""

import itertools
import threading

import botocore.exceptions
import laptop as laptops
import pytest
from laptop import EAST, HITHER, IRELAND, REGIONS, TOKYO, environment, eventually, run
from test_tables import make_table

# Writers of each region, and how many writes must have been acknowledged before the next act.
WRITERS, ENOUGH = 3, 60


class Writers:
    """Writes items into one region, one after the other, and keeps what was acknowledged."""

    def __init__(self, laptop, table, region):
        self.region, self.name = region, table
        self.acknowledged, self.refused, self.unexpected = [], 0, []
        self.ending = threading.Event()
        self.numbers = itertools.count()
        self.threads = [
            threading.Thread(target=self.write, args=(laptop.table(table, region),), daemon=True)
            for _ in range(WRITERS)
        ]
        for thread in self.threads:
            thread.start()

    def write(self, table):
        while not self.ending.is_set():
            key = f"{self.region}-{next(self.numbers)}"
            try:
                table.put_item(Item={"id": key, "pad": "x" * 500})
                self.acknowledged.append(key)
            except botocore.exceptions.BotoCoreError:
                self.refused += 1
                # A dead region refuses at once: leave its restart some of the machine.
                self.ending.wait(0.05)
            except botocore.exceptions.ClientError as error:
                # A region that answers at all answers a plain write well.
                self.unexpected.append(error)

    def wait_for_more(self, count=ENOUGH):
        wanted = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= wanted)

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join(timeout=60)
            assert not thread.is_alive()
        assert self.unexpected == []
        return self.acknowledged


def keys_in(laptop, table, region):
    pages = laptop.client("dynamodb", region).get_paginator("scan").paginate(
        TableName=table, ConsistentRead=True, ProjectionExpression="id"
    )
    return [item["id"]["S"] for page in pages for item in page["Items"]]


@pytest.fixture(scope="module")
def table(far):
    make_table(far, "ledger")
    return "ledger"


def test_every_acknowledged_write_survives_kill_9(far, table):
    writers = {region: Writers(far, table, region) for region in REGIONS}
    for one in writers.values():
        one.wait_for_more()
    command = far.kill(IRELAND)
    # The others go on without it.
    for region in (EAST, TOKYO):
        writers[region].wait_for_more()
    far.restart(IRELAND, command)
    writers[IRELAND].wait_for_more()
    acknowledged = {key for one in writers.values() for key in one.end()}
    assert writers[IRELAND].refused > 0, "it was not killed under load"
    for region in REGIONS:
        def is_complete():
            missing = acknowledged - set(keys_in(far, table, region))
            assert not missing, f"{region} lacks {len(missing)}: {sorted(missing)[:3]}"
            return True

        eventually(is_complete)
    eventually(lambda: len(set(far.digests(table).values())) == 1)
    keys = keys_in(far, table, EAST)
    assert len(keys) == len(set(keys))


def test_a_region_killed_again_and_again_loses_nothing(far, table):
    client = far.client("dynamodb", TOKYO)
    acknowledged = set()
    command = None
    for round_number in range(4):
        for number in range(20):
            key = f"round-{round_number}-{number}"
            client.put_item(TableName=table, Item={"id": {"S": key}})
            acknowledged.add(key)
        # At once: nothing had time to be written that was not written before the answer.
        command = far.kill(TOKYO)
        far.restart(TOKYO, command)
        assert acknowledged <= set(keys_in(far, table, TOKYO))
    for region in REGIONS:
        eventually(lambda: acknowledged <= set(keys_in(far, table, region)))


def test_a_write_that_reached_one_survivor_reaches_all(far, table):
    # Tokyo hears Ireland only; then Ireland dies. Through East nothing of Ireland's may be lost.
    far.order(f"cut {TOKYO} {IRELAND}")
    try:
        far.client("dynamodb", IRELAND).put_item(TableName=table, Item={"id": {"S": "relayed"}})
        eventually(lambda: "relayed" in keys_in(far, table, EAST))
        assert "relayed" not in keys_in(far, table, TOKYO)
        command = far.kill(IRELAND)
        eventually(lambda: "relayed" in keys_in(far, table, TOKYO))
    finally:
        far.order("heal")
    far.restart(IRELAND, command)
    eventually(lambda: len(set(far.digests(table).values())) == 1)


def test_a_region_that_was_away_gets_resources_made_meanwhile(far):
    command = far.kill(IRELAND)
    client = far.client("route53", EAST)
    client.create_hosted_zone(Name="meanwhile.test", CallerReference="meanwhile")
    far.restart(IRELAND, command)

    def answered():
        answer = far.dig(IRELAND, "meanwhile.test", "SOA")
        return "status: NOERROR" in answer and "ANSWER: 1" in answer

    eventually(answered)


def test_a_transactions_token_outlives_its_process(far, table):
    client = far.client("dynamodb", TOKYO)

    def add(amount, token):
        update = {
            "TableName": table,
            "Key": {"id": {"S": f"once-{token}"}},
            "UpdateExpression": "ADD v :amount",
            "ExpressionAttributeValues": {":amount": {"N": str(amount)}},
        }
        client.transact_write_items(
            TransactItems=[{"Update": update}], ClientRequestToken=token
        )

    def state(amount):
        statement = f"UPDATE {table} SET v = v + {amount} WHERE id = 'once-a'"
        client.execute_transaction(
            TransactStatements=[{"Statement": statement}], ClientRequestToken="stated"
        )

    add(1, "a")
    state(10)
    for _ in range(2):
        command = far.kill(TOKYO)
        far.restart(TOKYO, command)
        add(1, "a")
        state(10)
        with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
            add(2, "a")
        with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
            state(20)
    item = client.get_item(TableName=table, Key={"id": {"S": "once-a"}}, ConsistentRead=True)
    assert item["Item"]["v"] == {"N": "11"}


def test_with_async_durability_a_killed_process_loses_nothing():
    laptop = laptops.Laptop()
    text = laptop.manifest.read_text()
    laptop.manifest.write_text(text.replace("[project]", '[project]\ndurability = "async"', 1))
    with laptops.running(laptop):
        assert "durability async" in (laptop.folder / "up.log").read_text()
        for region in REGIONS:
            assert laptop.status(region)["durability"] == "async"
            log = laptop.logs()[str(laptop.state / region / "node.log")]
            assert "durability is async" in log
        told = run(HITHER, "status", "--manifest", laptop.manifest, env=environment()).stdout
        assert told.count("durability async") == len(REGIONS)
        table = make_table(laptop, "async", replicas=[EAST, IRELAND])
        for number in range(100):
            table.put_item(Item={"id": str(number)})
        laptop.restart(EAST, laptop.kill(EAST))
        for region in (EAST, IRELAND):
            there = laptop.table("async", region)
            eventually(lambda: there.scan(Select="COUNT", ConsistentRead=True)["Count"] == 100)
