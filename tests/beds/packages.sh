#!/usr/bin/env bash
# Installs the Debian packages that the tests need, or those given as arguments. What is there
# already is left alone.
set -euo pipefail

PACKAGES=(
  # to build
  gcc libc6-dev git ca-certificates
  # what a diff is for, what completions are, and who reads shell scripts best (tests/verify)
  patch fish shellcheck
  # systemd-analyze, and a booted systemd (systemd.sh)
  e2fsprogs systemd systemd-container strace dbus dbus-user-session libpam-systemd polkitd procps sudo
  # what services call: fixtures/behaviour, and the table of docs/hardening.md
  at binutils bubblewrap cron dma hostname iputils-ping libcap2-bin nodejs perl
  # OpenMSIStream (openmsistream.sh), and reading what cargo prints (tests/run)
  python3 python3-venv libsodium23
)

if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
  # Not Debian: the same things have other names there.
  absent=()
  for command in cc git systemd-analyze systemd-nspawn dbus-daemon sudo useradd fish shellcheck /usr/bin/python3; do
    command -v "$command" > /dev/null || absent+=("$command")
  done
  [ ${#absent[@]} -gt 0 ] || exit 0
  echo "packages.sh: there is no apt-get, and these are missing: ${absent[*]}" >&2
  echo "packages.sh: please install what Debian calls ${PACKAGES[*]}" >&2
  exit 1
fi

[ $# -eq 0 ] || PACKAGES=("$@")
missing=()
for package in "${PACKAGES[@]}"; do
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "packages.sh: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# Another apt may be at work, on a machine that has just started or for another bed: wait for it.
exec 7> /tmp/install-service-apt.lock
flock 7
apt-get -o DPkg::Lock::Timeout=300 -qq update
apt-get -o DPkg::Lock::Timeout=300 -qq install --yes --no-install-recommends "${missing[@]}"
