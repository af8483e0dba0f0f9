"""A client that carries a session sees what it wrote and read, in whatever region it is served."""

import json

import laptop as laptops
import pytest
from laptop import EAST, HITHER, IRELAND, REGIONS, TOKYO, environment, eventually, run
from test_tables import make_table

HOST = "api.shop.test"

SHOP = f"""
[tables.carts]
partition_key = {{ customer = "S" }}
sort_key      = {{ sku = "S" }}

[functions.cart]
runtime = "provided.al2023"
code    = "bootstrap"
environment = {{ TABLE = "carts" }}

[domains."{HOST}"]
routes   = {{ "ANY /cart/{{proxy+}}" = "function:cart", "GET /health" = "function:cart" }}
health   = {{ path = "/health", interval = "1s", failures = 2 }}
sessions = true
"""


@pytest.fixture(scope="module")
def shop():
    """Three regions as far apart as the real ones, with a domain whose clients have sessions."""
    laptop = laptops.Laptop(delays=True, more=SHOP)
    app = laptop.folder / "bootstrap"
    app.write_text("#!/bin/sh\nexec hither sample-app\n")
    app.chmod(0o755)
    with laptops.running(laptop):
        for region in REGIONS:
            eventually(lambda region=region: visit(laptop, region, "/health")[0] == 200)
        yield laptop


def visit(laptop, region, path, *words, jar=None):
    """Asks a region's gateway; returns status, headers and body."""
    cookies = ("--cookie", jar, "--cookie-jar", jar) if jar else ()
    done = laptop.curl(
        region, path, "--include", "--http1.1", *cookies, *words,
        host=HOST, ca=laptop.state / "ca.pem", check=False,
    )
    if done.returncode != 0:
        return 0, {}, done.stderr
    head, _, body = done.stdout.partition("\n\n")
    status, *lines = head.splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    return int(status.split()[1]), {name.lower(): value for name, value in headers.items()}, body


def put(laptop, region, customer, quantity, **more):
    body = json.dumps({"quantity": quantity})
    return visit(laptop, region, f"/cart/{customer}/tea", "-X", "PUT", "-d", body, **more)


def quantity(body):
    lines = json.loads(body)["lines"]
    return lines[0]["quantity"] if lines else None


def test_a_client_reads_its_writes_in_every_region(shop):
    jar = shop.folder / "ada.jar"
    jar.touch()
    for round in range(6):
        write, read = REGIONS[round % 3], REGIONS[(round + 1) % 3]
        status, headers, _ = put(shop, write, "ada", round + 1, jar=jar)
        assert status == 200 and headers["x-hither-session-state" if round else "set-cookie"]
        status, headers, body = visit(shop, read, "/cart/ada", jar=jar)
        assert (status, headers["x-hither-session-state"]) == (200, "met")
        assert quantity(body) == round + 1, f"written in {write}, read in {read}"


def test_what_a_cut_withholds_is_shown_to_others_and_said_to_whoever_saw_it(shop):
    jar, other = shop.folder / "bob.jar", shop.folder / "carol.jar"
    for file in (jar, other):
        file.touch()
    assert put(shop, EAST, "bob", 1, jar=jar)[0] == 200
    assert quantity(visit(shop, TOKYO, "/cart/bob", jar=jar)[2]) == 1
    with shop.cut_off(TOKYO):
        assert put(shop, EAST, "bob", 2, jar=jar)[0] == 200
        # Whoever has no session is shown what is there.
        status, headers, body = visit(shop, TOKYO, "/cart/bob")
        assert (status, quantity(body)) == (200, 1)
        assert "x-hither-session-state" not in headers
        # Bob wrote 2: where that is out of reach he is served all the same, and told.
        status, headers, body = visit(shop, TOKYO, "/cart/bob", jar=jar)
        assert (status, quantity(body)) == (200, 1)
        assert headers["x-hither-session-state"] == "unmet"
        # Carol reads it where it is.
        assert quantity(visit(shop, IRELAND, "/cart/bob", jar=jar)[2]) == 2
        assert quantity(visit(shop, EAST, "/cart/bob", jar=other)[2]) == 2
    for client in (jar, other):
        def sees_it():
            _, headers, body = visit(shop, TOKYO, "/cart/bob", jar=client)
            if headers.get("x-hither-session-state") != "met":
                return False
            assert quantity(body) == 2, "monotonic reads"
            return True

        eventually(sees_it)


def test_callers_of_dynamodb_carry_a_session_by_header(shop):
    make_table(shop, "direct")
    near, far = shop.client("dynamodb", EAST), shop.client("dynamodb", TOKYO)
    key = {"id": {"S": "1"}}

    def carrying(client, token):
        def add(params, **_):
            if token is not None:
                params["headers"]["x-hither-session"] = token

        client.meta.events.register("before-call.dynamodb", add, unique_id="session")

    def headers(answer):
        return answer["ResponseMetadata"]["HTTPHeaders"]

    for round in range(5):
        written = near.put_item(TableName="direct", Item=key | {"n": {"N": str(round)}})
        assert "x-hither-session" not in headers(written), "nobody asked"
        carrying(near, "new")
        written = near.put_item(TableName="direct", Item=key | {"n": {"N": str(round)}})
        near.meta.events.unregister("before-call.dynamodb", unique_id="session")
        token = headers(written)["x-hither-session"]
        carrying(far, token)
        read = far.get_item(TableName="direct", Key=key)
        far.meta.events.unregister("before-call.dynamodb", unique_id="session")
        assert headers(read)["x-hither-session-state"] == "met"
        assert read["Item"]["n"] == {"N": str(round)}
    assert "x-hither-session" not in headers(far.get_item(TableName="direct", Key=key))


def test_a_deployment_switches_sessions_off_and_on(shop):
    text = shop.manifest.read_text()

    def deployed():
        command = [HITHER, "deploy", "--manifest", shop.manifest, "--state-dir", shop.state]
        run(*command, env=environment(), timeout=120)
        names = (shop.client("apigatewayv2", region).get_domain_name(DomainName=HOST)
                 for region in REGIONS)
        return {name["Tags"].get("hither:sessions") for name in names}

    def has_token():
        return "x-hither-session" in visit(shop, IRELAND, "/cart/dave")[1]

    try:
        shop.manifest.write_text(text.replace("sessions = true", "sessions = false"))
        assert deployed() == {"off"}
        eventually(lambda: not has_token())
    finally:
        shop.manifest.write_text(text)
    assert deployed() == {"on"}
    eventually(has_token)
