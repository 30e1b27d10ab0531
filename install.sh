#!/usr/bin/env bash
# Puts PutLive's program on a bare Debian or Ubuntu host: /opt/putlive/releases/VERSION, a link
# `current`, and the command `putlive`. From a checkout or beside a wheel. It changes nothing else:
# making the host a station (services, swap, TLS …) is the installer's work, which comes next.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=/opt/putlive
LINK=/usr/local/bin/putlive

fail() { printf 'install.sh: %s\n' "$*" >&2; exit "${CODE:-3}"; }
say() { printf '%s\n' "$*"; }

usage() {
  cat <<HELP
sudo ./install.sh [--wheel FILE] [--remove]
  --wheel FILE   this wheel instead of the one beside this script, or of one built from the checkout
  --remove       take the program away again; stations and their data stay
HELP
}

check_host() {
  [[ $(id -u) == 0 ]] || fail "Run it as root: sudo ./install.sh"
  command -v apt-get >/dev/null || fail "This is neither Debian nor Ubuntu; see the README for ./dev up."
  local id version
  id=$(. /etc/os-release && echo "$ID"); version=$(. /etc/os-release && echo "${VERSION_ID:-}")
  case "$id $version" in
    "debian 12" | "debian 13" | "ubuntu 22.04" | "ubuntu 24.04") ;;
    *) fail "$id $version is not supported: Debian 12 or 13, Ubuntu 22.04 or 24.04 are." ;;
  esac
}

# What the program needs to run. Only what is missing is asked of apt.
packages() {
  local missing=() name
  for name in python3-venv ca-certificates ffmpeg nginx libnginx-mod-rtmp; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  say "Installing from the distribution: ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

find_wheel() {
  local found
  if [[ -n $WHEEL ]]; then [[ -f $WHEEL ]] || fail "There is no file $WHEEL."; echo "$WHEEL"; return; fi
  found=$(ls -1t "$HERE"/putlive-*.whl "$HERE"/dist/putlive-*.whl 2>/dev/null | head -1 || true)
  if [[ -z $found && -x $HERE/dev ]]; then found=$("$HERE/dev" build | tail -1); fi
  [[ -n $found ]] || fail "There is no wheel beside this script and no checkout to build one from."
  echo "$found"
}

install_release() {
  local wheel=$1 version mark release
  version=$(basename "$wheel" | cut -d- -f2)
  release=$ROOT/releases/$version
  mark=$(sha256sum "$wheel" | cut -d' ' -f1)
  if [[ -f $release/.wheel && $(<"$release/.wheel") == "$mark" ]]; then
    say "PutLive $version is installed already; nothing to do."
    return
  fi
  say "Installing PutLive $version into $release"
  local constraints=() old=""
  [[ -f $HERE/constraints.txt ]] && constraints=(--constraint "$HERE/constraints.txt")
  # A virtual environment holds its own path, so it is made in its place; the former one of the
  # same version steps aside and comes back when this one fails.
  mkdir -p "$ROOT/releases"
  if [[ -d $release ]]; then old=$release.old; rm -rf "$old"; mv "$release" "$old"; fi
  if ! { python3 -m venv "$release" && "$release/bin/python" -m pip install --quiet --use-pep517 \
    --disable-pip-version-check "${constraints[@]}" "$wheel"; }; then
    rm -rf "$release"
    if [[ -n $old ]]; then mv "$old" "$release"; fi
    fail "The Python packages could not be installed; nothing was changed."
  fi
  rm -rf "$old"
  echo "$mark" >"$release/.wheel"
  ln -sfn "$release" "$ROOT/current"
  [[ -e $LINK && ! -L $LINK ]] && fail "$LINK is somebody else's file; call $ROOT/current/bin/putlive instead."
  ln -sfn "$ROOT/current/bin/putlive" "$LINK"
}

remove() {
  [[ -L $LINK && $(readlink "$LINK") == "$ROOT"/* ]] && rm -f "$LINK"
  rm -rf "$ROOT/releases"
  rm -f "$ROOT/current"
  rmdir "$ROOT" 2>/dev/null || true
  say "PutLive's program is gone. Packages of the distribution and your stations are still there."
}

WHEEL="" REMOVE=""
while (($#)); do
  case $1 in
    --wheel) WHEEL=${2:-}; shift ;;
    --remove) REMOVE=1 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; CODE=2 fail "Unknown option: $1" ;;
  esac
  shift
done
check_host
if [[ -n $REMOVE ]]; then remove; exit 0; fi
packages
install_release "$(find_wheel)"
say "Done. Next: putlive up --demo   (putlive up --help tells the rest)"
