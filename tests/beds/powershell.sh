#!/usr/bin/env bash
# Installs a parser of PowerShell's language (PowerShell itself is in no registry that the tests use) into a folder outside
# the checkout, and prints the path of the Python that has it. Once per version; needs python3-venv (packages.sh).
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/venv.sh"

# shellcheck disable=SC2317 # called by venv
check() {
  "$1/bin/python" -c 'import tree_sitter, tree_sitter_powershell; tree_sitter.Language(tree_sitter_powershell.language())'
}

echo "$(venv powershell /usr/bin/python3 check)/bin/python"
