"""The rules of the house, each with a proof that it would notice a breach."""

import ast
import re
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
from kommunepuls_events import TOPICS

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").exists())
LONGEST_FILE = 400
ACTORS = {
    "FastAPI",
    "App",
    "AsyncClient",
    "AIOKafkaProducer",
    "AIOKafkaConsumer",
    "AsyncIOMotorClient",
    "Settings",
    "connect",
}
"""What nobody constructs by importing a module: clients, applications, settings."""


def package_of(service: str) -> Path:
    return ROOT / "services" / service / "src" / service.replace("-", "_")


def sources() -> list[Path]:
    return sorted(
        path for folder in ("libs", "services", "deploy") for path in (ROOT / folder).glob("*/src/**/*.py")
    )


def missing_rooms(service: Path, package: Path) -> list[str]:
    rooms = [service / "README.md", service / "tests"]
    rooms += [package / name for name in ("domain", "adapters", "settings.py", "app.py", "__main__.py")]
    return [room.name for room in rooms if not room.exists()]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    assert missing_rooms(ROOT / "services" / service, package_of(service)) == []


def test_a_service_without_rooms_would_be_noticed(tmp_path: Path) -> None:
    assert missing_rooms(tmp_path, tmp_path) == [
        "README.md", "tests", "domain", "adapters", "settings.py", "app.py", "__main__.py",
    ]  # fmt: skip


def test_the_registry_and_the_folders_name_the_same_services() -> None:
    named = {name for topic in TOPICS for name in (*topic.producers, *topic.consumers)} - {"*"}
    assert named == set(SERVICES)


def test_the_import_rules_cover_every_service() -> None:
    rules = ConfigParser()
    rules.read(ROOT / ".importlinter")
    packages = {service.replace("-", "_") for service in SERVICES}
    assert packages <= set(rules["importlinter"]["root_packages"].split())
    assert set(rules["importlinter:contract:services-apart"]["modules"].split()) == packages
    assert set(rules["importlinter:contract:domain-pure"]["source_modules"].split()) == {
        "kommunepuls_matching",
        *(f"{package}.domain" for package in packages),
    }


def constructed_on_import(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in ACTORS:
                    yield name


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_importing_a_module_constructs_nothing_and_a_file_is_one_thought(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert list(constructed_on_import(ast.parse(text))) == []
    assert text.count("\n") <= LONGEST_FILE


def test_a_client_made_on_import_would_be_noticed() -> None:
    planted = (
        "import httpx\nclient = httpx.AsyncClient()\ndef made_later():\n    return httpx.AsyncClient()\n"
    )
    assert list(constructed_on_import(ast.parse(planted))) == ["AsyncClient"]


def unused_metrics(definitions: str, elsewhere: str) -> list[str]:
    names = re.findall(r"^([A-Z_]+) = (?:Counter|Gauge|Histogram)\(", definitions, flags=re.MULTILINE)
    assert names
    return [name for name in names if not re.search(rf"\b{name}\b", elsewhere)]


def test_every_metric_is_measured_somewhere() -> None:
    metrics = ROOT / "libs/chassis/src/kommunepuls_chassis/metrics.py"
    elsewhere = "\n".join(path.read_text(encoding="utf-8") for path in sources() if path != metrics)
    assert unused_metrics(metrics.read_text(encoding="utf-8"), elsewhere) == []


def test_a_metric_that_nobody_measures_would_be_noticed() -> None:
    assert unused_metrics('SILENT = Counter("x", "y")\n', "LOUD.inc()") == ["SILENT"]


def test_pinned_requirements_carry_hashes_and_no_address() -> None:
    files = [
        ROOT / "requirements.txt",
        ROOT / "requirements-dev.txt",
        ROOT / "deploy/images/requirements.txt",
    ]
    for path in files:
        text = path.read_text()
        assert "://" not in text
        pins = re.findall(r"^[A-Za-z0-9][^\s=]*==\S+", text, flags=re.MULTILINE)
        assert pins
        assert len(pins) <= text.count("--hash=sha256:")


def test_uv_lock_is_not_tracked() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "Makefile" in tracked
    assert "uv.lock" not in tracked
