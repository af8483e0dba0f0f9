"""Regions join a running project while clients write, and nothing that was acknowledged is lost."""

import signal

import laptop as laptops
import pytest
from laptop import EAST, IRELAND, REGIONS, TOKYO, eventually, free_ports
from test_crash import Writers, keys_in
from test_tables import make_table


@pytest.fixture
def two():
    """A project of two regions, whose manifest does not name the third."""
    laptop = laptops.Laptop()
    laptop.whole = laptop.manifest.read_text()
    lines = laptop.whole.splitlines(keepends=True)
    laptop.manifest.write_text("".join(line for line in lines if not line.startswith(TOKYO)))
    with laptops.running(laptop):
        yield laptop


def start_anew(laptop, region):
    """Stops a region in order and starts it with the manifest as it is; returns the command."""
    command = laptop.end(laptop.pid(region), signal.SIGTERM)
    laptop.restart(region, command)
    return command


def status_in(laptop, by, table, region):
    replicas = laptop.client("dynamodb", by).describe_table(TableName=table)["Table"]["Replicas"]
    found = [one["ReplicaStatus"] for one in replicas if one["RegionName"] == region]
    return found[0] if found else None


def test_a_region_is_added_while_others_serve(two):
    table = make_table(two, "ledger", replicas=[EAST, IRELAND])
    for number in range(300):
        table.put_item(Item={"id": f"early-{number}"})
    for number in range(0, 300, 2):
        table.delete_item(Key={"id": f"early-{number}"})
    kept = {f"early-{number}" for number in range(1, 300, 2)}
    writers = {region: Writers(two, "ledger", region) for region in (EAST, IRELAND)}
    for one in writers.values():
        one.wait_for_more()
    # One after the other learns of the region, so that one serves at any time.
    two.manifest.write_text(two.whole)
    start_anew(two, IRELAND)
    writers[IRELAND].wait_for_more()
    command = start_anew(two, EAST)
    writers[EAST].wait_for_more()
    (two.state / TOKYO).mkdir(exist_ok=True)
    # The first two reach each other by way of `hither up`, which knows nothing of the third.
    via = command.index("--via")
    direct = command[:via] + command[via + 2:]
    two.restart(TOKYO, [word.replace(EAST, TOKYO) for word in direct])
    eventually(lambda: len(two.status(TOKYO)["regions"]) == 3)
    client = two.client("dynamodb", EAST)
    update = [{"Create": {"RegionName": TOKYO}}]
    client.update_table(TableName="ledger", ReplicaUpdates=update)
    # In the middle of it the region that fills it is stopped and started again.
    start_anew(two, EAST)
    eventually(lambda: status_in(two, IRELAND, "ledger", TOKYO) == "ACTIVE")
    writers[TOKYO] = Writers(two, "ledger", TOKYO)
    for one in writers.values():
        one.wait_for_more()
    acknowledged = kept | {key for one in writers.values() for key in one.end()}
    for region in REGIONS:
        def is_complete(region=region):
            found = set(keys_in(two, "ledger", region))
            missing = acknowledged - found
            assert not missing, f"{region} lacks {len(missing)}: {sorted(missing)[:3]}"
            undone = {key for key in found if key.startswith("early-")} - kept
            assert not undone, f"{region} has again {sorted(undone)[:3]}"
            return True

        eventually(is_complete)
    eventually(lambda: len(set(two.digests("ledger").values())) == 1)


@pytest.fixture
def three():
    with laptops.running(laptops.Laptop()) as laptop:
        yield laptop


def test_a_region_changes_its_address_while_others_serve(three):
    make_table(three, "ledger")
    writers = {region: Writers(three, "ledger", region) for region in REGIONS}
    for one in writers.values():
        one.wait_for_more()
    # It is away while the others go on, and comes back where nobody has known it.
    command = three.end(three.pid(TOKYO), signal.SIGTERM)
    moved = writers.pop(TOKYO).end()
    three.ports[TOKYO] = free_ports(three.address[TOKYO])
    three.manifest.write_text(three.manifest_text())
    for region in (EAST, IRELAND):
        start_anew(three, region)
        writers[region].wait_for_more()
    three.restart(TOKYO, command)
    writers[TOKYO] = Writers(three, "ledger", TOKYO)
    for one in writers.values():
        one.wait_for_more()
    acknowledged = set(moved) | {key for one in writers.values() for key in one.end()}
    for region in REGIONS:
        def is_complete(region=region):
            missing = acknowledged - set(keys_in(three, "ledger", region))
            assert not missing, f"{region} lacks {len(missing)}: {sorted(missing)[:3]}"
            return True

        eventually(is_complete)
    eventually(lambda: len(set(three.digests("ledger").values())) == 1)
