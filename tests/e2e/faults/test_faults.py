"""The short forms of all faults; `cargo xtask faults` runs the long ones. What cannot be done here is skipped with its reason.

The ledger is tried too: it must name what it is there to find.
"""

import clocks
import eio
import freeze
import full
import kill
import power
import pytest
import rot
from ledger import Ledger, Write, pad
from nodes import why_no_strace
from report import Report


@pytest.fixture
def report(request):
    return Report(request.node.name)


def unless(reason):
    return pytest.mark.skipif(reason is not None, reason=str(reason))


traced = unless(why_no_strace())


@traced
def test_a_killed_region_has_all_that_it_acknowledged(report):
    kill.run(report, rounds=4, chosen=(kill.first,))
    assert report.sum() and report.rounds


@traced
def test_a_failed_flush_is_never_a_success(report):
    eio.run(report, rounds=2, chosen=(eio.first,))
    assert report.sum() and report.rounds


def test_flipped_bits_are_never_served(report):
    rot.run(report, rounds=3)
    assert report.sum() and "refused at start" in report.notes


@unless(power.why_not())
def test_a_power_loss_takes_nothing_acknowledged(report):
    power.run(report, rounds=4)
    assert report.sum() and report.acknowledged


@unless(full.why_not())
def test_a_full_disk_takes_nothing_acknowledged(report):
    full.run(report, rounds=1, largest=12)
    assert report.sum() and report.acknowledged


@unless(clocks.why_not())
def test_a_clock_that_jumps_loses_nothing(report):
    clocks.run(report, rounds=1)
    assert report.sum() and report.acknowledged


def test_a_cut_and_a_frozen_region_lose_nothing(report):
    freeze.run(report, rounds=2, seconds=1)
    assert report.sum() and report.acknowledged


def ledger(*writes):
    made = Ledger()
    made.writes = {write.number: write for write in writes}
    return made


def item(key, number, size=8, text=None):
    shown = {"id": {"S": key}, "number": {"N": str(number)}, "size": {"N": str(size)}}
    return shown | {"pad": {"S": text or pad(key, number, size)}}


@pytest.mark.parametrize(
    ("writes", "items", "problem"),
    [
        ([Write(1, "a", "acknowledged")], [item("a", 1)], None),
        ([Write(1, "a", "acknowledged")], [], "are gone"),
        ([Write(1, "a", "acknowledged"), Write(2, "a", "acknowledged", 1)], [item("a", 2)], None),
        ([Write(1, "a", "acknowledged"), Write(2, "a", "acknowledged", 1)], [item("a", 1)], "gone"),
        # The third did not see the second, which was acknowledged.
        (
            [Write(1, "a", "acknowledged"), Write(2, "a", "acknowledged", 1)]
            + [Write(3, "a", "acknowledged", 1)],
            [item("a", 3)],
            "[2] are gone",
        ),
        ([Write(1, "a", "acknowledged"), Write(2, "a", "unknown")], [item("a", 2)], None),
        ([Write(1, "a", "acknowledged"), Write(2, "a", "unknown")], [item("a", 1)], None),
        ([Write(1, "a", "acknowledged"), Write(2, "a", "unknown")], [], "are gone"),
        ([Write(1, "a", "refused")], [item("a", 1)], "nobody wrote"),
        ([Write(1, "a", "acknowledged")], [item("a", 1, text="zzzzzzzz")], "damaged"),
    ],
)
def test_the_ledger_names_what_is_missing(writes, items, problem):
    problems = "; ".join(ledger(*writes).judge(items))
    assert problem in problems if problem else not problems


def test_the_conflict_log_accounts_for_a_write():
    writes = ledger(Write(1, "a", "acknowledged"), Write(2, "a", "acknowledged"))
    assert writes.judge([item("a", 2)]) and not writes.judge([item("a", 2)], conflicts={1})
