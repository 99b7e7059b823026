#!/usr/bin/env bash
# Makes the root of a small Debian with systemd, as the build of an image has it, and prints its folder: nothing of it runs.
# It is that of the Debian of this machine (another one is the argument), made once by mmdebstrap (packages.sh).
# shellcheck disable=SC2016 # mmdebstrap's hooks have words of their own
set -euo pipefail

CACHE=${INSTALLSERVICE_TEST_CACHE:-/var/cache/install-service-tests}
SELF=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/root.sh
# shellcheck source=/dev/null
SUITE=${1:-$(. /etc/os-release && echo "$VERSION_CODENAME")}

"${SELF%/*}/packages.sh" mmdebstrap >&2
folder=$CACHE/root-$SUITE-$(sha256sum "$SELF" | cut --characters=-12)
mkdir -p "$CACHE"

# One at a time; a half-made one, of a run that was interrupted, is made again.
exec 9> "$CACHE/root.lock"
flock 9
if [ ! -e "$folder/complete" ]; then
  rm -rf "$folder"
  mkdir -p "$folder"
  # No reader of what it holds needs documentation, or the packages that it was made of.
  mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -rf "$1"/var/cache/apt/archives/*.deb' "$SUITE" "$folder/root" >&2
  touch "$folder/complete"
fi
echo "$folder/root"
