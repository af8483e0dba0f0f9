"""Takes the power from a region: what was not flushed is gone, or is there in part.

The data directory is on a file system in memory that knows what was flushed. At a loss it keeps of the rest nothing, or a
random choice of pages, the last of them torn; a name that its directory was not flushed for is gone. Where that file
system is not installed, `HITHER_CRASHFS` names no program, nothing is tried.
"""

import contextlib
import os
import pathlib
import random
import shutil
import socket
import subprocess

import ledger as ledgers
from laptop import EAST, eventually
from ledger import Ledger, Load, make_table, read
from nodes import Ended, nodes

# Rounds where none are named, how many of them a directory lives, and the most writes between two losses.
ROUNDS, LIFE, WRITES_MAX = 500, 10, 40


def why_not():
    """Returns why there is no such file system here; None where there is."""
    if not os.environ.get("HITHER_CRASHFS"):
        return "HITHER_CRASHFS names no file system that forgets what was not flushed"
    if not pathlib.Path("/dev/fuse").exists():
        return "there is no /dev/fuse"
    return None


class Disk:
    """A mounted file system that loses power when told."""

    def __init__(self, folder):
        self.folder, self.port = folder, folder.with_suffix(".sock")
        self.folder.mkdir()
        self.process = subprocess.Popen([os.environ["HITHER_CRASHFS"], folder, self.port])
        eventually(folder.is_mount)

    def lose_power(self, how, seed):
        with socket.socket(socket.AF_UNIX) as port:
            port.connect(str(self.port))
            port.sendall(f"crash {how} {seed}\n".encode())
            return port.recv(4096)

    def remove(self):
        subprocess.run(["umount", self.folder], check=False)
        self.process.terminate()
        self.process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def disk(folder):
    made = Disk(folder)
    try:
        yield made
    finally:
        made.remove()


def life(report, region, chance, rounds):
    """Loses power again and again under writes, each time after another number of them."""
    ledger = Ledger()
    with disk(region.data()) as power:
        region.serve()
        for number in range(rounds):
            ledger, how = Ledger(ledger), chance.choice(("none", "random"))
            problems = []
            if number or chance.random() < 0.8:
                problems += write(region, ledger, chance.randrange(WRITES_MAX))
            region.kill_now()
            power.lose_power(how, chance.randrange(1, 1 << 30))
            try:
                region.serve()
            except Ended as error:
                problems.append(f"it does not start again: {error}")
            else:
                problems += look(region, ledger)
            report.round(f"keeps {how}", ledger, problems)
            if problems:
                break
        if region.processes[EAST].poll() is None:
            region.kill_now()


def write(region, ledger, count):
    """Writes from several clients until so many are acknowledged and one more may be under way."""
    client = region.client("dynamodb")
    if ledgers.TABLE not in client.list_tables()["TableNames"]:
        make_table(client)
    load = Load(ledger, region, [EAST], read_timeout=10)
    try:
        eventually(lambda: load.acknowledged[EAST] >= count, every=0.001)
    finally:
        # The power goes while they write.
        region.processes[EAST].kill()
        load.end()
    return []


def look(region, ledger):
    client = region.client("dynamodb")
    if ledgers.TABLE in client.list_tables()["TableNames"]:
        return ledger.judge(read(client))
    acknowledged = [one for one in ledger.writes.values() if one.outcome == "acknowledged"]
    return ["the table is gone"] if acknowledged else []


def run(report, rounds=None):
    """Loses power so often, with a directory from its first start every few times."""
    chance, left = random.Random(1), rounds or ROUNDS
    with nodes() as region:
        while left > 0:
            before = report.rounds
            life(report, region, chance, min(left, LIFE))
            left -= max(1, report.rounds - before)
