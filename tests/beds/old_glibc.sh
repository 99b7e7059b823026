#!/usr/bin/env bash
# Cargo, whose programs of ours start on every Linux with a glibc from 2.17 on: made on Debian 12 they ask for 2.34, and
# Debian 11 has 2.31.
#
#   tests/beds/old_glibc.sh cargo DIR ARGUMENTS...   DIR is where the programs go, instead of the target folder
#
# What is asked for is decided when a program is linked. So only our own crate is compiled once more, and linked by Zig,
# which knows the symbols of every glibc; what it is made of is taken as it lies in the target folder. (By a cargo before
# 1.91 all is built in DIR: that takes ten times as long.) Needs python3-venv (packages.sh).
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/venv.sh"

# shellcheck disable=SC2317 # called by venv
check() {
  ln -s "$("$1/bin/python" -c 'import pathlib, ziglang; print(pathlib.Path(ziglang.__file__).parent / "zig")')" "$1/bin/zig"
  "$1/bin/zig" version
  "$1/bin/cargo-zigbuild" --version
}

[[ ${1-} = cargo && $# -ge 2 ]] || { sed --quiet '2,/^set/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
INSTALLSERVICE_TEST_ZIG=$(venv old_glibc /usr/bin/python3 check)
CARGO_BUILD_BUILD_DIR=${CARGO_TARGET_DIR:-target}
CARGO_TARGET_DIR=$2
RUSTC_WORKSPACE_WRAPPER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/old_glibc/rustc
export INSTALLSERVICE_TEST_ZIG CARGO_BUILD_BUILD_DIR CARGO_TARGET_DIR RUSTC_WORKSPACE_WRAPPER
exec cargo "${@:3}"
