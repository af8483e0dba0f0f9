"""`hither check`, `hither up` and their like on files and machines that are not in order."""

import contextlib
import hashlib
import json
import random
import socket
import subprocess

import botocore.exceptions
import laptop as laptops
import pytest
from botocore.exceptions import ClientError
from laptop import EAST, HITHER, IRELAND, REGIONS, TOKYO, environment, eventually, run

MISTAKEN = """\
[project]
name = "shop"
colour = "green"

[regions]
us-east-1 = { api = 70000 }
eu-west-1 = {}

[tables.carts]
partition_key = { customer = "X" }

[functions.cart]
runtime = "provided.al2023"
code = "nowhere/bootstrap"
timeout = "5"

[domains."api.shop.test"]
routes = { "ANY /cart" = "function:kart", "FETCH /x" = "function:cart" }
health = { path = "health" }
"""

# What each mistake's own line says, and the line that it stands on.
MISTAKES = {
    "colour": 3,
    "70000": 6,
    '"X"': 10,
    "nowhere/bootstrap": 14,
    '"5"': 15,
    "kart": 18,
    "FETCH": 18,
    '"health"': 19,
}


def hither(*words, folder, check=False):
    return run(HITHER, *words, cwd=folder, env=environment(), check=check)


def test_check_tells_every_mistake_at_once(tmp_path):
    (tmp_path / "hither.toml").write_text(MISTAKEN)
    done = hither("check", folder=tmp_path)
    assert done.returncode == 1
    for mistake, line in MISTAKES.items():
        assert mistake in done.stderr, f"{mistake} is not told of:\n{done.stderr}"
        assert f"hither.toml:{line}:" in done.stderr, f"line {line} is not named:\n{done.stderr}"
    assert done.stderr.count("help: ") >= len(MISTAKES), done.stderr
    assert "\x1b[" not in done.stderr


def test_up_and_serve_refuse_what_check_refuses(tmp_path):
    (tmp_path / "hither.toml").write_text(MISTAKEN)
    for words in (["up"], ["serve", "--region", EAST, "--data-dir", "data"], ["status"], ["env"]):
        done = hither(*words, folder=tmp_path)
        assert done.returncode == 1 and "kart" in done.stderr, (words, done)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hither.toml"]


