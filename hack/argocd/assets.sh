#!/usr/bin/env bash
# Usage: hack/argocd/assets.sh
#
# Prints the path of Argo CD's application controller and repo server, one program
# (see main.go), built from the module beside this script the first time it is asked
# for (3 minutes on two cores) and cached outside the tree.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../tools/lib.sh"

program argocd argocd "$here" github.com/holdfast-dev/holdfast/hack/argocd github.com/argoproj/argo-cd/v3
