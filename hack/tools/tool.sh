#!/usr/bin/env bash
# Usage: hack/tools/tool.sh NAME
#
# Prints the path of a development tool, for example golangci-lint: the one that
# the module hack/tools/NAME pins, built the first time it is asked for and cached
# outside the tree.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

name=${1:-}
module=$here/$name
if [ -z "$name" ] || ! [ -f "$module/go.mod" ]; then
	die "$name: no such tool. One of:$(cd "$here" && printf ' %s' */ | tr -d /)"
fi

program tools "$name" "$module" "$(awk '$1 == "tool" { print $2 }' "$module/go.mod")"
