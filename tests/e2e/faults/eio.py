"""Has one flush fail, as a disk does that loses a write: nothing may count as done that was not.

Only one call fails; the kernel forgets what it could not write, so that the same call again would succeed. A region that
tried again would go on serving: it must stop taking writes and end, and say why.
"""

import subprocess

from kill import Histories, bulk, first, judge
from ledger import CALL_FAILED
from nodes import Ended, described, nodes, strace

# How long a region may take to end by itself.
ENDS_WITHIN = 20
# The folder in which the engine keeps the list of its namespaces.
ENGINES_OWN = "keyspaces/0"


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
    met = injected(histories)
    note = None
    if ENGINES_OWN in (met or ""):
        # Not a write: the engine rewrites the list of its namespaces, and keeps the old one then.
        note = "goes on with the engine's old list of namespaces"
    elif met:
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
        report.round(f"{history.__name__} {call} {number} ({met})", ledger, problems, note)


def injected(histories):
    """Returns the first call that failed, and its file; None where none was reached."""
    lines = histories.trace.read_text(errors="replace").splitlines()
    failed = [line for line in lines if "INJECTED" in line]
    return described(failed[0]) if failed else None


def run(report, rounds=None, chosen=(first, bulk)):
    """Fails every flush of the two histories, or `rounds` of them, spread evenly."""
    with nodes() as region:
        histories = Histories(region)
        for point in histories.points(chosen, ("fsync", "fdatasync"), rounds):
            fails_at(report, histories, *point)
