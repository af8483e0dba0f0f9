"""What was lost in a race of two regions: listed, shown and written again from the command line."""

import json
import urllib.request

from laptop import EAST, HITHER, IRELAND, REGIONS, TOKYO, environment, eventually, run
from test_tables import item_in, make_table


def ask(laptop, *words, check=True):
    command = [HITHER, "conflicts", *words, "--manifest", laptop.manifest]
    command += ["--state-dir", laptop.state]
    return run(*command, env=environment(), check=check)


def raced(laptop, table, before, *, cut=TOKYO):
    """Has two regions write while they are cut off, so that EAST, which writes last, wins."""
    make_table(laptop, table)
    for item in before:
        laptop.table(table, EAST).put_item(Item=item)
    for region in REGIONS:
        for item in before:
            eventually(lambda: item_in(laptop, table, region, {"id": item["id"]}))
    return laptop.cut_off(cut)


def races(laptop, table, count, *words):
    def found():
        listed = json.loads(told(laptop, table, "--json", *words))["conflicts"]
        return listed if len(listed) == count else None

    return eventually(found)


def told(laptop, *words):
    return ask(laptop, *words).stdout


def test_a_lost_write_is_listed_shown_and_restored(far):
    with raced(far, "lost", [{"id": "seat", "of": "nobody", "row": 7}]):
        far.table("lost", TOKYO).put_item(Item={"id": "seat", "of": "Tokyo", "row": 7})
        far.table("lost", TOKYO).put_item(Item={"id": "other", "of": "Tokyo"})
        far.table("lost", EAST).put_item(Item={"id": "seat", "of": "East", "row": 7})
        far.table("lost", EAST).put_item(Item={"id": "other", "of": "East"})
    for region in REGIONS:
        eventually(lambda: item_in(far, "lost", region, {"id": "seat"})["of"] == "East")
    everywhere = [
        {race["id"] for race in races(far, "lost", 2, "--region", region)} for region in REGIONS
    ]
    assert everywhere[0] == everywhere[1] == everywhere[2]
    for region in REGIONS:
        with urllib.request.urlopen(far.endpoint(region) + "/_hither/metrics") as answer:
            metrics = answer.read().decode().splitlines()
        assert f'hither_conflicts_total{{table="lost",winner="{EAST}",loser="{TOKYO}"}} 2' in metrics
        lost = next(one for one in far.status(region)["tables"] if one["name"] == "lost")
        assert lost["races"] == [{"winner": EAST, "loser": TOKYO, "count": 2}]
    one = races(far, "lost", 1, "--key", '{"id": {"S": "seat"}}')[0]
    assert races(far, "lost", 2, "--winner", EAST, "--loser", TOKYO, "--since", "1h")
    assert races(far, "lost", 1, "--limit", "1")
    assert json.loads(told(far, "lost", "--json", "--winner", TOKYO))["conflicts"] == []
    assert f"write of {EAST} beat write of {TOKYO}" in told(far, "list", "lost")
    shown = told(far, "show", "lost", one["id"])
    for line in ('- of = {"S":"Tokyo"}', '+ of = {"S":"East"}', '  row = {"N":"7"}'):
        assert line in shown
    assert "still as the winner left it" in shown
    assert "written again" in told(far, "restore", "lost", one["id"])
    for region in REGIONS:
        eventually(lambda: item_in(far, "lost", region, {"id": "seat"})["of"] == "Tokyo")
    assert races(far, "lost", 1, "--key", '{"id": {"S": "seat"}}')[0]["restored_micros"]
    assert "restored at" in told(far, "show", "lost", one["id"])
    # What is written since stays, unless the user insists.
    other = races(far, "lost", 1, "--key", '{"id": {"S": "other"}}')[0]
    far.table("lost", EAST).put_item(Item={"id": "other", "of": "somebody"})
    refused = ask(far, "restore", "lost", other["id"], check=False)
    assert refused.returncode == 1
    assert "written since" in refused.stderr and "--force" in refused.stderr
    assert item_in(far, "lost", EAST, {"id": "other"})["of"] == "somebody"
    told(far, "restore", "lost", other["id"], "--force")
    eventually(lambda: item_in(far, "lost", IRELAND, {"id": "other"})["of"] == "Tokyo")
    eventually(lambda: len(set(far.digests("lost").values())) == 1)


def test_a_lost_delete_deletes_again(far):
    with raced(far, "undeleted", [{"id": "1", "n": 1}]):
        far.table("undeleted", TOKYO).delete_item(Key={"id": "1"})
        far.table("undeleted", EAST).put_item(Item={"id": "1", "n": 2})
    one = races(far, "undeleted", 1)[0]
    assert one["loser"]["item"] is None
    eventually(lambda: item_in(far, "undeleted", TOKYO, {"id": "1"}) == {"id": "1", "n": 2})
    assert "deleted the item again" in told(far, "restore", "undeleted", one["id"])
    for region in REGIONS:
        eventually(lambda: item_in(far, "undeleted", region, {"id": "1"}) is None)


def test_what_is_not_there_is_said_so(near):
    make_table(near, "quiet")
    assert "no races of quiet" in told(near, "quiet")
    for words, said in (
        (("nowhere",), "no table"),
        (("show", "quiet", "00"), "36 hexadecimal digits"),
        (("show", "quiet", "0" * 36), "knows of no such race"),
        (("restore", "quiet", "0" * 36), "knows of no such race"),
        (("quiet", "--key", "seat"), "DynamoDB's JSON"),
        (("quiet", "--since", "noon"), "write it as"),
        (("quiet", "--region", "mars"), "no such one"),
    ):
        refused = ask(near, *words, check=False)
        assert refused.returncode == 1, words
        assert said in refused.stderr, (words, refused.stderr)
