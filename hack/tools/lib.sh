# Shared by tool.sh and the assets.sh of the folders beside this one: programs built
# from pinned Go modules into a cache outside the tree. What is said goes to stderr; stdout is
# for the answer alone.

say() { echo "$*" >&2; }

die() {
	say "error: $*"
	exit 1
}

cache="${HOLDFAST_CACHE:-${XDG_CACHE_HOME:-${HOME:?set HOME or HOLDFAST_CACHE to a folder for the cache}/.cache}/holdfast}"

# platform prints the machine's own, as in linux-amd64: tools run here, whatever
# GOOS and GOARCH the product is being built for.
platform() { go env GOHOSTOS GOHOSTARCH | paste -sd- -; }

# fingerprint MODULE prints a short hash of what the folder's module pins, and of the
# program that it has of its own, if it has one.
fingerprint() {
	local files=("$1/go.mod" "$1/go.sum")
	[ ! -f "$1/main.go" ] || files+=("$1/main.go")
	if command -v sha256sum >/dev/null; then
		cat "${files[@]}" | sha256sum | cut -c-12
	else
		cat "${files[@]}" | shasum -a 256 | cut -c-12
	fi
}

# pinned MODULE PACKAGE prints the version of the required module that holds PACKAGE.
pinned() {
	awk -v package="$2" '
		$2 ~ /^v[0-9]/ && index(package "/", $1 "/") == 1 { print $2; exit }
	' "$1/go.mod"
}

# lock FOLDER makes the folder and waits until no other run works on it. Without
# flock (macOS) two runs may do the same work twice; neither spoils the other's,
# since everything lands by a rename.
lock() {
	mkdir -p "$1"
	command -v flock >/dev/null || return 0
	exec 9>"$1.lock"
	flock --nonblock 9 && return 0
	say "waiting for another run that is filling $1"
	flock 9
}

builder=
scratch=
clean_up() {
	[ -z "$builder" ] || kill "$builder" 2>/dev/null || true
	[ -z "$scratch" ] || rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# compile MODULE ARGS... runs a go command on the folder's module, whatever the product is
# being built for. Nobody debugs what is built here, so there is no DWARF, and most of
# what Kubernetes has generated is not inlined into what calls it; with a compiler that
# collects garbage seldom, the packages of kube-apiserver take half (the largest) to three
# quarters (the others) of the processor time that they take otherwise. Without cgo
# nothing needs a C compiler. There are no build tags any more that leave out parts of
# Kubernetes.
compile() {
	local generated flags=(-gcflags=all=-dwarf=false)
	for generated in api client-go kubernetes; do
		flags+=("-gcflags=k8s.io/$generated/...=-dwarf=false -l")
	done
	env -u GOOS -u GOARCH GOWORK=off CGO_ENABLED=0 GOGC="${GOGC:-800}" \
		go -C "$1" "$2" "${flags[@]}" "${@:3}" </dev/null 9>&-
}

# build MODULE FOLDER LDFLAGS NAME=PACKAGE... builds packages that the folder's module
# pins, all at once. They appear in FOLDER complete or not at all; a long build says every
# half minute which share of what there is to compile it has compiled.
build() {
	local module=$1 folder=$2 ldflags=$3 started=$SECONDS next=$((SECONDS + 30)) total share package names=
	shift 3
	scratch=$(mktemp -d "$folder/.build.XXXXXX")
	mkdir "$scratch/built"
	total=$(compile "$module" list -deps -f '{{if .Stale}}stale{{end}}' "${@#*=}" | grep -c stale) || true
	compile "$module" build -v -ldflags "-s -w $ldflags" -o "$scratch/built/" "${@#*=}" 2>"$scratch/log" >&2 &
	builder=$!
	while kill -0 "$builder" 2>/dev/null; do
		if [ "$SECONDS" -ge "$next" ]; then
			share=$((total > 0 ? 100 * $(wc -l <"$scratch/log") / total : 0))
			say "  $((share < 99 ? share : 99)) % compiled after $((SECONDS - started)) s"
			next=$((next + 30))
		fi
		sleep 0.2
	done
	if ! wait "$builder"; then
		grep -vE '^[^ :]+$' "$scratch/log" >&2 || true # what failed, without the packages that did not
		die "building ${*#*=} in $module failed; see above"
	fi
	builder=
	for package; do
		mv "$scratch/built/$(executable "${package#*=}")" "$folder/${package%%=*}"
		names="$names ${package%%=*}"
	done
	rm -rf "$scratch"
	scratch=
	say " $names: built in $((SECONDS - started)) s"
}

# executable PACKAGE prints what the go command calls the program: the last element of the
# path that is no major version.
executable() { echo "$1" | sed -E 's|/v[0-9]+$||; s|.*/||'; }

# program SHELF NAME MODULE PACKAGE [PINNED] prints the path of a program that the
# folder's module builds from the package, which it does only once per content of the
# module. PINNED is the package whose version is the program's, if it is another.
program() {
	local shelf=$1 name=$2 module=$3 package=$4 version folder
	version=$(pinned "$module" "${5:-$package}")
	folder=$cache/$shelf/$name-$version-$(fingerprint "$module")-$(platform)
	if ! [ -x "$folder/$name" ]; then
		lock "$folder"
		if ! [ -x "$folder/$name" ]; then
			say "Building $name $version from its Go module, once; cached in $folder"
			build "$module" "$folder" "" "$name=$package"
		fi
	fi
	echo "$folder/$name"
}
