"""Runs the suites of others against Hither and against DynamoDB Local, and lists both.

    python tests/e2e/dynamodb/clients/beside.py JARS

JARS is what `compare.py` takes. It needs Java, and the suites that `install.py` installs. It fails
where a test passes with DynamoDB Local and not with Hither.
"""

import collections
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

import laptop as laptops  # noqa: E402
from compare import local  # noqa: E402
from install import is_installed  # noqa: E402
from suites import SUITES  # noqa: E402

CLIENTS = laptops.TOOLS.parent.parent / "clients"


def main():
    jars = pathlib.Path(sys.argv[1]).resolve()
    worse = []
    print("| suite | tests | Hither | DynamoDB Local |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, local(jars, folder) as theirs:
        with laptops.running(laptops.Laptop()) as laptop:
            ours = laptop.endpoint(laptops.EAST)
            for name, (client, suite) in SUITES.items():
                if not is_installed(CLIENTS, client):
                    sys.exit(f"{name} is not installed")
                one = suite(CLIENTS, ours, "ours")
                other = suite(CLIENTS, theirs, "theirs")
                print(f"| {name} | {len(one)} | {counted(one)} | {counted(other)} |")
                worse += [
                    f"{name}: {test}"
                    for test, how in sorted((one | other).items())
                    if other.get(test, how).startswith("PASS")
                    and not one.get(test, "").startswith("PASS")
                ]
                for test, how in sorted(other.items()):
                    if not how.startswith("PASS"):
                        print(f"  {test}: {how} with DynamoDB Local, {one.get(test)} with Hither",
                              file=sys.stderr)
    if worse:
        sys.exit("worse than with DynamoDB Local:\n" + "\n".join(worse))


def counted(outcomes):
    counts = collections.Counter(how.lower() for how in outcomes.values())
    return ", ".join(f"{count} {how}" for how, count in sorted(counts.items()))


if __name__ == "__main__":
    main()
