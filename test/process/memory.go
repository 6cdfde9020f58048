package process

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Memory is the resident memory of a process in MiB, and the most that it has been; 0 where the system does not tell.
func Memory(pid int) (now, peak float64) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, 0
	}
	read := func(name string) float64 {
		_, rest, _ := strings.Cut(string(text), name+":")
		kib, _ := strconv.ParseFloat(strings.Fields(rest + " 0")[0], 64)
		return kib / 1024
	}
	return read("VmRSS"), read("VmHWM")
}

// watchPace is how often the memory of a process is looked at that will not be there to be asked once it has ended.
const watchPace = 5 * time.Millisecond

// WatchMemory watches a process until what it returns is called, which says the most resident memory that it had, in MiB. What the system says of
// a process that has ended (ru_maxrss) is of no use for that: Linux counts in it what whoever started the process had.
func WatchMemory(pid int) (most func() float64) {
	var peak float64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(watchPace)
		defer tick.Stop()
		for {
			_, seen := Memory(pid)
			peak = max(peak, seen)
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	end := sync.OnceFunc(func() { close(stop); <-stopped })
	return func() float64 { end(); return peak }
}
