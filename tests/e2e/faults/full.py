"""Fills a region's disk: what is acknowledged stays, what does not fit is refused, and room lets it go on.

The disk is a file system in memory, of another size each round, so that another call meets its end.
"""

import random
import shutil
import subprocess
import tempfile

import ledger as ledgers
from kill import LARGE
from laptop import EAST, eventually, run as run_command
from ledger import CALL_FAILED, Ledger, make_table, read
from nodes import Ended, nodes

# Rounds where none are named, the sizes they are drawn from in MiB, and what there is room for afterwards.
ROUNDS, LEAST, MOST, ROOM = 20, 6, 120, 600
# Most writes that a round may need until the disk is full.
WRITES_MAX = 400
ENDS_WITHIN = 20


def why_not():
    """Returns why no file system can be mounted here; None where one can."""
    if shutil.which("mount") is None:
        return "there is no mount"
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
        probe = subprocess.run(command, capture_output=True, text=True, check=False)
        if probe.returncode:
            return f"no file system can be mounted: {probe.stderr.strip()}"
        run_command("umount", folder)
    return None


def one_round(report, region, mib, size):
    data = region.data()
    data.mkdir(exist_ok=True)
    run_command("mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", data)
    try:
        ledger, problems = Ledger(), []
        note = fill(region, ledger, size, problems)
        run_command("mount", "-o", f"remount,size={ROOM}m", data)
        if region.processes[EAST].poll() is None:
            region.end()
        region.serve()
        client = region.client("dynamodb")
        if ledgers.TABLE not in client.list_tables()["TableNames"]:
            make_table(client)
        problems += ledger.judge(read(client))
        for number in range(5):
            write = ledger.put(client, f"after-{number}", size)
            if write.outcome != "acknowledged":
                problems.append(f"it takes no writes with room again: {write.error}")
        problems += ledger.judge(read(client))
        region.end()
        report.round(f"{mib} MiB, items of {size} bytes", ledger, problems, note)
    finally:
        if region.processes and region.processes[EAST].poll() is None:
            region.kill_now()
        run_command("umount", data)


def fill(region, ledger, size, problems):
    """Writes until the disk is full. Returns what the region did then."""
    try:
        process = region.serve()
        client = region.client("dynamodb", read_timeout=10)
        make_table(client)
    except (Ended, *CALL_FAILED):
        region.wait(seconds=ENDS_WITHIN)
        check_words(region, problems)
        return "ended at its start, and said why"
    for number in range(WRITES_MAX):
        if ledger.put(client, f"key-{number % 10}", size).outcome != "acknowledged":
            break
    else:
        problems.append("the disk was never full")
        return None
    refused = ledger.put(client, "key-0", size)
    if refused.outcome == "acknowledged":
        problems.append("a write is done after one could not be")
    try:
        problems += ledger.judge(read(client))
        return "refuses writes, and reads go on"
    except CALL_FAILED:
        eventually(lambda: process.poll() is not None, within=ENDS_WITHIN)
        check_words(region, problems)
        return "ended, and said why"


def check_words(region, problems):
    said = region.said_by()
    if "panicked" in said or "error" not in said:
        problems.append(f"it is not clear: {said[-300:]!r}")
    if "No space left on device" not in said and "StorageFull" not in said:
        problems.append(f"it does not say that the disk is full: {said[-300:]!r}")


def run(report, rounds=None, largest=MOST):
    """Fills disks of many sizes."""
    chance = random.Random(1)
    with nodes() as region:
        for _ in range(rounds or ROUNDS):
            one_round(report, region, chance.randint(LEAST, largest), LARGE)
