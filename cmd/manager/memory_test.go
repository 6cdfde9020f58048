package main

import (
	"runtime/debug"
	"testing"
)

func TestMemoryIsTunedUnlessTheEnvironmentDoes(t *testing.T) {
	const before = 77
	for env, want := range map[string]int{"": heapGrowth, "100": before, "off": before} {
		t.Run("GOGC="+env, func(t *testing.T) {
			t.Setenv("GOGC", env)
			defer debug.SetGCPercent(debug.SetGCPercent(before)) // which Go itself has read from the environment at the start
			tuneMemory()
			if got := debug.SetGCPercent(before); got != want {
				t.Errorf("the heap grows by %d %%, want %d", got, want)
			}
		})
	}
}
