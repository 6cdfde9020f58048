package engine

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// What the API server has room for, in bytes. It refuses what is longer, the event or the whole status.
const (
	longestNote = 1024
	// longestMessage is counted in characters, of which there are no more than bytes.
	longestMessage = 32768
)

// event tells something of an object. The note of an event is short: the whole of a longer one goes to the log.
func (r *Reconciler) event(ctx context.Context, obj v1alpha1.Object, eventType, reason, action, message string) {
	note := text.Cut(message, longestNote)
	if note != message {
		log.FromContext(ctx).Info("an event has no room for all of its message", "event", reason, "message", message)
	}
	r.events.Eventf(obj, nil, eventType, reason, action, "%s", note)
}
