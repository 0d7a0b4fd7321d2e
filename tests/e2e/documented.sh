#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every flag of the tool is in docs/cli.md, and no other; every page that a page links to is there.
set -euo pipefail
page=$INGOT_ROOT/docs/cli.md
failed=0
commands=$("$INGOT" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
flags=$({ "$INGOT" --help; for command in $commands; do "$INGOT" "$command" --help; done; } |
  grep -oE '^ +(-[a-z],)?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u)
for flag in $flags; do
  grep -q -- "$flag" "$page" || { echo "docs/cli.md lacks $flag"; failed=1; }
done
for flag in $(grep -oE -- '--[a-z]+(-[a-z]+)*' "$page" | sort -u); do
  grep -qx -- "$flag" <<<"$flags" || { echo "docs/cli.md has $flag, which the tool does not"; failed=1; }
done

cd "$INGOT_ROOT"
links=0
for file in $(find . -name '*.md' -not -path './build/*' -not -path './.*'); do
  for link in $(grep -oE '\]\([^)# ]*[./][^)# ]*' "$file" | sed 's/^](//' | grep -vE '^https?:' || true); do
    links=$((links + 1))
    [[ -e $(dirname "$file")/$link ]] || { echo "$file links to $link, which is not there"; failed=1; }
  done
done
echo "$(wc -w <<<"$flags") flags and $links links looked at"
((links > 0 && !failed))
