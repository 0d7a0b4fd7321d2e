#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints docs/errors.md: a row for each case beside this script.
set -euo pipefail
cd "$(dirname "$0")/cases"
cat <<'TEXT'
# Errors

What goes wrong, what Ingot says of it, and the exit status ([cli.md](cli.md) has what each means). Each
row is a case of `tests/errors`, which `./dev test` runs word for word, with a limit on time and memory;
`./dev bless errors` renews this page.
TEXT
section() {
  local folder=$1 title=$2
  printf '\n## %s\n\n| What is wrong | What Ingot says | Status |\n|---|---|---:|\n' "$title"
  awk '
    function row() {
      if (what == "") return
      gsub(/\|/, "\\|", what); gsub(/\|/, "\\|", said)
      printf "| %s | %s | %s |\n", what, said, status
    }
    FNR == 1 { row(); what = said = status = ""; part = "what" }
    /^--- / { part = $2; if (part == "gives") status = $3; next }
    part == "what" { what = what (what == "" ? "" : " ") $0 }
    part == "gives" {
      sub(/^ingot: /, ""); sub(/^ +/, "")
      gsub(/`/, "\047")
      said = said (said == "" ? "" : "<br>") "`" $0 "`"
    }
    END { row() }' "$folder"/*.txt
}
section onnx "ONNX files"
section graphdef "TensorFlow graphs"
section text "Text form"
section files "Other files"
section flags "Flags"
section calls "Calls of a compiled model"
section verify "Verifying"
