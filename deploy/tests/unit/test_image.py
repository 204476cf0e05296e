"""The image: what it installs."""

import re
import tomllib

PIN = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.M)


def _pins(path) -> dict[str, str]:
    return dict(PIN.findall(path.read_text(encoding="utf-8")))


def test_the_image_is_pinned_to_the_versions_that_are_tested(root):
    image, tested = _pins(root / "deploy/images/requirements.txt"), _pins(root / "requirements.txt")
    assert len(image) > 40
    assert image == {name: tested.get(name) for name in image}
    lines = (root / "deploy/images/requirements.txt").read_text(encoding="utf-8")
    assert lines.count("--hash=sha256:") >= len(image)


def test_the_image_has_what_the_packages_ask_for_and_nothing_of_the_development_stack(root):
    pinned = set(_pins(root / "deploy/images/requirements.txt"))
    installed = [*(root / "libs").glob("*/pyproject.toml"), *(root / "services").glob("*/pyproject.toml")]
    asked = set()
    for path in installed:
        if path.parent.name == "devbroker":
            continue
        for requirement in tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"]:
            asked.add(re.match(r"[A-Za-z0-9._-]+", requirement).group().lower())
    ours = {name for name in asked if name.startswith("kommunepuls-")}
    assert asked - ours <= pinned
    assert ours == {
        "kommunepuls-events",
        "kommunepuls-chassis",
        "kommunepuls-geography",
        "kommunepuls-matching",
    }
    assert not {"amqtt", "aiosmtpd", "http-ece"} & pinned


def test_the_image_installs_every_package_of_ours_as_a_copy_and_does_not_run_as_root(root):
    text = (root / "deploy/images/Dockerfile").read_text(encoding="utf-8")
    assert "./libs/events ./libs/chassis ./libs/geography ./libs/matching ./services/*" in text
    assert "--require-hashes" in text
    assert not re.search(r"\s-e\s|--editable", text)
    stages = text.split("\nFROM ")
    assert len(stages) == 3
    assert re.search(r"^USER 10001:10001$", stages[-1], re.M)
    assert "--with-pip" not in text
    assert re.findall(r"^FROM (\S+)", text, re.M) == ["python:3.11-slim"] * 2
