package main

import "runtime/debug"

// A command ends after some seconds, and until then collecting garbage takes a good part of a processor: it is done only as often as the memory
// takes. With Go's own default a plan of 1,000 manifests takes a fifth more of a processor.
const (
	// heapGrowth is how many percent the heap grows between two collections of garbage.
	heapGrowth = 400
	// memoryLimit is from where on garbage is collected as often as it takes to stay below, in bytes.
	memoryLimit = 120 << 20
)

// tuneMemory sets how much memory is taken for how much work, unless the environment says so.
func tuneMemory(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
