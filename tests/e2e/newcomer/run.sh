#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh [TRANSCRIPT]. A new user's first ten minutes, as a transcript: in the empty home of an
# account made for it, clone, then every command that README.md shows, word for word, then a program
# of their own with a real model of ../shared/models. Needs root, to make the account.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
transcript=${1:-/dev/null}
skip() { echo "$*" && exit 77; }
((EUID == 0)) || skip "needs root, to make an account for a new user"
model=$root/../shared/models/ele-pfid-exteta1
[[ -d $model ]] || skip "../shared/models is not on this machine"

user=ingot-newcomer-$$
home=$(mktemp -d)
chmod 755 "$home"
trap 'userdel "$user" >/dev/null 2>&1 || true; rm -rf "$home"' EXIT
useradd --home-dir "$home" --no-create-home --shell /bin/bash "$user"
chown "$user" "$home"
# What the user is given: the address of the repository, and a model with a reference result.
git -C "$root" bundle create -q "$home/ingot.git" HEAD
cp "$model"/*.pb "$home/their_model.pb"
cp "$here/main.cpp" "$home/main.cpp"
chmod a+r "$home"/*

begin=$SECONDS
# as_user COMMAND: shown with the time since the start, run in the user's own environment.
as_user() {
  printf '[%3d s] $ %s\n' $((SECONDS - begin)) "$1"
  (cd "$home" && setpriv --reuid "$user" --regid "$user" --clear-groups env -i HOME="$home" \
    USER="$user" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 \
    bash -euo pipefail -c "cd ${where:-.} && $1" </dev/null 2>&1)
}

first_minutes() {
  where=. as_user "git clone -q ingot.git ingot"
  local command count=0
  while IFS= read -r command; do
    where=ingot as_user "$command"
    count=$((count + 1))
  done < <(sed -n 's/^    \$ //p' "$root/README.md")
  ((count >= 3)) || { echo "README.md shows only $count commands" && return 1; }
  where=.
  as_user "ingot/build/ingot inspect their_model.pb"
  as_user "ingot/build/ingot compile their_model.pb -o out --name electron"
  as_user "sed -n '/^\/\/ electron/,/^\$/p' out/electron.h"
  as_user "cat main.cpp"
  as_user "g++ -std=c++17 -O2 -Iout main.cpp out/electron.o -o main"
  as_user "./main"
}

first_minutes | tee "$transcript"
grep -q '^20 of 20 right' "$transcript" || [[ $transcript == /dev/null ]] || { echo "the digits are not right"; exit 1; }
echo "a new user's first program ran after $((SECONDS - begin)) s"
