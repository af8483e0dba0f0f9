"""Flips bits in a stopped region's files: what is damaged is refused or fails, and is never served.

Most rounds flip one bit of a journal or of a table; some of any other file. One refused directory is moved away at the
end, and the region is filled by its peer.
"""

import os
import random
import shutil

import ledger as ledgers
from kill import LARGE, SMALL, all_written
from laptop import EAST, IRELAND, eventually
from ledger import CALL_FAILED, Ledger, make_table, read
from nodes import Ended, copy, nodes

# Rounds where none are named, and how many writes there are of each size before.
ROUNDS, SMALL_WRITES, LARGE_WRITES = 150, 60, 36
# What the small writes, which are the last, take of the journal at least.
SMALL_BYTES = 30_000
# Kinds of files, and how many of ten rounds are theirs.
KINDS = {"journal": 5, "table": 4, "other": 1}
# How long a region may take to end by itself.
ENDS_WITHIN = 20


def files(data):
    """Returns the files with content, by kind."""
    kinds = {kind: [] for kind in KINDS}
    for path in sorted(data.rglob("*")):
        if path.is_file() and path.stat().st_size:
            kind = "table" if path.parent.name == "tables" else "other"
            kinds["journal" if path.suffix == ".jnl" else kind].append(path)
    return kinds


def used(path):
    """Returns how many bytes of a file are written: a journal keeps room behind its end."""
    with path.open("rb") as file:
        return len(file.read().rstrip(b"\0"))


def flip(path, bit):
    with path.open("r+b") as file:
        file.seek(bit // 8)
        [byte] = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([byte ^ (1 << bit % 8)]))
        os.fsync(file.fileno())


def fill(region):
    """Writes what is damaged later, and ends in order. Returns its ledger."""
    region.serve()
    ledger, client = Ledger(), region.client("dynamodb")
    make_table(client)
    # The first writes go to tables, the last stay in the journal alone.
    assert all_written(ledger, client, LARGE_WRITES, LARGE)
    for number in range(SMALL_WRITES):
        assert ledger.put(client, f"small-{number % 20}", SMALL).outcome == "acknowledged"
    region.end()
    return ledger


def damaged(region, ledger):
    """Starts a region whose files are damaged. Returns what is wrong, and what it did."""
    try:
        process = region.serve()
    except Ended as error:
        clear = error.code != 0 and "error" in error.said and "panicked" not in error.said
        return ([] if clear else [f"it is not clear: {error}"]), "refused at start"
    client = region.client("dynamodb", read_timeout=10)
    try:
        problems, note = [], "read well"
        if ledgers.TABLE not in client.list_tables()["TableNames"]:
            problems.append("the table is gone")
        else:
            problems += ledger.judge(read(client))
            own = Ledger(ledger)
            if own.put(client, "after").outcome != "acknowledged":
                raise own.writes[max(own.writes)].error
    except CALL_FAILED:
        try:
            eventually(lambda: process.poll() is not None, within=ENDS_WITHIN)
            note = "failed at a read, and ended"
        except AssertionError:
            problems.append("a read fails and it goes on")
    if process.poll() is None:
        region.end()
    return problems, note


def run(report, rounds=None):
    """Flips one bit a round, then lets a peer fill a directory that was refused."""
    chance = random.Random(1)
    with nodes() as region:
        whole = region.folder / "whole"
        ledger = fill(region)
        copy(region.data(), whole)
        kinds = files(whole)
        for _ in range(rounds or ROUNDS):
            kind = chance.choices(list(KINDS), KINDS.values())[0]
            path = chance.choice(kinds[kind]).relative_to(whole)
            copy(whole, region.data())
            end = used(region.data() / path)
            # Half of a journal's where small writes are: there more of it is not under checksums.
            start = max(0, end - SMALL_BYTES) if kind == "journal" and chance.random() < 0.5 else 0
            bit = chance.randrange(start * 8, end * 8)
            flip(region.data() / path, bit)
            problems, note = damaged(region, ledger)
            report.round(f"{path} byte {bit // 8} bit {bit % 8}", ledger, problems, note)
    refill(report)


def refill(report):
    """Damages one of two regions and lets the other fill an empty directory for it."""
    with nodes((EAST, IRELAND)) as regions:
        for region in regions.regions:
            regions.serve(region)
        ledger, client = Ledger(), regions.client("dynamodb")
        make_table(client, [IRELAND])
        other = regions.client("dynamodb", IRELAND)
        eventually(lambda: ledgers.TABLE in other.list_tables()["TableNames"])
        assert all_written(ledger, client, SMALL_WRITES, SMALL)
        eventually(lambda: not ledger.judge(items_of(other)))
        regions.end(EAST)
        journal = files(regions.data())["journal"][-1]
        flip(journal, used(journal) * 4)
        problems, note = damaged(regions, ledger)
        if note != "refused at start":
            problems.append(f"it was not refused but {note}")
        shutil.move(regions.data() / "data", regions.folder / "damaged")
        regions.serve(EAST)

        def filled():
            return not ledger.judge(items_of(client))

        eventually(filled)
        report.round("one of two regions", ledger, problems, "refused, then filled by its peer")


def items_of(client):
    """Reads the table; what fails counts as not yet."""
    try:
        return read(client)
    except CALL_FAILED as error:
        raise AssertionError(error) from error
