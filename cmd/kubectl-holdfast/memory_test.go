package main

import (
	"runtime/debug"
	"testing"
)

func TestMemoryIsTunedUnlessTheEnvironmentDoes(t *testing.T) {
	const percent, limit = 77, 1 << 30
	defer debug.SetGCPercent(debug.SetGCPercent(percent))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	for name, tc := range map[string]struct {
		environment map[string]string
		percent     int
		limit       int64
	}{
		"nothing is set":  {nil, heapGrowth, memoryLimit},
		"both are set":    {map[string]string{"GOGC": "100", "GOMEMLIMIT": "1GiB"}, percent, limit},
		"the growth is":   {map[string]string{"GOGC": "off"}, percent, memoryLimit},
		"the limit is so": {map[string]string{"GOMEMLIMIT": "off"}, heapGrowth, limit},
	} {
		t.Run(name, func(t *testing.T) {
			debug.SetGCPercent(percent)
			debug.SetMemoryLimit(limit)
			tuneMemory(func(key string) string { return tc.environment[key] })
			if gotPercent, gotLimit := debug.SetGCPercent(percent), debug.SetMemoryLimit(limit); gotPercent != tc.percent || gotLimit != tc.limit {
				t.Errorf("the heap grows by %d %% up to %d bytes, want %d %% and %d", gotPercent, gotLimit, tc.percent, tc.limit)
			}
		})
	}
}
