"""`hither up` keeps its regions running, tells of those that died, and knows when to give up."""

import os
import pathlib
import shutil
import signal

import laptop as laptops
import pytest
from laptop import EAST, HITHER, IRELAND, TOKYO, eventually


@pytest.fixture
def watched(tmp_path):
    """Regions that are started again, of a program whose file the test may replace."""
    program = tmp_path / "hither"
    shutil.copy(HITHER, program)
    with laptops.running(laptops.Laptop(restarts=True, program=program)) as laptop:
        yield laptop


def serves_again(laptop, region, dead):
    return laptop.is_serving(region) and laptop.pid(region) != dead


def test_a_region_that_dies_is_told_of_reaped_and_started_again(watched):
    # As a build does, which must not keep regions from starting.
    watched.program.unlink()
    watched.program.write_text("#!/bin/sh\nexit 9\n")
    watched.program.chmod(0o755)
    pid = watched.pid(TOKYO)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: serves_again(watched, TOKYO, pid))
    assert not pathlib.Path(f"/proc/{pid}").exists(), "it was not waited for"
    eventually(lambda: f"{TOKYO} serves again" in watched.said())
    [told] = [line for line in watched.said().splitlines() if "warning" in line]
    assert TOKYO in told and "signal: 9" in told and "started again" in told, told
    assert str(watched.state / TOKYO / "node.log") in told, told


def test_a_region_that_goes_on_failing_is_given_up(watched):
    others = {region: watched.pid(region) for region in (EAST, IRELAND)}
    (watched.state / TOKYO / "via.json").write_text("no dial table")
    os.kill(watched.pid(TOKYO), signal.SIGKILL)
    eventually(lambda: "is left dead" in watched.said(), within=60)
    assert "exit status: 1" in watched.said() and "read " in watched.said(), watched.said()
    assert watched.said().count("is started again") == 5
    assert not watched.is_serving(TOKYO)
    assert {region: watched.pid(region) for region in (EAST, IRELAND)} == others


def test_a_region_that_is_told_to_end_is_left_so(watched):
    watched.end(watched.pid(TOKYO), signal.SIGTERM)
    eventually(lambda: f"{TOKYO} ended, exit status: 0" in watched.said())
    assert "is started again" not in watched.said()


def test_regions_are_left_dead_where_that_is_asked_for():
    with laptops.running(laptops.Laptop()) as laptop:
        os.kill(laptop.pid(TOKYO), signal.SIGKILL)
        eventually(lambda: "as --no-restart says" in laptop.said())
        assert not laptop.is_serving(TOKYO)
