package version

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestRecorded(t *testing.T) {
	cases := map[string]struct {
		info *debug.BuildInfo
		want build
	}{
		"NoModules": {
			want: build{version: "(devel)", commit: "unknown", date: "date unknown"},
		},
		"Installed": {
			info: &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}},
			want: build{version: "v1.2.3", commit: "unknown", date: "date unknown"},
		},
		"DirtyWorkTree": {
			info: &debug.BuildInfo{
				Main: debug.Module{Version: "(devel)"},
				Settings: []debug.BuildSetting{
					{Key: "vcs.modified", Value: "true"},
					{Key: "vcs.revision", Value: "1f2e3d4"},
					{Key: "vcs.time", Value: "2026-01-02T15:04:05Z"},
				},
			},
			want: build{version: "(devel)", commit: "1f2e3d4-dirty", date: "2026-01-02T15:04:05Z"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := recorded(tc.info); got != tc.want {
				t.Errorf("recorded(...): got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestStampsGoFirst(t *testing.T) {
	Version, Commit = "v9.9.9", "abcdef0"
	t.Cleanup(func() { Version, Commit = "", "" })

	if got, want := String(), "v9.9.9 (commit abcdef0, "; !strings.HasPrefix(got, want) {
		t.Errorf("String(): got %q, want it to begin with %q", got, want)
	}
}
