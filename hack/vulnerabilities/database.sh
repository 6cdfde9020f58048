#!/usr/bin/env bash
# Usage: hack/vulnerabilities/database.sh
#
# Prints the address of the Go vulnerability database, as govulncheck wants it: written
# once into the cache from the module golang.org/x/vulndb, whose version
# hack/tools/indexdb pins. `go -C hack/tools/indexdb get golang.org/x/vulndb@latest`
# takes a newer one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../tools/lib.sh"

module=$here/../tools/indexdb
folder=$cache/vulndb/$(pinned "$module" golang.org/x/vulndb)
if ! [ -d "$folder/ID" ]; then
	lock "$folder"
	if ! [ -d "$folder/ID" ]; then
		indexdb=$("$here/../tools/tool.sh" indexdb 9>&-)
		GOWORK=off go -C "$module" mod download golang.org/x/vulndb 9>&-
		source=$(GOWORK=off go -C "$module" list -m -f '{{.Dir}}' golang.org/x/vulndb)
		scratch=$(mktemp -d "$folder/.write.XXXXXX")
		"$indexdb" -vulns "$source/data/osv" -out "$scratch/db"
		mv "$scratch/db/index" "$folder/"
		mv "$scratch/db/ID" "$folder/"
		rm -rf "$scratch"
		scratch=
	fi
fi
echo "file://$folder"
