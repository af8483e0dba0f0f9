"""A region's data directory is lost, or an older copy of it comes back."""

import shutil
import subprocess

import botocore.exceptions
import pytest
from laptop import EAST, IRELAND, REGIONS, environment, eventually
from test_crash import keys_in
from test_tables import make_table


@pytest.fixture(scope="module")
def table(far):
    make_table(far, "stock")
    return "stock"


def put(laptop, table, region, *keys):
    client = laptop.client("dynamodb", region)
    for key in keys:
        client.put_item(TableName=table, Item={"id": {"S": key}})


def takes_writes(laptop, table, region):
    try:
        put(laptop, table, region, "again")
    except botocore.exceptions.ClientError as error:
        # Until it is filled there is no such table.
        assert error.response["Error"]["Code"] == "ResourceNotFoundException"
        return False
    return True


def run_to_its_end(command):
    """Runs a region that ends by itself. Returns its exit code and what it said."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    ) as process:
        # Its standard input stays open until it has ended: it ends by itself.
        said = process.stdout.read()
        return process.wait(timeout=30), said


def everywhere(laptop, table, keys):
    for region in REGIONS:
        eventually(lambda: sorted(keys_in(laptop, table, region)) == sorted(keys))
    eventually(lambda: len(set(laptop.digests(table).values())) == 1)


def test_an_empty_directory_is_filled_and_an_older_one_stops(far, table):
    keys = [f"{region}-{number}" for region in REGIONS for number in range(30)]
    for region in REGIONS:
        put(far, table, region, *(key for key in keys if key.startswith(region)))
    everywhere(far, table, keys)
    # Ireland's disk is gone.
    command = far.kill(IRELAND)
    data = far.state / IRELAND / "data"
    old = far.folder / "old"
    shutil.copytree(data, old)
    shutil.rmtree(data)
    put(far, table, EAST, "meanwhile")
    far.restart(IRELAND, command)
    eventually(lambda: takes_writes(far, table, IRELAND))
    assert set(keys) <= set(keys_in(far, table, IRELAND)), "it took writes before it was filled"
    keys += ["meanwhile", "again"]
    everywhere(far, table, keys)
    # The disk is found again: what it holds is of another life.
    command = far.kill(IRELAND)
    kept = far.folder / "kept"
    shutil.move(data, kept)
    shutil.copytree(old, data)
    code, said = run_to_its_end(command)
    assert code != 0
    assert "start with that one, or with an empty one" in said
    shutil.rmtree(data)
    shutil.move(kept, data)
    far.restart(IRELAND, command)
    everywhere(far, table, keys)
