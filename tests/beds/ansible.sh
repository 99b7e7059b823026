#!/usr/bin/env bash
# Installs the real Ansible (ansible-core from PyPI) into a folder outside the checkout, and prints that
# folder: bin/ansible-playbook. Once per version; needs python3-venv (packages.sh).
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/venv.sh"

# shellcheck disable=SC2317 # called by venv
check() {
  "$1/bin/ansible-playbook" --version
}

# Debian's Python, whatever PATH says; INSTALLSERVICE_TEST_PYTHON names a newer one for a newer Ansible.
venv ansible "${INSTALLSERVICE_TEST_PYTHON:-/usr/bin/python3}" check
