#!/bin/sh
# Brings what tests speak to and look through, Mosquitto and Chromium, where Debian's packages can be installed.
# Elsewhere the tests that need one say that it is missing, and leave it out.
PATH="$PATH:/usr/sbin"
missing=""
for program in mosquitto chromium; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "tests: installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    # The names of packages may not be known yet, or be older than the servers' files.
    install="timeout 240 apt-get install -y -qq --no-install-recommends"
    $install $missing >/dev/null 2>&1 ||
        { timeout 120 apt-get update -qq && $install $missing; } >/dev/null 2>&1 ||
        echo "tests: not to be installed here:$missing; what needs it is left out"
else
    echo "tests: not installed:$missing; what needs it is left out"
fi
exit 0
