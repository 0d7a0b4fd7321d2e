# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: Apache-2.0
# Part of ./dev: the Debian packages that a verb needs, installed when they are missing.

BUILD_PACKAGES=(cmake ninja-build g++ binutils pkg-config llvm-19-dev liblld-19-dev
  protobuf-compiler libprotobuf-dev libfmt-dev libcli11-dev nlohmann-json3-dev libxxhash-dev
  libyaml-cpp-dev libsnappy-dev libisal-dev libhdf5-dev libzip-dev)
TEST_PACKAGES=(libgtest-dev libgmock-dev libmpfr-dev groff-base zsh jq)
FULL_PACKAGES=(clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev qemu-user-static
  g++-aarch64-linux-gnu)
BENCH_PACKAGES=(libbenchmark-dev)

say() { printf 'dev: %s\n' "$*"; }
die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# need PACKAGE...: installs those that are missing. Says nothing when nothing is.
need() {
  local package missing=()
  if ! command -v dpkg-query >/dev/null; then
    [[ ${NEED_SAID:-} ]] || say "this is no Debian; these are expected to be here: $*"
    NEED_SAID=1
    return 0
  fi
  for package; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  local root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; } ||
      die "packages are missing and this user cannot install them; have this run as root: apt-get install --no-install-recommends ${missing[*]}"
    root=(sudo)
  fi
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } \
    </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "apt-get could not install ${missing[*]} (whole log: $log)"
  fi
  rm -f "$log"
}
