"""Has one flush fail, as a disk does that loses a write: nothing may count as done that was not.

Only one call fails; the kernel forgets what it could not write, so that the same call again would succeed. A region that
tried again would go on serving: it must stop taking writes and end, and say why.
"""

import subprocess

from kill import Histories, bulk, first, judge
from ledger import CALL_FAILED
from nodes import Ended, last_call, nodes, strace

# How long a region may take to end by itself.
ENDS_WITHIN = 20


def fails_at(report, histories, history, call, number):
    """Has one call fail in a history and judges what the region does, and what is left."""
    region, ledger = histories.region, histories.begin(history)
    problems = []
    before = strace(histories.trace, f"{call}:error=EIO:when={number}", calls=(call,))
    process = None
    try:
        process = region.serve(before=before)
        history(region, ledger)
    except (Ended, *CALL_FAILED):
        pass
    met = "INJECTED" in histories.trace.read_text(errors="replace")
    note = None
    if met:
        try:
            code = region.wait(seconds=ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            problems.append("it goes on after a flush failed")
        else:
            said = region.said_by()
            note = "ended and said why"
            if code == 0 or "error" not in said.lower():
                problems.append(f"it ended with {code} and said {said[-300:]!r}")
    if process and process.poll() is None:
        region.end()
    problems += judge(region, ledger)
    if met or problems:
        report.round(f"{history.__name__} {call} {number} ({at(histories)})", ledger, problems, note)


def at(histories):
    """Returns the call that failed, for people."""
    lines = histories.trace.read_text(errors="replace").splitlines()
    histories.trace.write_text("\n".join(line for line in lines if "INJECTED" in line))
    return last_call(histories.trace)


def run(report, rounds=None, chosen=(first, bulk)):
    """Fails every flush of the two histories, or `rounds` of them, spread evenly."""
    with nodes() as region:
        histories = Histories(region)
        for point in histories.points(chosen, ("fsync", "fdatasync"), rounds):
            fails_at(report, histories, *point)
