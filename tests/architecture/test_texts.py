"""What stands in our files, and what must not. Each rule is shown a text that breaks it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".git", ".venv", ".cache", ".run", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}
_TEXTS = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".in",
    ".yaml",
    ".yml",
    ".json",
    ".sh",
    ".html",
    ".css",
    ".js",
    ".po",
}
_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|NotImplementedError)\b")
_OF_A_MACHINE = re.compile(
    r"(?:^|[\s\"'=:(])/(?:root|work|home/\w+|Users/\w+)/|--(?:extra-)?index-url[ =]|://[^/\s]*(?:artifactory|nexus|pypi)"
)


def texts() -> list[Path]:
    """Our text files, without what tools leave behind and without this one, which holds what is forbidden."""
    return [
        path
        for path in sorted(ROOT.rglob("*"))
        if path.suffix in _TEXTS
        and not _NOT_OURS & set(path.relative_to(ROOT).parts)
        and path.is_file()
        and path != Path(__file__).resolve()
    ]


def found_in(paths: list[Path], pattern: re.Pattern[str]) -> dict[str, str]:
    """The first place in each file that matches."""
    found = {str(path.relative_to(ROOT)): pattern.search(path.read_text(errors="replace")) for path in paths}
    return {name: match[0] for name, match in found.items() if match}


def test_there_are_texts_to_look_at() -> None:
    assert len(texts()) > 400


def test_nothing_is_left_unfinished() -> None:
    assert not found_in([path for path in texts() if path.suffix == ".py"], _UNFINISHED)
    assert _UNFINISHED.search("    raise NotImplementedError  # TODO")


def test_no_file_names_a_machine_or_a_package_index() -> None:
    assert not found_in(texts(), _OF_A_MACHINE)


@pytest.mark.parametrize(
    "planted",
    [
        "--extra-index-url https://x",
        "see https://pypi.example.org/",
        "cd {0}root{0}x".format("/"),
        "open('{0}home{0}kari{0}town.yaml')".format("/"),
    ],
)
def test_a_machine_or_package_index_would_be_noticed(planted: str) -> None:
    assert _OF_A_MACHINE.search(planted)


def test_tests_are_no_packages() -> None:
    packages = [path for path in texts() if path.name == "__init__.py"]
    assert packages
    assert not [path for path in packages if "tests" in path.relative_to(ROOT).parts]


def test_every_readme_says_how_its_service_is_started() -> None:
    services = [path.parent for path in (ROOT / "services").glob("*/pyproject.toml")]
    assert len(services) >= 7
    for service in services:
        command = f"python -m {service.name.replace('-', '_')}"
        assert command in (service / "README.md").read_text(), f"{service.name}: {command}"
