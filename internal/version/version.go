// Package version says which build of Holdfast this is.
package version

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version, Commit and Date are stamped by the linker:
//
//	go build -ldflags "-X github.com/holdfast-dev/holdfast/internal/version.Version=v1.2.3"
//
// Version is a semantic version with its leading v, Commit a git revision and Date
// the commit's time in RFC 3339. What was not stamped is taken from the build
// information that the Go tool records.
var (
	Version string
	Commit  string
	Date    string
)

// String is one line for people and for user agents, as in
// "v1.2.3 (commit 1f2e3d4, 2026-01-02T15:04:05Z, go1.26.0 linux/amd64)".
func String() string {
	b := current()
	return fmt.Sprintf("%s (commit %s, %s, %s %s/%s)",
		b.version, b.commit, b.date, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// Build is the version and the commit, for programs to tell builds apart.
func Build() (version, commit string) {
	b := current()
	return b.version, b.commit
}

func current() build {
	info, _ := debug.ReadBuildInfo()
	return stamped().or(recorded(info))
}

type build struct{ version, commit, date string }

func stamped() build { return build{version: Version, commit: Commit, date: Date} }

// recorded reads the Go tool's build information, which is nil in a binary built
// without modules and lacks the commit in one built outside a work tree.
func recorded(info *debug.BuildInfo) build {
	b := build{version: "(devel)", commit: "unknown", date: "date unknown"}
	if info == nil {
		return b
	}
	if info.Main.Version != "" {
		b.version = info.Main.Version
	}
	dirty := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.time":
			b.date = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if dirty {
		b.commit += "-dirty"
	}
	return b
}

// or fills what b lacks from other.
func (b build) or(other build) build {
	return build{
		version: cmp.Or(b.version, other.version),
		commit:  cmp.Or(b.commit, other.commit),
		date:    cmp.Or(b.date, other.date),
	}
}
