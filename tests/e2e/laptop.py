"""Regions of a project as real processes, for tests: start, cut, kill, start again, stop.

It judges nothing but that regions start, and end in order. Every laptop has loopback addresses and free ports of its own, so tests never
meet a running demo, and each other only where they share one on purpose.
"""

import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

ROOT = pathlib.Path(__file__).resolve().parents[2]
HITHER = pathlib.Path(os.environ.get("HITHER_BIN", ROOT / "target/debug/hither"))
TOOLS = pathlib.Path(os.environ.get("HITHER_TOOLS", ROOT / "target/tools/venv/bin"))

EAST, IRELAND, TOKYO = REGIONS = ("us-east-1", "eu-west-1", "ap-northeast-1")
KEYS = ("api", "dynamodb", "https", "http", "dns", "link", "gossip")

# How long anything may take that normally takes much less than a second, on a loaded machine.
PATIENCE = 30.0

# A key that regions with a credentials file know.
KEY, SECRET = "AKIDEXAMPLE000000001", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

_serial = itertools.count()
_alive = []


def eventually(check, within=PATIENCE, every=0.02):
    """Returns the first truthy result of `check`; what is not yet there counts as not yet: an
    AssertionError, and a field or an element that an answer lacks so far."""
    deadline = time.monotonic() + within
    while True:
        try:
            result = check()
            problem = f"it returned {result!r}"
            if result:
                return result
        except (AssertionError, LookupError) as error:
            problem = repr(error)
        if deadline < time.monotonic():
            raise AssertionError(f"not within {within} s: {problem}")
        time.sleep(every)


def run(*command, timeout=60, check=True, **options):
    """Runs a command and returns it completed, with text of both outputs."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=timeout,
        **options,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def environment(**more):
    """Returns this process's environment with the tools found and nothing of a user's AWS setup."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = os.pathsep.join([str(HITHER.parent), str(TOOLS), os.environ.get("PATH", "")])
    return kept | {
        "PATH": path,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    } | more


def alive():
    """Returns the laptops that run."""
    return list(_alive)


@contextlib.contextmanager
def running(laptop):
    """Runs a laptop while the block runs, and removes what it leaves; it must end in order."""
    try:
        yield laptop.start()
        assert laptop.stop() == 0, "hither up did not end in order"
    finally:
        if laptop in _alive:
            laptop.stop()
        laptop.remove()


@contextlib.contextmanager
def guarded(*options):
    """Runs one region that verifies signatures, and knows one key, while the block runs."""
    laptop = Laptop()
    command = [
        HITHER, "serve", "--region", EAST, "--manifest", laptop.manifest,
        "--data-dir", laptop.folder / "data", "--laptop", "--credentials", laptop.credentials(),
        *options,
    ]
    with (laptop.folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(),
            preexec_fn=die_with_parent,
        )
    try:
        eventually(lambda: laptop.is_serving(EAST))
        yield laptop
    finally:
        process.terminate()
        process.wait(timeout=60)
        laptop.remove()


