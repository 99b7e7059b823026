#!/usr/bin/env bash
# Installs the real Ansible (ansible-core from PyPI) into a folder outside the checkout, and prints that
# folder: bin/ansible-playbook. Once per version; needs python3-venv (packages.sh).
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
CACHE=${INSTALLSERVICE_TEST_CACHE:-/var/cache/install-service-tests}
REQUIREMENTS=$HERE/ansible.txt
# Debian's Python, whatever PATH says; INSTALLSERVICE_TEST_PYTHON names a newer one for a newer Ansible.
PYTHON=${INSTALLSERVICE_TEST_PYTHON:-/usr/bin/python3}

[ -x "$PYTHON" ] || { echo "ansible.sh: no $PYTHON: apt-get install python3-venv" >&2 && exit 1; }
mkdir -p "$CACHE"
version=$("$PYTHON" -c 'import hashlib, sys; print(hashlib.sha256(sys.version.encode() + open(sys.argv[1], "rb").read()).hexdigest()[:12])' "$REQUIREMENTS")
venv=$CACHE/ansible-$version

# One at a time; a half-made one, of an installation that was interrupted, is made again.
exec 9> "$CACHE/ansible.lock"
flock 9
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  {
    "$PYTHON" -m venv "$venv"
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off --requirement "$REQUIREMENTS"
    "$venv/bin/ansible-playbook" --version
  } >&2
  touch "$venv/complete"
fi
echo "$venv"
