"""A machine joins a project by a token: it is given the key, once, and then serves its region."""

import json
import stat
import time
import urllib.error
import urllib.request

import pytest
from laptop import EAST, HITHER, IRELAND, TOKYO, eventually, run
from test_link_tls import keys, laptop, make_table, serving  # noqa: F401


def hither(laptop, *words, check=True):
    words = [str(word) for word in words]
    return run(HITHER, "region", *words, check=check, cwd=laptop.folder)


def invite(laptop, *words, check=True):
    # The region is not served by `hither up`, so it is asked where it is.
    at = "{}:{}".format(*laptop.port(EAST, "api"))
    return hither(laptop, "invite", IRELAND, "--endpoint", at, *words, check=check)


def token_of(laptop, key, *words):
    return json.loads(invite(laptop, "--project-key", key, "--json", *words).stdout)["token"]


def test_a_machine_joins_by_a_token_and_serves(laptop):
    (ours, _), theirs = keys(laptop), laptop.folder / "theirs.key"
    with serving(laptop, EAST, {}, ours):
        told = invite(laptop, "--project-key", ours).stdout
        line = next(one for one in told.splitlines() if one.startswith("hither region join "))
        token = line.split()[-1]
        told = hither(laptop, "join", token, "--project-key", theirs).stdout
        assert f"hither serve --region {IRELAND}" in told and str(theirs) in told, told
        assert theirs.read_text() == ours.read_text()
        assert stat.S_IMODE(theirs.stat().st_mode) == 0o600
        assert token not in (laptop.folder / f"{EAST}.log").read_text()
        with serving(laptop, IRELAND, {}, theirs):
            make_table(laptop)
            client = laptop.client("dynamodb", EAST)
            client.put_item(TableName="notes", Item={"pk": {"S": "joined"}})

            def has_come():
                client = laptop.client("dynamodb", IRELAND)
                return client.get_item(TableName="notes", Key={"pk": {"S": "joined"}})["Item"]

            eventually(has_come)

        again = hither(laptop, "join", token, "--project-key", theirs, check=False)
        assert again.returncode == 1 and "a key is not replaced" in again.stderr, again
        other = laptop.folder / "third.key"
        used = hither(laptop, "join", token, "--project-key", other, check=False)
        assert used.returncode == 1 and "it was used" in used.stderr, used
        assert not other.exists()
        log = laptop.folder / f"{EAST}.log"
        eventually(lambda: "join: the token does not count here" in log.read_text())


def test_what_is_refused_says_why_and_writes_nothing(laptop):
    (ours, wrong), theirs = keys(laptop), laptop.folder / "theirs.key"

    def refused(*words):
        said = hither(laptop, *words, check=False)
        assert said.returncode == 1 and not theirs.exists(), said
        return said.stderr

    with serving(laptop, EAST, {}, ours):
        # A region of development too wants the key: the token is worth it.
        call = laptop.endpoint(EAST) + f"/_hither/invitations?region={IRELAND}"
        with pytest.raises(urllib.error.HTTPError) as bare:
            urllib.request.urlopen(urllib.request.Request(call, method="POST"), timeout=20)
        assert bare.value.code == 403
        assert json.load(bare.value)["code"] == "ProofRequired"
        at = ("--endpoint", "{}:{}".format(*laptop.port(EAST, "api")))
        assert "prove that you have it" in refused(
            "invite", IRELAND, *at, "--project-key", wrong
        )
        assert "name its file, --project-key" in refused("invite", IRELAND, *at)
        key = ("--project-key", ours)
        assert "has no region" in refused("invite", TOKYO, *at, *key)
        assert "served here" in refused("invite", EAST, *at, *key)
        for span in ("16m", "0s"):
            said = refused("invite", IRELAND, *at, *key, "--expires", span)
            assert "from 1 to 900" in said, said

        token = token_of(laptop, ours)
        there = ("--project-key", theirs)
        assert "it is not whole" in refused("join", token[:60], *there)
        assert "it is not whole" in refused("join", "5a" * 32, *there)
        nowhere = ("--address", "{}:{}".format(*laptop.port(IRELAND, "link")))
        assert "cannot be reached" in refused("join", token, *there, *nowhere)
        dns = ("--address", "{}:{}".format(*laptop.port(EAST, "api")))
        assert "speaks something else" in refused("join", token, *there, *dns)
        late = token_of(laptop, ours, "--expires", "1s")
        # The newer invitation has taken the first one's place.
        assert "another was made" in refused("join", token, *there)
        time.sleep(1.1)
        assert "time is over" in refused("join", late, *there)


def test_a_token_is_not_taken_by_another_project(laptop):
    ours, other = keys(laptop)
    with serving(laptop, EAST, {}, ours):
        token = token_of(laptop, ours)
    # The same region, address and port, by whoever has taken its place.
    with serving(laptop, EAST, {}, other):
        theirs = laptop.folder / "theirs.key"
        said = hither(laptop, "join", token, "--project-key", theirs, check=False)
        assert said.returncode == 1 and not theirs.exists()
        assert "is not us-east-1 of the token's project" in said.stderr, said.stderr
        log = laptop.folder / f"{EAST}.log"
        assert token not in log.read_text()


def test_what_hither_up_runs_invites_without_being_told_where(near, tmp_path):
    manifest = ("--manifest", near.manifest)
    told = hither(near, "invite", TOKYO, *manifest, "--state-dir", near.state, "--json").stdout
    told = json.loads(told)
    assert (told["region"], told["by"], told["seconds"]) == (TOKYO, EAST, 900)
    file = tmp_path / "project.key"
    hither(near, "join", told["token"], "--project-key", file)
    assert file.read_text() == (near.state / "project.key").read_text()
    wrong = tmp_path / "wrong.key"
    wrong.write_text("5b" * 32 + "\n")
    refused = hither(
        near, "invite", TOKYO, *manifest, "--state-dir", near.state, "--project-key", wrong,
        check=False,
    )
    # Each region is asked, and what each says is told.
    assert refused.returncode == 1 and f"{IRELAND}: " in refused.stderr, refused
    assert refused.stderr.count("prove that you have it") == 2, refused