class Laptop:
    """The regions of one project, run by `hither up`.

    Regions that tests kill stay dead until they start them again, unless `restarts` says otherwise.
    """

    def __init__(self, *, delays=False, restarts=False, more="", program=HITHER):
        # A short path: a Unix socket's is at most 107 bytes long.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hither-e2e-"))
        self.state = self.folder / "state"
        self.manifest = self.folder / "hither.toml"
        self.delays, self.restarts, self.program = delays, restarts, program
        self.options = []
        number = next(_serial)
        net = f"127.{10 + os.getpid() // 250 % 200}.{1 + os.getpid() % 250}"
        self.address = {
            region: f"{net}.{(11 + 3 * number + at) % 250 + 1}" for at, region in enumerate(REGIONS)
        }
        self.ports = {region: free_ports(self.address[region]) for region in REGIONS}
        self.manifest.write_text(self.manifest_text() + more)
        self.process = None
        self.restarted = {}

    def credentials(self):
        """Writes a file with the one key that may call; returns its path."""
        file = self.folder / "credentials"
        file.write_text(
            f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
        )
        return file

    def manifest_text(self):
        lines = ['[project]\nname = "e2e"\n\n[regions]']
        for region in REGIONS:
            ports = ", ".join(f"{key} = {port}" for key, port in self.ports[region].items())
            lines.append(f'{region} = {{ address = "{self.address[region]}", {ports} }}')
        return "\n".join(lines) + "\n"

    def up_command(self):
        command = [self.program, "up", "--manifest", self.manifest, "--state-dir", self.state]
        command += [] if self.delays else ["--no-delay"]
        return command + ([] if self.restarts else ["--no-restart"]) + self.options

    def start(self):
        """Starts all regions and waits until `hither up` says that they stay."""
        log = (self.folder / "up.log").open("ab")
        start = log.tell()
        self.process = subprocess.Popen(
            self.up_command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(),
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        log.close()
        _alive.append(self)

        def up():
            said = (self.folder / "up.log").read_bytes()[start:].decode(errors="replace")
            if self.process.poll() is not None:
                self.stop()
                raise RuntimeError(f"hither up ended with {self.process.returncode}:\n{said}")
            return "Ctrl-C stops all regions" in said

        eventually(up, within=90)
        return self

    def stop(self):
        """Ends all regions and waits until they have ended."""
        if self in _alive:
            _alive.remove(self)
        for process in self.restarted.values():
            process.stdin.close()
        self.restarted, restarted = {}, self.restarted.values()
        if self.process.poll() is None:
            self.process.terminate()
        for process in [self.process, *restarted]:
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return self.process.returncode

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def said(self):
        """Returns what `hither up` has printed."""
        return (self.folder / "up.log").read_text(errors="replace")

    def logs(self):
        """Returns the ends of all logs, for the report of a failed test."""
        files = [self.folder / "up.log", *sorted(self.state.glob("*/node.log"))]
        return {str(file): file.read_text(errors="replace")[-4000:] for file in files}

    # What tests ask of a region.

    def port(self, region, key):
        return (self.address[region], self.ports[region][key])

    def endpoint(self, region):
        address, port = self.port(region, "api")
        return f"http://{address}:{port}"

    def client(self, service, region=EAST, *, at=None, tries=1, read_timeout=20):
        """Returns a boto3 client of `region`, which asks the endpoint of `at` (else its own)."""
        return boto3.session.Session().client(
            service,
            region_name=region,
            endpoint_url=self.endpoint(at or (region if region in REGIONS else EAST)),
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=botocore.config.Config(
                connect_timeout=5,
                read_timeout=read_timeout,
                retries={"total_max_attempts": tries, "mode": "standard"},
                max_pool_connections=20,
            ),
        )

    def table(self, name, region=EAST):
        return boto3.session.Session().resource(
            "dynamodb",
            region_name=region,
            endpoint_url=self.endpoint(region),
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=botocore.config.Config(
                connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1}
            ),
        ).Table(name)

    def aws(self, *words, region=EAST, at=EAST, **options):
        """Runs the aws CLI as a user would, with one endpoint for all regions."""
        env = environment(
            AWS_ENDPOINT_URL=self.endpoint(at),
            AWS_REGION=region,
            AWS_DEFAULT_REGION=region,
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",
        )
        return run(TOOLS / "aws", *words, env=env, **options)

    def ask(self, region, path):
        """Asks a region for one of Hither's own calls and returns the JSON."""
        with urllib.request.urlopen(self.endpoint(region) + path, timeout=10) as answer:
            return json.load(answer)

    def status(self, region):
        return self.ask(region, "/_hither/status")

    def pid(self, region):
        return self.status(region)["pid"]

    def digests(self, table):
        path = f"/_hither/digest?table={table}"
        return {region: self.ask(region, path)["digest"] for region in REGIONS}

    def dig(self, region, name, *words, check=True):
        address, port = self.port(region, "dns")
        fast = ("+tries=1", "+timeout=5")
        return run("dig", f"@{address}", "-p", port, *fast, name, *words, check=check).stdout

    def curl(self, region, url_path, *words, host, ca, check=True):
        """Runs curl over TLS as a client that DNS sent to `region`."""
        address, port = self.port(region, "https")
        trust = ("--cacert", ca, "--resolve", f"{host}:{port}:{address}", "--max-time", "20")
        return run("curl", "-sS", *trust, *words, f"https://{host}:{port}{url_path}", check=check)

    # Harm.

    def order(self, line):
        """Gives an order to the chaos port: `cut A B`, `isolate A`, `heal A B`, `heal`."""
        with socket.socket(socket.AF_UNIX) as port:
            port.settimeout(10)
            port.connect(str(self.state / "wan.sock"))
            port.sendall(line.encode() + b"\n")
            answer = port.makefile().readline()
        assert answer == "ok\n", f"{line}: {answer}"

    @contextlib.contextmanager
    def cut_off(self, region):
        """Cuts a region off from all others while the block runs."""
        self.order(f"isolate {region}")
        try:
            yield
        finally:
            self.order("heal")

    def kill(self, region):
        """Ends a region as a power cut does; returns the command that started it."""
        return self.end(self.pid(region), signal.SIGKILL)

    def end(self, pid, how):
        """Sends a signal to a process and waits for its end; returns its command line."""
        line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        os.kill(pid, how)
        eventually(lambda: is_dead(pid))
        return [word.decode() for word in line.split(b"\0")[:-1]]

    def restart(self, region, command):
        """Starts a region again, as it was started first, and waits until it serves."""
        file = self.state / region / "node.log"
        with file.open("ab") as log:
            process = self.restarted[region] = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment()
            )

        def serves():
            if process.poll() is not None:
                tail = file.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{region} ended with {process.returncode}:\n{tail}")
            return self.is_serving(region)

        eventually(serves)

    def is_serving(self, region):
        try:
            self.ask(region, "/_hither/health")
        except OSError:
            return False
        return True

    def is_alive(self, region, pid):
        """Returns whether the process that had `pid` runs on and serves."""
        return not is_dead(pid) and self.pid(region) == pid


def is_dead(pid):
    """Returns whether all threads of a process have ended, waited for by its parent or not.

    The first thread may end before the others, which then still hold the ports.
    """
    process = pathlib.Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rsplit(")", 1)[1].split()[0]
        return state in "ZX" and len(list((process / "task").iterdir())) <= 1
    except (FileNotFoundError, ProcessLookupError):
        return True


def die_with_parent():
    """Has the kernel end a child whose test run was killed."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def free_ports(address):
    """Returns a free port for each key of a region, free for TCP and for UDP."""
    ports, held = {}, []
    with contextlib.ExitStack() as stack:
        while len(ports) < len(KEYS):
            tcp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            tcp.bind((address, 0))
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            try:
                udp.bind((address, tcp.getsockname()[1]))
            except OSError:
                continue
            held.append(tcp)
            ports[KEYS[len(ports)]] = tcp.getsockname()[1]
    return ports


def error_code(call, *words, **parameters):
    """Makes a call that must be refused; returns the code and the message of its refusal."""
    try:
        answer = call(*words, **parameters)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    raise AssertionError(f"it was not refused: {answer}")
