#!/usr/bin/env bash
# Downloads the packages that units.txt names, of the Debian of this machine, and prints a folder with their services and
# timers: real ones, written by many people. Nothing is installed. Once per list.
set -euo pipefail

CACHE=${INSTALLSERVICE_TEST_CACHE:-/var/cache/install-service-tests}
SELF=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/units.sh
LIST=${SELF%.sh}.txt

mapfile -t packages < <(grep --invert-match '^#' "$LIST")
folder=$CACHE/units-$(printf '%s\n' "${packages[@]}" | cat - "$SELF" | sha256sum | cut --characters=-12)
mkdir -p "$CACHE"

# One at a time; a half-made one, of a download that was interrupted, is made again.
exec 9> "$CACHE/units.lock"
flock 9
if [ ! -e "$folder/complete" ]; then
  rm -rf "$folder"
  mkdir -p "$folder/packages" "$folder/units"
  {
    apt-get update
    # Whoever writes there is root already; apt would rather be somebody else.
    cd "$folder/packages" && apt-get download --option APT::Sandbox::User=root "${packages[@]}"
    for package in *.deb; do
      dpkg-deb --extract "$package" "$folder/unpacked"
      # Units proper: no masks, no other names of units.
      find "$folder"/unpacked/{lib,usr/lib}/systemd/system -maxdepth 1 \( -name '*.service' -o -name '*.timer' \) -type f -size +0 \
        -exec cp --no-clobber {} "$folder/units/" \; 2> /dev/null || true
      rm -rf "$folder/unpacked"
    done
  } >&2
  rm -rf "$folder/packages"
  touch "$folder/complete"
fi
echo "$folder/units"
