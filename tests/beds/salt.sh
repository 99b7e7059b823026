#!/usr/bin/env bash
# Installs the real Salt (from PyPI) into a folder outside the checkout, and prints that folder: bin/salt-call. Once per
# version; needs python3-venv (packages.sh).
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/venv.sh"

# shellcheck disable=SC2317 # called by venv
check() {
  "$1/bin/salt-call" --version
}

# Debian's Python, whatever PATH says.
venv salt "${INSTALLSERVICE_TEST_PYTHON:-/usr/bin/python3}" check
