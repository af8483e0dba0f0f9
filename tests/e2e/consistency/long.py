"""A long history of one region with a kill every few seconds, judged in rounds.

usage: long.py SECONDS [SEED]; ends with 1 where an anomaly was found, and prints it.
"""

import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import histories
from laptop import EAST, Laptop

# Each round has a table of its own, so that judging it stays cheap.
ROUND_SECS, KILLS = 20, 4


def main(secs, seed):
    laptop = Laptop().start()
    chance = random.Random(seed)
    bad = 0
    try:
        end = time.monotonic() + secs
        for number in range(1_000_000):
            if time.monotonic() > end:
                break
            bad += one_round(laptop, chance, f"history-{number}")
    finally:
        laptop.stop()
        laptop.remove()
    print(f"rounds with an anomaly: {bad}")
    return bad > 0


def one_round(laptop, chance, table):
    histories.prepare(laptop.client("dynamodb"), table)
    calls = lambda: histories.Calls(laptop.client("dynamodb"), table)  # noqa: E731
    load = histories.Load(calls, chance.random())
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.2, 2 * ROUND_SECS / (KILLS + 1)))
        laptop.restart(EAST, laptop.kill(EAST))
    load.end()
    print(f"{table}: {histories.report(load, KILLS)}", flush=True)
    return bool(histories.anomalies(load))


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
