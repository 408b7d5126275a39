# shellcheck shell=bash
# What the scripts share. Source it; it moves to the checkout's root.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

logs=$root/.cache/log
mkdir -p "$logs"

# Where `setup` puts what no Debian package offers; the demo and the tests look in PATH.
tools=$HOME/.local/share/certherd/bin
export PATH=$tools:$PATH:/usr/sbin:/sbin

# Where it puts the Python packages of the tests on AWS (tests/aws).
venv=${tools%/*}/aws-venv

# die REASON REMEDY
die() {
  printf '\nfailed: %s\nremedy: %s\n' "$1" "$2" >&2
  exit 1
}

# phase NAME REMEDY COMMAND...
#
# Runs the command with its output in a log file and prints one line with the seconds it took.
# When it fails, shows the end of the log and the remedy (unless the command named one itself).
phase() {
  local name=$1 remedy=$2
  shift 2
  local log=$logs/${name//[^a-z0-9]/-}.log begin=$EPOCHREALTIME status=0
  printf '%-44s' "$name"
  # A subshell outside any condition: `set -e` would be off in `if phase_command`.
  set +e
  (set -e; "$@") >"$log" 2>&1 </dev/null
  status=$?
  set -e
  local end=$EPOCHREALTIME
  local tenths=$(((${end/[.,]/} - ${begin/[.,]/}) / 100000))
  printf '%4d.%d s\n' $((tenths / 10)) $((tenths % 10))
  [[ $status == 0 ]] && return
  printf '\n' >&2
  if [[ $(type -t show_failure) == function ]]; then
    show_failure "$log" >&2
  else
    tail -n 80 "$log" >&2
  fi
  printf '\nfailed: %s (exit status %d); all of its output: %s\n' "$name" "$status" "$log" >&2
  if ! grep -q '^remedy: ' "$log"; then printf 'remedy: %s\n' "$remedy" >&2; fi
  exit 1
}
