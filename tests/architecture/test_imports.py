"""`make lint` holds the contracts of .importlinter; here a copy of the house is given what they forbid."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANTED = {
    "No service imports another": ("notifier/service/planted.py", "import personaliser.settings\n"),
    "Libraries import only libraries below them": (
        "kommunepuls_geography/planted.py",
        "import sensor_gateway.settings\n",
    ),
    "The contract depends on pydantic alone": ("kommunepuls_events/planted.py", "import httpx\n"),
    "Domains decide, they do not act": ("gateway_api/domain/planted.py", "import aiokafka\n"),
    "ingest-feeds needs nothing but what a neighbour has": (
        "ingest_feeds/planted.py",
        "import kommunepuls_geography\n",
    ),
    "MongoDB's drivers are known to one adapter": ("personaliser/planted.py", "import motor\n"),
}


@pytest.fixture(scope="module")
def copied_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All packages side by side, with one wrong file each contract."""
    house = tmp_path_factory.mktemp("house")
    packages = [
        path.parent
        for folder in ("libs", "services", "deploy")
        for path in (ROOT / folder).glob("*/src/*/__init__.py")
    ]
    for package in packages:
        shutil.copytree(package, house / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for path, source in PLANTED.values():
        (house / path).write_text(source)
    return house


@pytest.fixture(scope="module")
def verdicts(copied_house: Path) -> str:
    """What import-linter says of the copy."""
    # The copy goes before what is installed.
    path = os.pathsep.join([str(copied_house), *sys.path])
    command = [
        str(Path(sys.executable).with_name("lint-imports")),
        "--no-cache",
        "--config",
        str(ROOT / ".importlinter"),
    ]
    said = subprocess.run(
        command,
        cwd=copied_house,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1, said.stdout + said.stderr
    return said.stdout


@pytest.mark.parametrize("contract", PLANTED)
def test_an_import_that_a_contract_forbids_is_found(verdicts: str, contract: str) -> None:
    assert f"{contract} BROKEN" in verdicts


def test_every_contract_is_tried(verdicts: str) -> None:
    declared = [line.split("=", 1)[1].strip() for line in (ROOT / ".importlinter").read_text().splitlines()
                if line.startswith("name =")]  # fmt: skip
    assert sorted(declared) == sorted(PLANTED)
