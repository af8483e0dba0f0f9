"""Kills a region just before each call that makes something last, and looks what is left.

Two histories have the points: a directory's first start with its first table, and writes that go to tables on disk, with
old journals removed. `strace` counts calls by thread: the first thread to make its Nth dies there.
"""

import shutil

from ledger import CALL_FAILED, Ledger, make_table, read
from nodes import LASTING, Ended, copy, last_call, most_calls, nodes, strace

SMALL, FEW = 200, 24
# In items of nearly the largest size: more than the store's write buffers, after enough to fill its journals.
LARGE, MANY, BEFORE = 390_000, 30, 100


def first(region, ledger):
    """The first table and its first writes."""
    client = region.client("dynamodb", read_timeout=10)
    make_table(client)
    return all_written(ledger, client, FEW, SMALL)


def bulk(region, ledger):
    """Writes that go to tables."""
    client = region.client("dynamodb", read_timeout=10)
    return all_written(ledger, client, MANY, LARGE)


def all_written(ledger, client, count, size):
    return all(
        ledger.put(client, f"key-{number % 6}", size).outcome == "acknowledged"
        for number in range(count)
    )


class Histories:
    """The two histories, and a directory for the second to begin with."""

    def __init__(self, region):
        self.region = region
        self.begun = region.folder / "begun"
        self.trace = region.folder / "trace"
        self.before = None

    def fill(self):
        """Makes the directory that the second history begins with."""
        region, self.before = self.region, Ledger()
        shutil.rmtree(region.data(), ignore_errors=True)
        region.serve()
        client = region.client("dynamodb")
        make_table(client)
        assert all_written(self.before, client, BEFORE, LARGE)
        # Not ended in order, so that its journals have all of it.
        region.kill_now()
        copy(region.data(), self.begun)

    def begin(self, history):
        """Puts the directory in place that a history begins with; returns its ledger."""
        if history is bulk:
            if self.before is None:
                self.fill()
            copy(self.begun, self.region.data())
            return Ledger(self.before)
        shutil.rmtree(self.region.data(), ignore_errors=True)
        return Ledger()

    def points(self, chosen, calls=LASTING, rounds=None):
        """Runs histories whole. Returns their points, or `rounds` of them, spread evenly."""
        points = []
        for history in chosen:
            ledger = self.begin(history)
            self.region.serve(before=strace(self.trace))
            assert history(self.region, ledger)
            self.region.end()
            for call, most in sorted(most_calls(self.trace).items()):
                points += [(history, call, number + 1) for number in range(most) if call in calls]
        if rounds is None or len(points) <= rounds:
            return points
        return [points[(2 * at + 1) * len(points) // (2 * rounds)] for at in range(rounds)]

    def killed_at(self, report, history, call, number):
        """Kills a history at one point and judges what is left. Returns whether it was reached."""
        region, ledger = self.region, self.begin(history)
        try:
            before = strace(self.trace, f"{call}:signal=KILL:when={number}", calls=(call,))
            region.serve(before=before)
            history(region, ledger)
            # What follows the last write: tables are written while it goes on.
            reached = region.end() != 0
        except (Ended, *CALL_FAILED):
            # At its start, or while the table was made.
            region.wait()
            reached = True
        at = last_call(self.trace)
        problems = judge(region, ledger)
        if reached or problems:
            what = f"{history.__name__} {call} {number} ({at})"
            report.round(what, ledger, problems)
        return reached


def judge(region, ledger):
    """Starts the region again, and once more after writing: all must be there each time."""
    problems = []
    for _ in range(2):
        try:
            region.serve()
        except Ended as error:
            return [f"it does not start again: {error}"]
        client = region.client("dynamodb")
        if "ledger" not in client.list_tables()["TableNames"]:
            if ledger.count("acknowledged"):
                return ["the table is gone"]
            make_table(client)
        # A table whose making was interrupted is made to its end.
        waiter = client.get_waiter("table_exists")
        waiter.wait(TableName="ledger", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        problems += ledger.judge(read(client))
        for number in range(3):
            write = ledger.put(client, f"after-{number}")
            if write.outcome != "acknowledged":
                problems.append(f"it takes no writes: {write.error}")
        region.kill_now()
    return problems


def run(report, rounds=None, chosen=(first, bulk)):
    """Kills at every point, or at `rounds` of them, spread evenly."""
    with nodes() as region:
        histories = Histories(region)
        for history, call, number in histories.points(chosen, rounds=rounds):
            histories.killed_at(report, history, call, number)
