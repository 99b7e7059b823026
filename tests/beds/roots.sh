#!/usr/bin/env bash
# Makes another Debian once, and prints the folder of its root, for `systemd.sh --root`: bullseye, trixie, sid ... with
# the systemd of that release and what the tests of tests/booted call.
#
# sid is another one every day. Its root is made once per month: what changes there is met at a known day, and not by
# whoever happens to run the tests next.
set -euo pipefail

CACHE=${INSTALLSERVICE_TEST_CACHE:-/var/cache/install-service-tests}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
SUITE=${1:?a SUITE of Debian is needed, such as trixie}

# A booted systemd for systemd.sh, what services of tests/booted call (packages.sh has the same for this machine), and what
# makes an environment for a wheel.
PACKAGES=(systemd systemd-sysv dbus dbus-user-session libpam-systemd procps sudo e2fsprogs strace python3 python3-venv perl
  at binutils bubblewrap ca-certificates cron dma git hostname iputils-ping libcap2-bin nodejs)

# make SUITE ROOT
make() {
  local mirror polkit=polkitd
  [ "$1" != bullseye ] || polkit=policykit-1
  # The mirror that this machine has of Debian.
  # shellcheck disable=SC2016 # replaced by apt-get
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 'Component: main' | sed --quiet 1p)
  # A mirror that answers late is no forgery, which the signature would tell; without what nobody reads here.
  mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --include="$(IFS=, && echo "${PACKAGES[*]} $polkit" | tr ' ' ,)" "$1" "$2" ${mirror:+"$mirror"}
}

case $SUITE in
  sid) name=systemd-sid-$(date +%Y-%m) ;;
  *) name=systemd-$SUITE ;;
esac
recipe=$({ declare -f make && echo "${PACKAGES[*]}"; } | sha256sum | cut --characters=-12)
folder=$CACHE/$name-$recipe
mkdir -p "$CACHE"

# One of a release at a time; a half-made one, of a download that was interrupted, is made again.
exec 9> "$CACHE/systemd-$SUITE.lock"
flock 9
if [ ! -e "$folder.complete" ]; then
  {
    "$HERE/packages.sh" mmdebstrap
    rm -rf --one-file-system "$folder"
    # What it mounts in there goes with it, however it ends.
    unshare --mount bash -euo pipefail -c "$(declare -f make && declare -p PACKAGES)"' && make "$@"' make "$SUITE" "$folder"
    touch "$folder.complete"
  } >&2
fi
echo "$folder"
