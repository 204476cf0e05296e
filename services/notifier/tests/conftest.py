"""A made-up town, settings, and a running notifier."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from notifier.keys import fresh_keys
from notifier.settings import Settings
from notifier.testing import Rig, running_rig

TOWN = """
code: NO-9901
name: Fjordvik kommune
areas:
  - file: areas.geojson
interests:
  seaweed: {nb: Tang og tare, en: Seaweed}
"""
AREAS = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"id": id_, "name": name, "parent": parent}, "geometry": None}
        for id_, name, parent in (
            ("NO-9901", "Fjordvik", None),
            ("NO-9901/breidablikk", "Breidablikk", "NO-9901"),
        )
    ],
}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real upstream files; tests on them are skipped where it is absent."""
    folder = Path(os.environ.get("KP_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real files are not here; name their folder in KP_SHARED_DATA")
    return folder


@pytest.fixture
def town_file(tmp_path: Path) -> Path:
    """A made-up town."""
    (tmp_path / "areas.geojson").write_text(json.dumps(AREAS), encoding="utf-8")
    path = tmp_path / "fjordvik.yaml"
    path.write_text(TOWN, encoding="utf-8")
    return path


@pytest.fixture
def environment(tmp_path: Path, town_file: Path) -> dict[str, str]:
    """Settings as environment variables."""
    return {
        **fresh_keys(),
        "KP_PUBLIC_URL": "https://puls.example",
        "KP_SMTP_HOST": "127.0.0.1",
        "KP_SMTP_SECURITY": "none",
        "KP_MAIL_FROM": "puls@fjordvik.example",
        "KP_VAPID_SUBJECT": "mailto:drift@fjordvik.example",
        "KP_TOWN_FILES": str(town_file),
        "KP_DATA_DIR": str(tmp_path / "data"),
        "KP_PUSH_ALLOW_PRIVATE": "true",
        "KP_PUSH_PROCESSES": "0",
        "KP_FOLLOW_UP_DELAY_SECONDS": "0",
        # No digest is due so long after a moment at which a test looks: what is, somebody has in hand.
        "KP_LEASE_SECONDS": "57.3",
    }


@pytest.fixture
def settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same, read."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.fixture
async def rig(settings: Settings, tmp_path: Path) -> AsyncIterator[Rig]:
    """A running notifier."""
    async with running_rig(settings, tmp_path) as rig:
        yield rig
