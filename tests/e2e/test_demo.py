"""`hither demo --once --json`, from nothing but the binary: what a newcomer runs first."""

import json

import pytest
from laptop import HITHER, REGIONS, environment, run


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    env = environment(TMPDIR=str(folder))
    done = run(HITHER, "demo", "--once", "--json", cwd=folder, env=env, timeout=200, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    left = [path.name for path in folder.iterdir()]
    assert left == [], "it left files behind"
    return json.loads(done.stdout)


def test_all_of_it_held(report):
    assert report["ok"] is True
    assert report["held"] and all(report["held"].values()), report["held"]


def test_no_client_request_failed_through_the_kill(report):
    failover = report["failover"]
    assert failover["failed_client_requests"] == 0, failover["failures"]
    assert failover["client_requests"] > 100
    assert failover["acknowledged_writes_checked"] > 0
    assert failover["acknowledged_writes_missing"] == []
    for phase in ("before", "while_it_was_dead", "after"):
        assert failover["time_to_first_byte"][phase]["requests"] > 0, phase


def test_every_figure_is_there(report):
    def leaves(value, path):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from leaves(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for at, inner in enumerate(value):
                yield from leaves(inner, f"{path}[{at}]")
        else:
            yield path, value

    missing = [path for path, value in leaves(report, "report") if value is None or value == ""]
    assert missing == []
    failover = report["failover"]
    for figure in (
        "dns_stopped_naming_it_ms",
        "serving_again_after_start_ms",
        "caught_up_after_start_ms",
        "dns_names_it_again_after_start_ms",
    ):
        assert failover[figure] > 0, figure


def test_the_story_has_all_its_parts(report):
    assert {step["step"] for step in report["steps"]} == {1, 2, 3, 4, 5}
    assert {step["region"] for step in report["steps"]} == set(REGIONS)
    assert all(step["command"].startswith("aws ") for step in report["steps"])
    cities = {city["city"] for city in report["time_to_first_byte"]}
    assert cities == {"new-york", "london", "tokyo", "singapore", "sao-paulo"}
    for city in report["time_to_first_byte"]:
        assert city["one_region_ms"] > 0 and city["three_regions_ms"] > 0
    replication = report["replication"]
    assert replication["samples"] > 0
    # Light is not outrun: what another region shows has travelled there.
    assert replication["visible_after_acknowledgement_max_ms"] > replication["link_one_way_ms"] > 0
    conflict = report["conflict"]
    assert conflict["winner"] != conflict["loser"] and conflict["loser_kept_in"]
    for table in report["digests"]:
        assert table["equal"] and len(set(table["by_region"].values())) == 1, table
    assert "carts" in {table["table"] for table in report["digests"]}
