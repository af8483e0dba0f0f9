"""Whether all regions hold the same: compared by the command, while they serve."""

import json
import os
import signal
import urllib.error
import urllib.request

import pytest

from laptop import EAST, HITHER, IRELAND, REGIONS, TOKYO, environment, eventually, guarded, run
from test_tables import item_in, make_table


def verify(laptop, table, *words):
    """Returns the exit code and what is told, as JSON."""
    command = [HITHER, "verify", table, "--json", "--manifest", laptop.manifest]
    done = run(*command, "--state-dir", laptop.state, *words, env=environment(), check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def outcomes(told):
    return {one["region"]: one["outcome"] for one in told["compared"]}


def test_regions_that_write_are_found_to_hold_the_same(far):
    make_table(far, "proved")
    clients = {region: far.table("proved", region) for region in REGIONS}
    for number in range(60):
        region = REGIONS[number % 3]
        clients[region].put_item(Item={"id": str(number % 25), "n": number, "of": region})
    clients[EAST].delete_item(Key={"id": "3"})
    for region in REGIONS:
        # At once: what is on its way is no difference.
        code, told = verify(far, "proved", "--region", region)
        assert (code, told["verdict"], told["differences"]) == (0, "converged", []), told
        assert told["region"] == region
        assert outcomes(told) == {other: "same" for other in REGIONS if other != region}
        assert set(told["as_of"]) == set(REGIONS)
    command = [HITHER, "verify", "proved", "--manifest", far.manifest, "--state-dir", far.state]
    said = run(*command, env=environment()).stdout
    assert "converged: proved is the same in" in said and "as of" in said and "items" in said


def test_a_region_that_is_cut_off_or_dead_is_not_taken_for_the_same(far):
    make_table(far, "severed")
    far.table("severed", EAST).put_item(Item={"id": "1", "n": 1})
    for region in REGIONS:
        eventually(lambda: item_in(far, "severed", region, {"id": "1"}))
    with far.cut_off(TOKYO):
        far.table("severed", TOKYO).put_item(Item={"id": "1", "n": 2})
        code, told = verify(far, "severed", "--region", EAST)
        assert (code, told["verdict"]) == (1, "unknown"), told
        assert outcomes(told) == {IRELAND: "same", TOKYO: "not-compared"}, told
    eventually(lambda: verify(far, "severed", "--region", TOKYO)[0] == 0)
    command = far.kill(IRELAND)
    code, told = verify(far, "severed", "--region", EAST)
    assert (code, outcomes(told)) == (1, {IRELAND: "not-compared", TOKYO: "same"}), told
    problem = next(one["problem"] for one in told["compared"] if one["region"] == IRELAND)
    assert "could not be asked" in problem
    # The first of the manifest that answers is asked.
    assert verify(far, "severed")[1]["region"] == EAST
    far.restart(IRELAND, command)
    eventually(lambda: verify(far, "severed", "--region", IRELAND)[0] == 0)


def test_a_frozen_region_is_given_up_on(far):
    make_table(far, "frozen")
    pid = far.pid(TOKYO)
    os.kill(pid, signal.SIGSTOP)
    try:
        code, told = verify(far, "frozen", "--region", EAST)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (code, outcomes(told)) == (1, {IRELAND: "same", TOKYO: "not-compared"}), told
    eventually(lambda: verify(far, "frozen", "--region", EAST)[0] == 0)


def test_tables_of_one_region_system_tables_and_no_table(near):
    make_table(near, "lonely", replicas=[EAST])
    code, told = verify(near, "lonely")
    assert (code, told["verdict"], told["compared"]) == (0, "converged", []), told
    make_table(near, "both", replicas=[EAST, IRELAND])
    eventually(lambda: verify(near, "both", "--region", IRELAND)[0] == 0)
    assert outcomes(verify(near, "both")[1]) == {IRELAND: "same"}
    eventually(lambda: verify(near, "hither.tables", "--region", TOKYO)[0] == 0)
    code, said = verify(near, "nowhere")
    assert code == 1 and "no table" in said


def test_where_callers_sign_a_comparison_wants_a_proof():
    with guarded() as laptop:
        request = urllib.request.Request(
            laptop.endpoint(EAST) + "/_hither/verify?table=hither.tables", method="POST"
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code == 403
        assert json.load(refused.value)["code"] == "ProofRequired"