def test_a_file_that_is_not_there_is_named(tmp_path):
    for words in (["check"], ["up"], ["status"], ["env"]):
        done = hither(*words, folder=tmp_path)
        assert done.returncode == 1
        assert "hither.toml" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_order_passes(tmp_path):
    (tmp_path / "hither.toml").write_text('[project]\nname = "x"\n\n[regions]\nus-east-1 = {}\n')
    done = hither("check", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no mistakes" in done.stdout


@pytest.mark.parametrize("key", ["api", "dns", "gossip"])
def test_up_refuses_a_taken_port_before_anything_starts(key):
    laptop = laptops.Laptop()
    kind = socket.SOCK_DGRAM if key in ("dns", "gossip") else socket.SOCK_STREAM
    try:
        with socket.socket(socket.AF_INET, kind) as holder:
            holder.bind(laptop.port(TOKYO, key))
            if kind == socket.SOCK_STREAM:
                holder.listen()
            done = run(*laptop.up_command(), env=environment(), check=False)
        address, port = laptop.port(TOKYO, key)
        assert done.returncode == 1, done
        assert f"{address}:{port}" in done.stderr and TOKYO in done.stderr, done.stderr
        assert "the port is taken" in done.stderr and "help: " in done.stderr, done.stderr
        assert not laptop.state.exists(), "something was started"
    finally:
        laptop.remove()


def test_a_second_up_is_refused_while_the_first_runs(near):
    pids = {region: near.pid(region) for region in REGIONS}
    done = run(*near.up_command(), env=environment(), check=False)
    assert done.returncode == 1 and "7 ports are taken" in done.stderr, done
    assert "3 mistakes" in done.stderr, done.stderr
    assert f"process {near.process.pid} is `hither up`" in done.stderr, done.stderr
    assert {region: near.pid(region) for region in REGIONS} == pids
    near.order("heal")


def test_the_chaos_port_refuses_what_is_no_order(near):
    with pytest.raises(AssertionError, match="there is no region"):
        near.order("isolate atlantis")
    with pytest.raises(AssertionError, match="orders are"):
        near.order("explode")


def test_versions_name_the_commit(near):
    said = hither("--version", folder=near.folder, check=True).stdout.split()
    head = run("git", "rev-parse", "HEAD", cwd=laptops.ROOT, check=False).stdout.strip()
    release, _, commit = said[1].partition("+")
    # A build out of an archive knows none; another work tree may have built this one.
    assert release.count(".") == 2 and (len(commit) == 12 or not head), said
    assert {near.status(region)["version"] for region in REGIONS} == {said[1]}
    assert near.ask(EAST, "/_hither/health")["version"] == said[1]
    assert f"(version {said[1]}, development)" in hither(
        "status", "--manifest", near.manifest, folder=near.folder
    ).stdout


def test_status_and_env_lead_to_the_regions(near):
    done = hither("status", "--manifest", near.manifest, folder=near.folder, check=True)
    for region in REGIONS:
        assert region in done.stdout
    lines = hither("env", "--manifest", near.manifest, "--region", IRELAND, folder=near.folder)
    assert f"AWS_ENDPOINT_URL={near.endpoint(IRELAND)}" in lines.stdout
    assert f"AWS_REGION={IRELAND}" in lines.stdout


@pytest.fixture
def public():
    """A project whose manifest gives public addresses, run on this machine all the same."""
    laptop = laptops.Laptop()
    for at, region in enumerate(REGIONS):
        laptop.address[region] = f"127.0.0.{11 + at}"
        laptop.ports[region] = laptops.free_ports(laptop.address[region])
    lines = laptop.manifest_text()
    for at, region in enumerate(REGIONS):
        lines = lines.replace(laptop.address[region], f"198.51.100.{1 + at}")
    laptop.manifest.write_text(lines + '[tables.kept]\npartition_key = { id = "S" }\n')
    laptop.state = laptop.folder / ".hither"
    try:
        yield laptop
    finally:
        laptop.remove()


def test_public_addresses_are_not_asked_while_up_runs(public):
    with laptops.running(public):
        ask = {"folder": public.folder, "check": True}
        status = json.loads(hither("status", "--json", **ask).stdout)
        pids = [public.pid(region) for region in REGIONS]
        assert [region["pid"] for region in status] == pids
        lines = hither("env", "--region", IRELAND, **ask).stdout
        assert f"AWS_ENDPOINT_URL={public.endpoint(IRELAND)}" in lines
        assert "AWS_ACCESS_KEY_ID=test" in lines
        hither("faults", "set", "kept", "throttle=1", **ask)
        assert hither("faults", "list", **ask).stdout.count("throttle=1") == len(REGIONS)
        assert "3 unchanged" in hither("deploy", **ask).stdout
        assert "deleted 1 tables" in hither("reset", **ask).stdout
        # Once it has ended, the manifest's own addresses count; their callers have their own keys.
        assert public.stop() == 0
        lines = hither("env", **ask).stdout
        assert "AWS_ENDPOINT_URL=http://198.51.100.1:" in lines and "KEY_ID=test" not in lines


def test_regions_end_with_their_parent():
    laptop = laptops.Laptop().start()
    try:
        pids = [laptop.pid(region) for region in REGIONS]
        laptop.process.kill()
        for pid in pids:
            eventually(lambda: laptops.is_dead(pid))
    finally:
        laptop.stop()
        laptop.remove()


# Data directories that must not be touched.


@pytest.fixture(scope="module")
def stopped():
    """A project that ran, wrote and was stopped."""
    laptop = laptops.Laptop().start()
    client = laptop.client("dynamodb")
    client.create_table(
        TableName="kept",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(50):
        client.put_item(TableName="kept", Item={"id": {"S": f"{number}"}, "x": {"S": "y" * 1000}})
    assert laptop.stop() == 0
    yield laptop
    laptop.remove()


def fingerprint(folder):
    """Returns every file of a folder with the hash of what is in it; logs apart."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in ("node.log", "lock")
    }


def serve_command(laptop, folder):
    return [
        HITHER, "serve", "--laptop", "--region", EAST, "--manifest", laptop.manifest,
        "--data-dir", folder, "--project-key", laptop.state / "project.key",
    ]


def serve(laptop, folder):
    """Tries to serve a directory that must be refused."""
    env = environment(HITHER_LOG="error")
    return run(*serve_command(laptop, folder), env=env, check=False, timeout=30)


def refused(laptop, folder, *words):
    before = fingerprint(folder)
    done = serve(laptop, folder)
    assert done.returncode != 0
    assert str(folder) in done.stderr, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert fingerprint(folder) == before, "files were changed"


@pytest.fixture
def copy(stopped, tmp_path):
    """A copy of a stopped region's directory, to be harmed."""
    folder = tmp_path / EAST
    run("cp", "-a", stopped.state / EAST, folder)
    return folder


def test_a_newer_directory_is_refused(stopped, copy):
    (copy / "data" / "HITHER_FORMAT").write_text("99\n")
    refused(stopped, copy, "format is 99", "start the build that wrote it")


def test_a_damaged_marker_is_refused(stopped, copy):
    (copy / "data" / "HITHER_FORMAT").write_bytes(b"\0garbage")
    refused(stopped, copy, "HITHER_FORMAT", "from a backup of its newest state")


def test_a_foreign_directory_is_refused(stopped, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.tex").write_text("ten years of work")
    refused(stopped, tmp_path, "no data directory of Hither", "name another directory")


def engine_files(folder, smallest=1):
    files = [path for path in (folder / "data").rglob("*") if path.is_file()]
    return [
        path
        for path in sorted(files, key=lambda path: path.stat().st_size)
        if path.name not in ("HITHER_FORMAT", "lock") and path.stat().st_size >= smallest
    ]


def test_a_directory_without_its_engines_files_is_refused(stopped, copy):
    gone = [path for path in engine_files(copy) if path.stat().st_size < 4096]
    assert gone
    for path in gone:
        path.unlink()
    refused(stopped, copy, "from a backup of its newest state")


def test_a_scrambled_file_is_refused_and_can_be_restored(stopped, copy):
    largest = engine_files(copy)[-1]
    sound = largest.read_bytes()
    # In the midst of what was durable; an end that was cut short is what a crash leaves.
    middle = first_write(sound) + 200
    flipped = bytes(byte ^ 0xFF for byte in sound[middle : middle + 64])
    largest.write_bytes(sound[:middle] + flipped + sound[middle + 64 :])
    before = fingerprint(copy)
    done = serve(stopped, copy)
    assert done.returncode != 0
    assert str(copy) in done.stderr and "from a backup of its newest state" in done.stderr
    # The engine may clear away what it no longer needs before it finds the damage.
    after = fingerprint(copy)
    assert after.items() <= before.items(), "files were changed"
    assert str(largest.relative_to(copy)) in after
    largest.write_bytes(sound)
    with serving(stopped, copy):
        assert stopped.client("dynamodb").scan(TableName="kept", Select="COUNT")["Count"] == 50


@pytest.fixture(scope="module")
def flushed():
    """A project that wrote so much that the engine has put it into files of its own."""
    laptop = laptops.Laptop().start()
    client = laptop.client("dynamodb")
    client.create_table(
        TableName="kept",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    noise = random.Random(5)
    for number in range(FLUSHED):
        item = {"id": {"S": f"{number}"}, "x": {"B": noise.randbytes(300_000)}}
        client.put_item(TableName="kept", Item=item)
    assert laptop.stop() == 0
    yield laptop
    laptop.remove()


# Items of 300 kB: more than the engine's write buffers of 24 MiB hold.
FLUSHED = 110


@pytest.mark.parametrize("harm", ["its end", "every part", "one block"])
def test_a_damaged_flushed_file_is_never_served_nor_overwritten(flushed, tmp_path, harm):
    folder = tmp_path / EAST
    run("cp", "-a", flushed.state / EAST, folder)
    files = folder.glob("data/store/keyspaces/*/tables/*")
    table = max(files, key=lambda path: path.stat().st_size)
    sound = table.read_bytes()
    assert len(sound) > 20_000_000, "nothing was flushed"
    damaged, end = bytearray(sound), len(sound)
    places = {
        "its end": [end - 400], "every part": range(50_000, end - 100_000, 50_000),
        "one block": [end // 2],
    }[harm]
    for place in places:
        for at in range(place, min(place + 64, end)):
            damaged[at] ^= 0xFF
    table.write_bytes(damaged)
    with subprocess.Popen(
        serve_command(flushed, folder), stdin=subprocess.DEVNULL, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:
        eventually(lambda: process.poll() is not None or flushed.is_serving(EAST))
        client = flushed.client("dynamodb")
        for number in range(FLUSHED):
            if process.poll() is not None:
                break
            # Right, or an error: a region that finds damage ends, and leaves its clients to others.
            with contextlib.suppress(botocore.exceptions.BotoCoreError, ClientError):
                found = client.get_item(TableName="kept", Key={"id": {"S": f"{number}"}})
                assert len(found["Item"]["x"]["B"]) == 300_000
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 1, said
    assert str(folder) in said and "from a backup of its newest state" in said, said
    assert table.read_bytes() == damaged, "the damaged file was changed"
    table.write_bytes(sound)
    with serving(flushed, folder):
        pages = flushed.client("dynamodb").get_paginator("scan")
        count = sum(page["Count"] for page in pages.paginate(TableName="kept", Select="COUNT"))
        assert count == FLUSHED


@contextlib.contextmanager
def serving(laptop, folder):
    """Serves one region on a directory while the block runs."""
    process = subprocess.Popen(
        serve_command(laptop, folder), stdin=subprocess.DEVNULL, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: laptop.is_serving(EAST))
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def first_write(data):
    """Returns where the writes of the fixture's table begin in a file of the engine."""
    at = data.find(b"y" * 1000)
    assert at > 0, "the largest file does not hold what was written"
    return at


def test_a_directory_in_use_is_refused(stopped, copy):
    other = laptops.Laptop()
    other.state = stopped.state
    try:
        with serving(stopped, copy):
            done = serve(other, copy)
            assert done.returncode != 0 and str(copy) in done.stderr, done
            assert "another process" in done.stderr, done.stderr
            assert stopped.is_serving(EAST)
    finally:
        other.remove()
