#!/usr/bin/env bash
# Usage: hack/controlplane/assets.sh [--older] [--with kubectl] [--with kube-controller-manager]
#
# Prints one line: the folder that holds kube-apiserver, etcd and kubectl of one
# Kubernetes version, for tests and the demo; with --older, of the oldest version that
# Holdfast is tested on. A kubectl on the PATH serves if it is at
# most one minor version away, unless --with kubectl asks for the very version. They
# are, in this order,
#   - those in KUBEBUILDER_ASSETS, if it is set (what it lacks besides kube-apiserver
#     and etcd is added from the PATH, for kubectl, or from below),
#   - the published envtest binaries, where they can be had,
#   - built from the Go modules that go.mod beside this script pins, or older/go.mod,
# and cached outside the tree, so that a second run costs nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../tools/lib.sh"

module=$here
wanted="kube-apiserver etcd kubectl"
pinned_kubectl=

package() {
	case $1 in
	kube-apiserver | kubectl | kube-controller-manager) echo "k8s.io/kubernetes/cmd/$1" ;;
	etcd) echo go.etcd.io/etcd/server/v3 ;;
	*) die "--with $1: can be kube-apiserver, etcd, kubectl or kube-controller-manager" ;;
	esac
}

# holds FOLDER NAME... says whether all the named programs are in the folder.
holds() {
	local folder=$1 name
	shift
	for name; do
		[ -x "$folder/$name" ] || return 1
	done
}

# within SECONDS COMMAND... bounds a command that may hang on a network.
within() {
	if command -v timeout >/dev/null; then timeout "$@" 9>&-; else "${@:2}" 9>&-; fi
}

# fetch FOLDER takes the published envtest binaries of the same minor version if
# they can be had, and fails within seconds where they cannot.
fetch() {
	local setup minor=${version#v} found
	minor=${minor%.*}.x
	setup=$("$here/../tools/tool.sh" setup-envtest 9>&-) || return 1
	scratch=$(mktemp -d "$1/.fetch.XXXXXX")
	if found=$(within 10 "$setup" list "$minor" --bin-dir "$scratch" 2>/dev/null) && [ -n "$found" ] &&
		say "Fetching the published envtest binaries of Kubernetes $minor" &&
		found=$(within 300 "$setup" use "$minor" --bin-dir "$scratch" --print path) &&
		holds "$found" kube-apiserver etcd kubectl; then
		mv "$found/kube-apiserver" "$found/etcd" "$found/kubectl" "$1/"
	fi
	chmod -R u+w "$scratch"
	rm -rf "$scratch"
	scratch=
	holds "$1" kube-apiserver etcd kubectl
}

# stamp prints the linker flags that make a program report the pinned version.
stamp() {
	local number=${version#v} pkg
	for pkg in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		printf ' -X %s=%s' \
			"$pkg.gitVersion" "$version" "$pkg.gitCommit" unknown "$pkg.gitTreeState" clean \
			"$pkg.gitMajor" "${number%%.*}" "$pkg.gitMinor" "$(echo "$number" | cut -d. -f2)"
	done
}

# provide NAME... fills the cache's folder with the named programs.
provide() {
	local started=$SECONDS name programs=()
	holds "$folder" "$@" && return
	lock "$folder"
	holds "$folder" "$@" && return
	if ! holds "$folder" kube-apiserver etcd; then
		if fetch "$folder"; then
			say "Fetched in $((SECONDS - started)) s; cached in $folder"
		else
			say "The published envtest binaries cannot be had here"
		fi
	fi
	holds "$folder" "$@" && return
	for name in $(missing "$folder" "$@"); do
		programs+=("$name=$(package "$name")")
	done
	say "Building $(missing "$folder" "$@") $version from Go modules, only once; cached in $folder."
	say "All of them take five to ten minutes on two cores:"
	build "$module" "$folder" "$(stamp)" "${programs[@]}"
}

# fitting_kubectl prints the kubectl on the PATH if Kubernetes supports it with the pinned
# version: at most one minor version away.
fitting_kubectl() {
	local found minor want=${version#v1.}
	found=$(command -v kubectl) || return 1
	minor=$(within 10 "$found" version --client 2>/dev/null | awk '$1 == "Client" { split($3, v, "."); if (v[1] == "v1") print v[2] + 0 }')
	[ -n "$minor" ] && want=${want%%.*} && [ "$minor" -ge $((want - 1)) ] && [ "$minor" -le $((want + 1)) ] && echo "$found"
}

# own prints the cache's folder once all that is wanted is in it, or a folder of links to
# what is there and to a kubectl of the PATH that serves.
own() {
	local serves=
	if ! holds "$folder" kubectl && [ -z "$pinned_kubectl" ]; then
		serves=$(fitting_kubectl) || serves=
	fi
	if [ -n "$serves" ]; then
		provide ${wanted/kubectl/}
	else
		provide $wanted
	fi
	if holds "$folder" kubectl; then
		echo "$folder"
	else
		link "$folder-with${serves//\//-}" kubectl="$serves" $(for name in ${wanted/kubectl/}; do echo "$name=$folder/$name"; done)
	fi
}

# link FOLDER NAME=TARGET... fills the folder with links and prints it.
link() {
	local link
	mkdir -p "$1"
	for link in "${@:2}"; do
		ln -sf "${link#*=}" "$1/${link%%=*}"
	done
	echo "$1"
}

# missing FOLDER NAME... prints those of the named programs that are not in the folder.
missing() {
	local name
	for name in "${@:2}"; do
		holds "$1" "$name" || echo "$name"
	done | paste -sd' ' -
}

# complete prints KUBEBUILDER_ASSETS if all that is wanted is there, else a folder
# of links to what is there and to what was found or built for the rest.
complete() {
	local given name target links=()
	given=$(cd "$KUBEBUILDER_ASSETS" 2>/dev/null && pwd) ||
		die "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, which is no folder; correct it, or unset it to have the control plane fetched or built"
	holds "$given" kube-apiserver etcd ||
		die "KUBEBUILDER_ASSETS is $given, which has no $(missing "$given" kube-apiserver etcd); correct it, or unset it to have the control plane fetched or built"
	if holds "$given" $wanted; then
		echo "$given"
		return
	fi
	for name in $wanted; do
		target=$given/$name
		if ! [ -x "$target" ]; then
			target=$([ "$name" = kubectl ] && command -v kubectl) || {
				provide "$name"
				target=$folder/$name
			}
		fi
		links+=("$name=$target")
	done
	link "$folder-with${given//\//-}" "${links[@]}"
}

while [ $# -gt 0 ]; do
	case $1 in
	--with)
		package "${2:-}" >/dev/null
		case $2 in
		kubectl) pinned_kubectl=yes ;;
		*) wanted="$wanted $2" ;;
		esac
		shift 2
		;;
	--older)
		module=$here/older
		shift
		;;
	*) die "$1: the only options are --older and --with NAME" ;;
	esac
done

version=$(pinned "$module" k8s.io/kubernetes)
folder=$cache/controlplane/$version-$(fingerprint "$module")-$(platform)

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
	complete
else
	own
fi
