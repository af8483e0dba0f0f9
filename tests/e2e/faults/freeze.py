"""Freezes a region, and cuts links one way or both, while clients write in two regions.

A frozen process holds its connections: nobody is told, as when a machine hangs. Where a link is cut, bytes wait and
datagrams are lost. All writes must have come to both regions afterwards, or stand in the conflict log.
"""

import os
import signal
import time

import laptop as laptops
from laptop import EAST, IRELAND, eventually
from ledger import CALL_FAILED, TABLE, Ledger, Load, losers, make_table, read

# Rounds where none are named, how long each lasts, and how many writes it must have seen at least.
ROUNDS, SECONDS, ENOUGH = 9, 10, 60
# How long a client waits for an answer: a frozen region gives none.
ANSWER_WITHIN = 4


def freeze(laptop, load, seconds):
    pid = laptop.pid(IRELAND)
    os.kill(pid, signal.SIGSTOP)
    try:
        during(load, seconds, [EAST])
    finally:
        os.kill(pid, signal.SIGCONT)


def cut_both_ways(laptop, load, seconds):
    cut(laptop, load, seconds, f"cut {EAST} {IRELAND}")


def cut_one_way(laptop, load, seconds):
    cut(laptop, load, seconds, f"cut {EAST} to {IRELAND}")


def cut(laptop, load, seconds, order):
    laptop.order(order)
    try:
        during(load, seconds, [EAST, IRELAND])
    finally:
        laptop.order("heal")


def during(load, seconds, regions):
    """Lets some time pass, and as many writes in each region as make it matter."""
    end = time.monotonic() + seconds
    wanted = {region: load.acknowledged[region] + ENOUGH for region in regions}

    def passed():
        return time.monotonic() > end and all(
            load.acknowledged[region] >= count for region, count in wanted.items()
        )

    eventually(passed, within=seconds + laptops.PATIENCE)


def converged(laptop, regions=(EAST, IRELAND)):
    """Returns the items of each region, once they are the same everywhere."""
    def digests():
        path = f"/_hither/digest?table={TABLE}"
        return {laptop.ask(region, path)["digest"] for region in regions}

    eventually(lambda: len(digests()) == 1, within=2 * laptops.PATIENCE)
    return {region: read(laptop.client("dynamodb", region)) for region in regions}


def start(laptop, regions=(EAST, IRELAND)):
    """Makes the ledger's table in both regions."""
    first, other = (laptop.client("dynamodb", region) for region in regions)
    make_table(first, regions[1:])

    def there():
        try:
            return other.describe_table(TableName=TABLE)["Table"]["TableStatus"] == "ACTIVE"
        except CALL_FAILED:
            return False

    eventually(there)


def run(report, rounds=None, seconds=SECONDS):
    """Does each harm in turn, under writes, and judges after each."""
    acts = (freeze, cut_one_way, cut_both_ways)
    with laptops.running(laptops.Laptop(delays=True)) as laptop:
        start(laptop)
        ledger = Ledger()
        for number in range(rounds or ROUNDS):
            act = acts[number % len(acts)]
            ledger = Ledger(ledger)
            load = Load(ledger, laptop, [EAST, IRELAND], read_timeout=ANSWER_WITHIN)
            try:
                during(load, 0, [EAST, IRELAND])
                act(laptop, load, seconds)
                during(load, 0, [EAST, IRELAND])
            finally:
                load.end()
            items = converged(laptop)
            lost_races = losers(laptop, [EAST, IRELAND])
            problems = [
                f"{region}: {problem}"
                for region, there in items.items()
                for problem in ledger.judge(there, lost_races)
            ]
            report.round(f"{act.__name__} {seconds} s", ledger, problems)
