#!/usr/bin/env bash
# The README's two commands, as they stand, each in a fresh clone, a fresh virtual environment and an empty home.
set -euo pipefail
project="$(cd "$(dirname "$0")/../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

run_in_fresh_clone() {
  local name="$1" command="$2"
  git clone --quiet "$project" "$work/$name"
  python3 -m venv "$work/$name-venv"
  echo "── $command"
  (
    cd "$work/$name"
    # shellcheck disable=SC1091
    . "$work/$name-venv/bin/activate"
    export XDG_CONFIG_HOME="$work/$name-home" XDG_DATA_HOME="$work/$name-home" XDG_STATE_HOME="$work/$name-home"
    bash -euo pipefail -c "$command"
  )
}

run_in_fresh_clone ask "$(sed -n 's/^pip install .*ctxchat ask .*$/&/p' "$project/README.md")"
run_in_fresh_clone test "$(sed -n 's/^pip install .*&& pytest$/&/p' "$project/README.md")"
