#!/usr/bin/env bash
# Usage: hack/flux/assets.sh
#
# Prints the path of Flux's kustomize-controller, built from the module beside this
# script the first time it is asked for (4 minutes on two cores) and cached outside
# the tree.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../tools/lib.sh"

program flux kustomize-controller "$here" github.com/fluxcd/kustomize-controller
