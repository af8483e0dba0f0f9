"""The long forms of all faults: a line for each round, and a sum.

usage: long.py FAULT [--rounds N]; ends with 1 where something acknowledged was lost or something wrong was served.
"""

import argparse
import importlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import clocks
import full
import power
from nodes import why_no_strace
from report import Report

# Each with what keeps it from running here, if anything does.
FAULTS = {
    "kill": why_no_strace,
    "power": power.why_not,
    "eio": why_no_strace,
    "rot": lambda: None,
    "full": full.why_not,
    "clocks": clocks.why_not,
    "freeze": lambda: None,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", choices=[*FAULTS, "all"])
    parser.add_argument("--rounds", type=int)
    asked = parser.parse_args()
    good = True
    for fault, why_not in FAULTS.items():
        if asked.fault in (fault, "all"):
            reason = why_not()
            if reason:
                print(f"{fault}: left out: {reason}", flush=True)
                good = good and asked.fault == "all"
                continue
            report = Report(fault, say=lambda line: print(line, flush=True))
            importlib.import_module(fault).run(report, asked.rounds)
            good = report.sum() and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
