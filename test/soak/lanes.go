package main

import "time"

// lanes are who does what: machines that fail, Google Cloud, and people. An operator that takes the lease acknowledges a glass only once what the one
// before it has sent is over, half a minute later: what fails leaves it that time now and then.
var lanes = []lane{
	{"Kubernetes", 45 * time.Second, 2 * time.Minute, []deed{apiServerRestarts, etcdIsGone}},
	{"Google Cloud", 2 * time.Second, 10 * time.Second, []deed{outage, tooMany, unavailable, lostReplies, slow, lateWrite, cloudClockJumps}},
	{slotA, 40 * time.Second, 2 * time.Minute, mishaps(0)},
	{slotB, 40 * time.Second, 2 * time.Minute, mishaps(1)},
	{"manifests", 300 * time.Millisecond, 2 * time.Second, []deed{
		manifestChanges, manifestChanges, manifestChanges, lookIsRequested, manifestComesAgain,
	}},
	{"the console", time.Second, 6 * time.Second, []deed{consoleChanges, consoleChanges, consoleChanges, consoleDeletes}},
	{"break-glass", 3 * time.Second, 15 * time.Second, []deed{glassOfOne, glassOfOne, glassOfNamespace}},
}
