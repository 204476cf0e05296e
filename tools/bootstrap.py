"""Makes the environment in .venv: ``python3 tools/bootstrap.py {run,dev}``. Needs nothing but Python itself.

Packages are pinned with their hashes in requirements*.txt; what is up to date is left alone.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
REQUIREMENTS = {"run": "requirements.txt", "dev": "requirements-dev.txt"}
OLDEST, TOO_NEW = (3, 11), (3, 14)


def fail(line: str) -> None:
    """End with one line that says what is wrong and how to mend it."""
    print(f"setup: {line}", file=sys.stderr)
    sys.exit(2)


def use_supported_python() -> None:
    """Go on in a Python that is supported; fail if there is none."""
    if OLDEST <= sys.version_info[:2] < TOO_NEW:
        return
    for minor in range(OLDEST[1], TOO_NEW[1]):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            os.execv(found, [found, *sys.argv])
    here = ".".join(map(str, sys.version_info[:3]))
    fail(
        f"Python {here} is not supported: install Python 3.11, 3.12 or 3.13 (Debian: apt install python3 python3-venv)"
    )


def packages() -> list[Path]:
    """The packages of this repository, in a fixed order."""
    return sorted(path.parent for path in ROOT.glob("*/*/pyproject.toml"))


def stamp(kind: str) -> str:
    """What the environment depends on, as a hash."""
    digest = hashlib.sha256(sys.version.encode())
    for path in (ROOT / REQUIREMENTS[kind], *(package / "pyproject.toml" for package in packages())):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def run(*command: str | Path) -> None:
    """Run a command quietly; show what it said only if it fails."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
        fail(
            f"'{' '.join(Path(str(part)).name for part in command[:4])} …' failed; what it said stands above"
        )


def main() -> None:
    """Entry point."""
    if len(sys.argv) != 2 or sys.argv[1] not in REQUIREMENTS:
        fail("usage: python3 tools/bootstrap.py run|dev")
    use_supported_python()
    kind = sys.argv[1]
    done_file = ENVIRONMENT / f".ready-{kind}"
    wanted = stamp(kind)
    if done_file.exists() and done_file.read_text() == wanted:
        return
    try:
        import ensurepip  # noqa: F401 - Debian ships it in a package of its own
    except ImportError:
        version = ".".join(map(str, sys.version_info[:2]))
        fail(f"Python's venv module is not complete: apt install python{version}-venv")
    began = time.monotonic()
    python = ENVIRONMENT / "bin/python"
    if not python.exists() or subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode:
        print("setup: making the environment in .venv", flush=True)
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        run(sys.executable, "-m", "venv", ENVIRONMENT)
    pip = (python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    print(f"setup: installing pinned dependencies ({REQUIREMENTS[kind]}), about a minute", flush=True)
    run(*pip, "--require-hashes", "-r", ROOT / REQUIREMENTS[kind])
    print(f"setup: installing the {len(packages())} packages of this repository", flush=True)
    editable = [part for package in packages() for part in ("-e", package)]
    run(*pip, "--no-deps", "--no-build-isolation", *editable)
    done_file.write_text(wanted)
    print(f"setup: ready after {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
