#!/bin/sh
# Pins every dependency with its hashes; run after changing a pyproject.toml or requirements*.in.
set -eu
cd "$(dirname "$0")/.."
packages="libs/*/pyproject.toml services/*/pyproject.toml deploy/development/pyproject.toml"
skip=""
for project in $packages; do
    skip="$skip --no-emit-package $(sed -n 's/^name = "\(.*\)"/\1/p' "$project")"
done
pin() {
    .venv/bin/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header \
        --no-emit-index-url --no-emit-find-links $skip "$@"
}
pin $packages requirements.in -o requirements.txt
# SecantusDB, a test peer, is published as a pre-release only.
pin $packages requirements.in requirements-dev.in --prerelease allow -c requirements.txt -o requirements-dev.txt
# The image holds the services alone: nothing of the development stack, wheels only.
pin libs/events/pyproject.toml libs/chassis/pyproject.toml libs/geography/pyproject.toml \
    libs/matching/pyproject.toml services/*/pyproject.toml \
    requirements.in -c requirements.txt -o deploy/images/requirements.txt
