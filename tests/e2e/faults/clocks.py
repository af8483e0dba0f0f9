"""Has one region's wall clock jump an hour ahead and back, under writes in two regions.

Only the wall clock jumps, as when somebody sets it; time that is measured goes on. `libfaketime` does it.
"""

import os
import pathlib

from freeze import converged, during, start
from laptop import EAST, IRELAND, eventually
from ledger import Ledger, Load, losers
from nodes import nodes

# Rounds where none are named, and how far each jumps, in seconds.
ROUNDS, HOUR = 8, 3600

LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
)


def library():
    """Returns the library's path; None where it is not installed."""
    named = os.environ.get("FAKETIME_LIBRARY")
    found = [path for path in (named, *LIBRARIES) if path and pathlib.Path(path).exists()]
    return found[0] if found else None


def why_not():
    return None if library() else "libfaketime is not installed (Debian: faketime)"


class Clocks:
    """The wall clocks of the regions, by how far they are from this machine's."""

    def __init__(self, regions):
        self.regions = regions
        self.ahead = dict.fromkeys(regions.regions, 0)

    def file(self, region):
        return self.regions.folder / f"{region}.clock"

    def start(self):
        for region in self.ahead:
            self.set(region, 0)
            self.regions.serve(
                region,
                LD_PRELOAD=library(),
                FAKETIME_TIMESTAMP_FILE=str(self.file(region)),
                FAKETIME_NO_CACHE="1",
                FAKETIME_DONT_FAKE_MONOTONIC="1",
                DONT_FAKE_MONOTONIC="1",
            )

    def set(self, region, ahead):
        self.ahead[region] = ahead
        draft = self.file(region).with_suffix(".draft")
        draft.write_text(f"{ahead:+d}\n")
        draft.rename(self.file(region))


def rests(regions):
    """Returns whether a region says that another's clock is ahead, and that its records rest."""
    peers = [peer for region in regions.regions for peer in regions.status(region)["regions"]]
    return any((peer["replication"] or {}).get("clock_too_far_ahead") for peer in peers)


def run(report, rounds=None):
    """East's clock jumps ahead, and back, in turn; then an hour passes, or it is set right.

    Until then the records of the region that is ahead rest where they arrive: followed, its stamps would win every race.
    """
    with nodes((EAST, IRELAND)) as regions:
        clocks = Clocks(regions)
        clocks.start()
        start(regions)
        ledger = Ledger()
        for number in range(rounds or ROUNDS):
            ahead = number % 2 == 0
            before = clocks.ahead[EAST]
            ledger = Ledger(ledger)
            load = Load(ledger, regions, [EAST, IRELAND])
            try:
                during(load, 0, [EAST, IRELAND])
                clocks.set(EAST, before + HOUR if ahead else before - HOUR)
                during(load, 1, [EAST, IRELAND])
                eventually(lambda: rests(regions))
                # An hour passes for the other, or East's clock is set right.
                clocks.set(*((IRELAND, clocks.ahead[EAST]) if ahead else (EAST, before)))
                during(load, 1, [EAST, IRELAND])
            finally:
                load.end()
            items = converged(regions)
            lost_races = losers(regions, [EAST, IRELAND])
            problems = [
                f"{region}: {problem}"
                for region, there in items.items()
                for problem in ledger.judge(there, lost_races)
            ]
            report.round("an hour ahead" if ahead else "an hour back", ledger, problems)
