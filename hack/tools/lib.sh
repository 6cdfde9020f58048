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

# build MODULE PACKAGE DEST [LDFLAGS] builds a package that the folder's module
# pins. DEST appears complete or not at all; a long build says every half minute
# that it is still at it.
build() {
	local module=$1 package=$2 dest=$3 ldflags=${4:-} name=${3##*/}
	local started=$SECONDS next=$((SECONDS + 30))
	scratch=$(mktemp -d "${dest%/*}/.build.XXXXXX")
	env -u GOOS -u GOARCH GOWORK=off \
		go -C "$module" build -ldflags "-s -w $ldflags" -o "$scratch/$name" "$package" \
		</dev/null >&2 9>&- &
	builder=$!
	while kill -0 "$builder" 2>/dev/null; do
		if [ "$SECONDS" -ge "$next" ]; then
			say "  $name: still building, $((SECONDS - started)) s so far"
			next=$((next + 30))
		fi
		sleep 0.2
	done
	wait "$builder" || die "building $package in $module failed; see above"
	builder=
	mv "$scratch/$name" "$dest"
	rmdir "$scratch"
	scratch=
	say "  $name: built in $((SECONDS - started)) s"
}

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
			build "$module" "$package" "$folder/$name"
		fi
	fi
	echo "$folder/$name"
}
