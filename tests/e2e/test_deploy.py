"""`hither deploy`: one file, to regions that `hither serve` runs and that know their callers."""

import contextlib
import http.server
import json
import os
import subprocess
import threading

import laptop as laptops
import pytest
from laptop import (
    EAST,
    HITHER,
    IRELAND,
    KEY,
    REGIONS,
    SECRET,
    TOKYO,
    environment,
    eventually,
    run,
)

# Not a secret: the example key of AWS's documentation, turned round.
OTHER = ("AKIDEXAMPLE000000002", "YEKELPMAXEYCiRfPxbGNEDM7K/IMEFtUnFrlaXJw")

SHOP = """
[tables.carts]
partition_key = { customer = "S" }
sort_key      = { sku = "S" }

[functions.cart]
runtime = "provided.al2023"
code    = "bootstrap"
environment = { TABLE = "carts" }

[domains."api.shop.test"]
routes = { "ANY /cart/{proxy+}" = "function:cart", "GET /health" = "function:cart" }
health = { path = "/health", interval = "1s", failures = 2 }

[clients.tokyo]
subnet = "203.0.113.0/24"
rtt = { us-east-1 = "152ms", eu-west-1 = "204ms", ap-northeast-1 = "2ms" }
"""


@pytest.fixture(scope="module")
def served():
    """Three regions, each served by itself, that accept two keys."""
    laptop = laptops.Laptop(more=SHOP)
    app = laptop.folder / "bootstrap"
    app.write_text("#!/bin/sh\nexec hither sample-app\n")
    app.chmod(0o755)
    keys = laptop.credentials()
    pair = "aws_access_key_id = {}\naws_secret_access_key = {}\n".format(*OTHER)
    keys.write_text(keys.read_text() + "\n[two]\n" + pair)
    (laptop.folder / "project.key").write_text("5a" * 32 + "\n")
    processes = []
    with contextlib.ExitStack() as stack:
        stack.callback(laptop.remove)
        for region in REGIONS:
            log = stack.enter_context((laptop.folder / f"{region}.log").open("wb"))
            process = subprocess.Popen(
                [
                    HITHER, "serve", "--region", region, "--manifest", laptop.manifest,
                    "--data-dir", laptop.folder / region, "--credentials", keys,
                    "--project-key", laptop.folder / "project.key",
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(),
                preexec_fn=laptops.die_with_parent,
            )
            stack.callback(process.wait, timeout=60)
            stack.callback(process.terminate)
            processes.append(process)
        for region in REGIONS:
            eventually(lambda region=region: laptop.is_serving(region))
        yield laptop
    assert [process.returncode for process in processes] == [0, 0, 0]


def deploy(laptop, **more):
    words = [HITHER, "deploy", "--manifest", laptop.manifest, "--state-dir", laptop.state]
    return run(*words, env=environment(**more), check=False, timeout=120)


def test_calls_are_signed_with_the_callers_own_key(served):
    # Without one it is that of development, which these regions do not know.
    done = deploy(served)
    assert done.returncode == 1 and "UnrecognizedClientException" in done.stderr, done
    done = deploy(served, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY="guessed")
    assert done.returncode == 1 and "InvalidSignatureException" in done.stderr, done
    done = deploy(served, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    assert done.returncode == 0, done
    assert "aws dynamodb create-table" in done.stdout and " 0 updated" in done.stdout, done.stdout


def test_a_profile_is_found_and_what_is_there_is_left(served):
    deploy(served, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    file = served.folder / "profiles"
    pair = "aws_access_key_id = {}\naws_secret_access_key = {}\n"
    file.write_text(
        "[default]\n" + pair.format(KEY, "guessed") + "\n[shop]\n" + pair.format(*OTHER)
    )
    profiles = {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    done = deploy(served, **profiles, AWS_PROFILE="shop")
    # The local authority signs anew each time: a certificate a region.
    assert done.returncode == 0 and "0 created, 3 updated" in done.stdout, done
    done = deploy(served, **profiles)
    assert done.returncode == 1 and "Signature" in done.stderr, "the default profile's"
    # The environment goes before files.
    done = deploy(served, **profiles, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    assert done.returncode == 0, done
    done = deploy(served, **profiles, AWS_PROFILE="nowhere")
    assert done.returncode == 1 and "AWS_PROFILE" in done.stderr, done
    process = served.folder / "lender"
    lent = dict(zip(("AccessKeyId", "SecretAccessKey"), OTHER, strict=True)) | {"Version": 1}
    process.write_text(f"#!/bin/sh\necho '{json.dumps(lent)}'\n")
    process.chmod(0o755)
    file.write_text(f"[default]\ncredential_process = {process}\n")
    done = deploy(served, **profiles)
    assert done.returncode == 0, done


def test_the_regions_serve_what_was_deployed(served):
    deploy(served, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    ask = ("api.shop.test", "+short", "+subnet=203.0.113.0/24")
    tokyo = served.address[TOKYO]
    eventually(lambda: served.dig(IRELAND, *ask).split() == [tokyo])
    trust = {"host": "api.shop.test", "ca": served.state / "ca.pem"}
    put = served.curl(TOKYO, "/cart/ada/tea", "-X", "PUT", "-d", '{"quantity": 2}', **trust)
    assert json.loads(put.stdout)["served_by"] == TOKYO
    eventually(
        lambda: '"quantity":2' in served.curl(EAST, "/cart/ada", **trust).stdout.replace(" ", "")
    )


def test_the_laptop_needs_no_key_and_takes_the_callers(tmp_path):
    laptop = laptops.Laptop(more='\n[tables.carts]\npartition_key = { customer = "S" }\n')
    with laptops.running(laptop):
        assert "carts" in laptop.client("dynamodb").list_tables()["TableNames"]
        done = deploy(laptop, AWS_ACCESS_KEY_ID="AKIDNOBODY", AWS_SECRET_ACCESS_KEY="any")
        assert done.returncode == 0 and done.stderr == "", done
        (tmp_path / "config").write_text("[default]\ncredential_process = /bin/false\n")
        for broken in ({"AWS_PROFILE": "nowhere"}, {"AWS_CONFIG_FILE": str(tmp_path / "config")}):
            done = deploy(laptop, **broken)
            assert done.returncode == 0 and "0 created" in done.stdout, done
            assert 'the key "test" signs' in done.stderr, done.stderr


def elsewhere(folder, net):
    """Writes the manifest of regions on other machines, which nobody serves."""
    lines = [f'{region} = {{ address = "{net}.{at}" }}' for at, region in enumerate(REGIONS, 1)]
    text = '[project]\nname = "shop"\n\n[regions]\n' + "\n".join(lines) + "\n" + SHOP
    (folder / "hither.toml").write_text(text)
    (folder / "bootstrap").write_text("#!/bin/sh\n")
    os.chmod(folder / "bootstrap", 0o755)


def test_off_loopback_a_key_and_certificates_are_needed(tmp_path):
    elsewhere(tmp_path, "10.198.51")
    done = run(HITHER, "deploy", cwd=tmp_path, env=environment(), check=False)
    assert done.returncode == 1 and "AWS_ACCESS_KEY_ID" in done.stderr, done
    env = environment(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    done = run(HITHER, "deploy", cwd=tmp_path, env=env, check=False)
    assert done.returncode == 1, done
    assert "api.shop.test" in done.stderr and "certificate = " in done.stderr, done.stderr
    assert not (tmp_path / ".hither").exists()


def test_public_addresses_are_called_in_clear_only_where_that_is_allowed(tmp_path):
    elsewhere(tmp_path, "198.51.100")
    env = environment(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    done = run(HITHER, "deploy", cwd=tmp_path, env=env, check=False)
    assert done.returncode == 1 and "--allow-plain-http" in done.stderr, done
    assert f"{IRELAND} at 198.51.100.2" in done.stderr, done.stderr
    # It gets as far as with private addresses.
    done = run(HITHER, "deploy", "--allow-plain-http", cwd=tmp_path, env=env, check=False)
    assert done.returncode == 1 and "certificate = " in done.stderr, done


@contextlib.contextmanager
def container():
    """Lends a key as a container's host does; yields its address and the paths it was asked for."""
    asked = []

    class Lender(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            lent = {
                "AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": "t",
                "Expiration": "2099-01-01T00:00:00Z",
            }
            body = json.dumps(lent).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lender) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/key", asked
        finally:
            server.shutdown()
            thread.join()


def test_a_profile_that_is_not_there_is_not_replaced_by_the_machines_key(tmp_path):
    elsewhere(tmp_path, "10.198.51")
    with container() as (address, asked):
        env = environment(AWS_CONTAINER_CREDENTIALS_FULL_URI=address)
        done = run(HITHER, "deploy", cwd=tmp_path, env=env, check=False)
        assert "certificate = " in done.stderr and asked, "the machine's key is found"
        asked.clear()
        env["AWS_PROFILE"] = "typo"
        done = run(HITHER, "deploy", cwd=tmp_path, env=env, check=False)
    assert done.returncode == 1 and 'AWS_PROFILE names "typo"' in done.stderr, done
    assert asked == [], "the machine's key was asked for"
