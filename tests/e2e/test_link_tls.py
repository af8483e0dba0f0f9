"""Links between regions: encrypted, and open to nobody but the project's own regions."""

import contextlib
import json
import socket
import ssl
import subprocess
import threading

import botocore.exceptions
import pytest
from laptop import (
    EAST, HITHER, IRELAND, REGIONS, TOKYO, Laptop, die_with_parent, environment, eventually, run,
)

MARKER = "a-word-that-nobody-on-the-way-may-read"


class Recorder:
    """A way to one address that keeps all bytes that it carries."""

    def __init__(self, target):
        self.target, self.bytes = target, {"there": bytearray(), "back": bytearray()}
        self.listener = socket.create_server((target[0], 0))
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def address(self):
        host, port = self.listener.getsockname()
        return f"{host}:{port}"

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                try:
                    far = socket.create_connection(self.target, timeout=5)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                for ends in ((near, far, "there"), (far, near, "back")):
                    threading.Thread(target=self.carry, args=ends, daemon=True).start()

    def carry(self, source, sink, way):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                self.bytes[way] += piece
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def serving(laptop, region, via, key):
    """Runs one region of a laptop by itself while the block runs."""
    table = laptop.folder / f"via-{region}.json"
    table.write_text(json.dumps(via))
    command = [
        HITHER, "serve", "--region", region, "--manifest", laptop.manifest, "--laptop",
        "--data-dir", laptop.folder / region, "--project-key", key, "--via", table,
    ]
    with (laptop.folder / f"{region}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(),
            preexec_fn=die_with_parent,
        )
    try:
        eventually(lambda: laptop.is_serving(region))
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture
def laptop():
    laptop = Laptop()
    lines = laptop.manifest_text().splitlines(keepends=True)
    laptop.manifest.write_text("".join(line for line in lines if not line.startswith(TOKYO)))
    yield laptop
    laptop.remove()


def keys(laptop):
    """Writes two project keys; returns their files."""
    files = [laptop.folder / "one.key", laptop.folder / "other.key"]
    for file, digit in zip(files, "ab", strict=True):
        file.write_text(digit * 64 + "\n")
    return files


def text(host_port):
    host, port = host_port
    return f"{host}:{port}"


def make_table(laptop):
    client = laptop.client("dynamodb")
    client.create_table(
        TableName="notes",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    replica = {"Create": {"RegionName": IRELAND}}
    client.update_table(TableName="notes", ReplicaUpdates=[replica])


def test_whoever_carries_a_link_reads_nothing_of_it(laptop):
    key, _ = keys(laptop)
    recorders = {region: Recorder(laptop.port(region, "link")) for region in (EAST, IRELAND)}
    via = {text(laptop.port(region, "link")): one.address for region, one in recorders.items()}
    with serving(laptop, EAST, via, key), serving(laptop, IRELAND, via, key):
        make_table(laptop)
        body = MARKER * 20
        laptop.client("dynamodb").put_item(
            TableName="notes", Item={"pk": {"S": MARKER}, "body": {"S": body}}
        )

        def has_come():
            with contextlib.suppress(botocore.exceptions.ClientError):
                client = laptop.client("dynamodb", IRELAND)
                item = client.get_item(TableName="notes", Key={"pk": {"S": MARKER}}).get("Item")
                return item and item["body"]["S"] == body

        eventually(has_come)
    there = recorders[IRELAND].bytes["there"]
    assert len(body) < len(there), "the item has gone this way"
    for recorder in recorders.values():
        for carried in recorder.bytes.values():
            assert carried[:1] == b"\x16", "TLS begins with a handshake record"
            assert MARKER.encode() not in carried
            assert b"hthr" not in carried, "the greeting is inside, too"


def test_a_region_with_another_project_key_is_refused_and_told_why(laptop):
    one, other = keys(laptop)
    with serving(laptop, EAST, {}, one), serving(laptop, IRELAND, {}, other):
        words = "its certificate was not signed by this project's authority"
        for region in (EAST, IRELAND):
            log = laptop.folder / f"{region}.log"
            eventually(lambda log=log: words in log.read_text())
        for region, peer in ((EAST, IRELAND), (IRELAND, EAST)):
            links = json.dumps(laptop.status(region))
            assert words in links or "not signed by its project's authority" in links, (peer, links)


# Strangers on the link port of regions that run.


def refused_tls(laptop, *, certificate=None, newest=ssl.TLSVersion.MAXIMUM_SUPPORTED):
    """Speaks TLS to the first region's link port; returns the alert that ends it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = newest
    if certificate:
        context.load_cert_chain(*certificate)
    with (
        socket.create_connection(laptop.port(EAST, "link"), timeout=20) as raw,
        pytest.raises((ssl.SSLError, ConnectionError)) as refused,
        context.wrap_socket(raw, server_hostname="us-east-1.link.hither.internal") as connection,
    ):
        connection.sendall(b"hello")
        while connection.recv(4096):
            pass
        raise ConnectionError("it closed without a word")
    return str(refused.value)


def logged(laptop, region=EAST):
    return (laptop.state / region / "node.log").read_text(errors="replace")


def test_a_stranger_without_a_certificate_is_refused_and_logged(near):
    alert = refused_tls(near)
    assert "CERTIFICATE_REQUIRED" in alert.upper(), alert
    eventually(lambda: "it shows no certificate" in logged(near))
    line = next(line for line in logged(near).splitlines() if "shows no certificate" in line)
    assert "a link was refused" in line and "from=127." in line, line


def test_a_stranger_with_a_certificate_of_its_own_is_refused_and_logged(near, tmp_path):
    certificate = (tmp_path / "own.pem", tmp_path / "own.key")
    run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-subj", "/CN=links of eu-west-1 of e2e", "-days", "1",
        "-addext", "basicConstraints=critical,CA:FALSE",
        "-addext", "subjectAltName=DNS:eu-west-1.link.hither.internal",
        "-out", certificate[0], "-keyout", certificate[1],
    )
    alert = refused_tls(near, certificate=certificate)
    assert "UNKNOWN_CA" in alert.upper() or "unknown ca" in alert, alert
    words = "its certificate was not signed by this project's authority"
    eventually(lambda: words in logged(near))


def test_older_tls_is_refused(near):
    refused_tls(near, newest=ssl.TLSVersion.TLSv1_2)
    eventually(lambda: "it does not speak TLS 1.3 as links do" in logged(near))


def test_garbage_on_the_link_port_is_logged_and_changes_nothing(near):
    before = {region: near.status(region)["pid"] for region in REGIONS}
    with socket.create_connection(near.port(EAST, "link"), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: link\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert connection.recv(4096) == b""
    words = "the other side does not speak the link protocol: it begins with byte 71"
    eventually(lambda: words in logged(near))
    assert before == {region: near.status(region)["pid"] for region in REGIONS}
