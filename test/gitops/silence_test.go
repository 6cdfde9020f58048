package gitops

import (
	"syscall"
	"testing"
	"time"
)

// TestNobodyLooks: while the operator does not look at a commit the tools do not call it healthy, neither one that makes an
// object nor one that changes it. It is not parallel, since the other scenarios need the operator.
func TestNobodyLooks(t *testing.T) {
	w := sharedWorld(t)
	var scenes []*scene
	for which, tool := range tools {
		name := "silence-" + which
		scenes = append(scenes, newScene(t, w, name, tool(t, w, name)))
	}
	operator := w.processes["manager"]
	t.Cleanup(func() { _ = operator.Signal(syscall.SIGCONT) }) // in vain if it goes on already
	for _, seconds := range []string{"3600", "7200"} {
		if err := operator.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		revisions := map[*scene]string{}
		for _, s := range scenes {
			revisions[s] = s.commit("Keep messages", map[string]string{"topic": manifest("Topic", "orders", "messageRetentionSeconds: "+seconds)})
			if seconds == "3600" {
				s.follow()
			}
		}
		for _, s := range scenes {
			s.until(revisions[s], waiting)
		}
		// Flux looks at health every five seconds, Argo CD when an object changes.
		<-time.After(8 * time.Second)
		for _, s := range scenes {
			s.notYet(revisions[s])
		}
		if err := operator.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		for _, s := range scenes {
			s.until(revisions[s], healthy)
		}
	}
}
