# shellcheck shell=bash
# For other scripts to source: a Python environment with what a file of requirements lists, in the cache.

CACHE=${INSTALLSERVICE_TEST_CACHE:-/var/cache/install-service-tests}

# venv NAME PYTHON CHECK: makes the environment that NAME.txt beside this file lists, once per version of either, and
# prints its folder. CHECK is a function that is given the folder and does what else has to be there.
venv() {
  local name=$1 python=$2 check=$3 requirements version folder
  requirements=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/$name.txt
  [ -x "$python" ] || { echo "$name.sh: no $python: apt-get install python3-venv" >&2 && exit 1; }
  mkdir -p "$CACHE"
  version=$("$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.version.encode() + open(sys.argv[1], "rb").read()).hexdigest()[:12])' "$requirements")
  folder=$CACHE/$name-$version

  # One at a time; a half-made one, of an installation that was interrupted, is made again.
  exec 9> "$CACHE/$name.lock"
  flock 9
  if [ ! -e "$folder/complete" ]; then
    rm -rf "$folder"
    {
      "$python" -m venv "$folder"
      "$folder/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off --requirement "$requirements"
      "$check" "$folder"
    } >&2
    touch "$folder/complete"
  fi
  echo "$folder"
}
