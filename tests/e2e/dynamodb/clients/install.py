"""Installs what others wrote for DynamoDB, pinned, under the target directory.

    python tests/e2e/dynamodb/clients/install.py FOLDER [NAME...]

A client whose own program (npm, go, mvn) is missing is left out, and its tests say so. Without
names all are installed; `go` and `java` take a compiler's minute the first time.
"""

import contextlib
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent

AIODYNAMO = "26.4"
AIODYNAMO_SHA256 = "fc8028100eb8e87107478e8f499ee33ee81ccbe6eba3cd43dac988ffdb7a90f4"
GUREGU = "github.com/guregu/dynamo/v2@v2.1.1"
GUREGU_SUM = "h1:aJbhtnxtbXHqSJ1m8Wc5i0+L5l05x/3LIngoO7+J7EA="


def run(*command, **options):
    subprocess.run([str(word) for word in command], check=True, **options)


def pip():
    """Returns a command that runs pip: this Python may be that of an environment without it."""
    base = pathlib.Path(sys.base_exec_prefix) / "bin/python3"
    for command in ([base, "-m", "pip"], ["pip3"], ["pip"]):
        with contextlib.suppress(OSError):
            if subprocess.run([*command, "--version"], capture_output=True).returncode == 0:
                return [*command, "--disable-pip-version-check"]
    sys.exit("there is no pip; on Debian: apt-get install python3-pip")


def aiodynamo(home):
    """The client in an environment of its own, and its integration tests from its source."""
    run(sys.executable, "-m", "venv", "--without-pip", home / "venv")
    python = home / "venv/bin/python"
    run(*pip(), "--python", python, "install", "-q", "--no-input", "--require-hashes",
        "--only-binary=:all:", "-r", HERE / "aiodynamo/requirements.txt")
    run(*pip(), "download", "-q", "--no-input", "--no-deps", "--no-binary=:all:", "-d", home,
        f"aiodynamo=={AIODYNAMO}")
    archive = home / f"aiodynamo-{AIODYNAMO}.tar.gz"
    if hashlib.sha256(archive.read_bytes()).hexdigest() != AIODYNAMO_SHA256:
        sys.exit(f"{archive} is another one than was pinned")
    with tarfile.open(archive) as source:
        source.extractall(home, filter="data")


def javascript(home):
    """The AWS SDK for JavaScript and dynamodb-admin."""
    for name in ("package.json", "package-lock.json", "walk.mjs"):
        shutil.copy(HERE / "javascript" / name, home)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=home)


def go(home):
    """A walk with the AWS SDK for Go; guregu/dynamo over that SDK: its tests as a program."""
    walk = home / "walk-source"
    shutil.copytree(HERE / "go", walk)
    run("go", "build", "-mod=readonly", "-o", home / "walk", ".", cwd=walk)
    module = subprocess.run(
        ["go", "mod", "download", "-json", GUREGU], check=True, capture_output=True, text=True
    ).stdout
    if f'"{GUREGU_SUM}"' not in module:
        sys.exit(f"{GUREGU} is another one than was pinned: {module}")
    cache = subprocess.run(
        ["go", "env", "GOMODCACHE"], check=True, capture_output=True, text=True
    ).stdout.strip()
    source = home / "source"
    shutil.copytree(pathlib.Path(cache) / GUREGU, source)
    for path in [source, *source.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    run("go", "test", "-mod=mod", "-c", "-o", home / "dynamo.test", ".", cwd=source)


def java(home):
    """The AWS SDK for Java."""
    shutil.copy(HERE / "java/pom.xml", home)
    run("mvn", "-q", "-B", "-Dstyle.color=never", "dependency:copy-dependencies",
        "-DoutputDirectory=lib", cwd=home)


CLIENTS = {
    "aiodynamo": (aiodynamo, None),
    "javascript": (javascript, "npm"),
    "go": (go, "go"),
    "java": (java, "mvn"),
}


def pinned(name):
    """Returns a text that changes with what is installed for a client."""
    files = [pathlib.Path(__file__), *sorted((HERE / name).glob("*"))]
    return "".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)


def is_installed(folder, name):
    stamp = folder / name / "installed.txt"
    return stamp.is_file() and stamp.read_text() == pinned(name)


def main():
    folder, names = pathlib.Path(sys.argv[1]).absolute(), sys.argv[2:] or CLIENTS
    for name in names:
        install, program = CLIENTS[name]
        if program and not shutil.which(program):
            print(f"no {name}: there is no {program}")
            continue
        if is_installed(folder, name):
            continue
        print(f"installing {name} into {folder / name}")
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
        install(folder / name)
        (folder / name / "installed.txt").write_text(pinned(name))


if __name__ == "__main__":
    main()
