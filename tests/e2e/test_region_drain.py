"""A region is left by its clients before it is powered off, and nothing is lost."""

import json
import threading

import laptop as laptops
import pytest
from laptop import EAST, HITHER, IRELAND, REGIONS, TOKYO, environment, eventually, run
from test_sessions import HOST, SHOP, visit
from test_tables import make_table


@pytest.fixture(scope="module")
def shop():
    laptop = laptops.Laptop(more=SHOP)
    app = laptop.folder / "bootstrap"
    app.write_text("#!/bin/sh\nexec hither sample-app\n")
    app.chmod(0o755)
    with laptops.running(laptop):
        for region in REGIONS:
            eventually(lambda region=region: visit(laptop, region, "/health")[0] == 200)
        yield laptop


def region_command(laptop, *words, check=True):
    command = [HITHER, "region", *words, "--manifest", laptop.manifest]
    return run(*command, env=environment(), check=check, timeout=120)


def seen(laptop, by, region):
    """Returns what one region holds another one for, and why."""
    regions = laptop.status(by)["regions"]
    verdict = next(one for one in regions if one["name"] == region)
    return verdict["state"], verdict["because"]


def answered(laptop, by):
    return laptop.dig(by, HOST, "A", "+short").split()


def test_a_drained_region_is_left_and_can_be_powered_off(shop):
    table = make_table(shop, "ledger")
    acknowledged, is_told = [], threading.Event()

    def write():
        # As a client that follows DNS does: it goes on until it is sent elsewhere.
        while not is_told.is_set():
            number = str(len(acknowledged))
            table.put_item(Item={"id": number})
            acknowledged.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    address = shop.address[EAST]
    try:
        eventually(lambda: address in answered(shop, IRELAND) or address in answered(shop, EAST))
        drain = threading.Thread(target=lambda: told.append(
            region_command(shop, "drain", EAST, "--json", "--timeout", "90s")
        ))
        told = []
        drain.start()
        for by in (IRELAND, TOKYO):
            eventually(lambda by=by: seen(shop, by, EAST) == ("down", "it is draining"))
        for by in REGIONS:
            eventually(lambda by=by: address not in answered(shop, by))
    finally:
        is_told.set()
        writer.join()
    drain.join()
    state = json.loads(told[0].stdout)
    assert state["safe_to_power_off"] is True and state["waits_for"] == []
    assert state["lacks_records"] == {IRELAND: 0, TOKYO: 0}
    command = shop.kill(EAST)
    there = shop.table("ledger", IRELAND)
    kept = {item["id"] for item in there.scan(ConsistentRead=True)["Items"]}
    assert acknowledged and kept >= set(acknowledged)
    # It comes back as it went, until somebody takes the drain back.
    shop.restart(EAST, command)
    drained = json.loads(region_command(shop, "drain", EAST, "--json").stdout)
    assert drained["since_micros"] == state["since_micros"]
    assert seen(shop, IRELAND, EAST)[0] == "down"
    region_command(shop, "undrain", EAST)
    for by in (IRELAND, TOKYO):
        eventually(lambda by=by: seen(shop, by, EAST)[0] == "up")
    words = region_command(shop, "undrain", EAST).stdout
    assert "serves" in words


def test_a_table_waits_for_the_region_that_shares_it(shop):
    table = make_table(shop, "pair", replicas=[EAST, TOKYO])
    command = shop.kill(TOKYO)
    # Ireland has no replica: it passes over this write in East's log.
    table.put_item(Item={"id": "only in East"})

    def is_named():
        words = ("drain", EAST, "--json", "--timeout", "1s")
        late = region_command(shop, *words, check=False)
        state = json.loads(late.stdout)
        assert late.returncode == 1 and state["safe_to_power_off"] is False, state
        return state["unsent"] == ["pair"] and state["lacks_records"] == {IRELAND: 0}

    eventually(is_named)
    shop.restart(TOKYO, command)
    region_command(shop, "drain", EAST, "--timeout", "90s")
    assert "Item" in shop.table("pair", TOKYO).get_item(Key={"id": "only in East"})
    region_command(shop, "undrain", EAST)
    for by in (IRELAND, TOKYO):
        eventually(lambda by=by: seen(shop, by, EAST)[0] == "up")


def test_the_last_region_and_unknown_ones_are_not_drained(shop):
    wrong = region_command(shop, "drain", "eu-west-9", check=False)
    assert wrong.returncode == 1 and "the manifest has" in wrong.stderr
    for region in (EAST, TOKYO):
        region_command(shop, "drain", region, "--timeout", "90s")
    last = region_command(shop, "drain", IRELAND, check=False)
    assert last.returncode == 1
    assert "nothing is drained" in last.stderr and "the last one" in last.stderr
    late = region_command(shop, "drain", EAST, "--timeout=-1s", check=False)
    assert late.returncode == 1 and "negative" in late.stderr
    for region in (EAST, TOKYO):
        region_command(shop, "undrain", region)
        eventually(lambda region=region: seen(shop, IRELAND, region)[0] == "up")
