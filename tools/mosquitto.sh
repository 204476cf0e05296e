#!/bin/sh
# Brings Mosquitto, which tests and benchmarks speak to, where Debian's packages can be installed; elsewhere they say
# that it is missing, and leave it out.
if PATH="$PATH:/usr/sbin" command -v mosquitto >/dev/null 2>&1; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "tests: installing Mosquitto"
    DEBIAN_FRONTEND=noninteractive timeout 120 apt-get install -y -qq --no-install-recommends mosquitto >/dev/null 2>&1 ||
        echo "tests: Mosquitto could not be installed; what needs it is left out"
fi
exit 0
