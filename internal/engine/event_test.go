package engine

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-logr/logr/funcr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// workflows are so many principals as workload identity federation has them for GitHub Actions, of 500 bytes each.
func workflows(n int) []v1alpha1.IAMMember {
	out := make([]v1alpha1.IAMMember, 0, n)
	for i := range n {
		pool := fmt.Sprintf("principalSet://iam.googleapis.com/projects/4711/locations/global/workloadIdentityPools/github/attribute.workflow_ref/%d-", i)
		out = append(out, v1alpha1.IAMMember(pool+strings.Repeat("é", (500-len(pool))/2)))
	}
	return out
}

// TestLongEventsAreShortened: what has no room in an event is told all the same, and the whole of it is in the log.
func TestLongEventsAreShortened(t *testing.T) {
	type step = func(*v1alpha1.Topic, *policiedKind)
	grant := func(topic *v1alpha1.Topic, _ *policiedKind) { topic.Spec.IAM = grantTo(workflows(5)...) }
	breakGlass := func(reason string) step {
		return func(topic *v1alpha1.Topic, _ *policiedKind) {
			topic.Annotations = map[string]string{
				v1alpha1.BreakGlassAnnotation: reason, v1alpha1.BreakGlassByAnnotation: strings.Repeat("é", 100),
			}
		}
	}
	cases := map[string]struct {
		steps []step
		want  string // the event's type and reason
		ends  string // in the log
	}{
		"what was written": {[]step{grant}, "Normal Updated", "workflow_ref/4-" + strings.Repeat("é", 100)},
		"why it is not ready": {[]step{func(topic *v1alpha1.Topic, topics *policiedKind) {
			grant(topic, topics)
			topics.writing = func(iampolicy.Policy) error {
				return status.Error(codes.InvalidArgument, "The policy has a flaw: "+strings.Repeat("é", 500))
			}
		}}, "Warning Invalid", "The policy has a flaw: " + strings.Repeat("é", 470)},
		"break-glass": {
			[]step{breakGlass(strings.Repeat("é", 250)), breakGlass(strings.Repeat("ü", 250))},
			"Warning BreakGlassChanged", "it was \\\"" + strings.Repeat("é", 250),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, topics := policied(t)
			recorder := events.NewFakeRecorder(10)
			r.events = recorder
			key := client.ObjectKey{Namespace: "shop", Name: "orders"}
			var logged strings.Builder
			ctx := log.IntoContext(t.Context(), funcr.New(func(_, line string) { logged.WriteString(line) }, funcr.Options{}))
			for i, do := range append([]step{func(*v1alpha1.Topic, *policiedKind) {}}, tc.steps...) {
				var topic v1alpha1.Topic
				if err := r.client.Get(ctx, key, &topic); err != nil {
					t.Fatal(err)
				}
				topic.Generation = int64(i + 1)
				do(&topic, topics)
				if err := r.client.Update(ctx, &topic); err != nil {
					t.Fatal(err)
				}
				if _, err := r.Reconcile(ctx, reconcile.Request{NamespacedName: key}); err != nil {
					t.Fatal(err)
				}
			}
			var last string
			for len(recorder.Events) > 0 {
				last = <-recorder.Events
			}
			note, told := strings.CutPrefix(last, tc.want+" ")
			if !told || len(note) > longestNote || len(note) < longestNote-3 || !utf8.ValidString(note) || !strings.HasSuffix(note, "…") {
				t.Errorf("an event of %d bytes, want %s and all that there is room for: %s", len(note), tc.want, last)
			}
			if !strings.Contains(logged.String(), tc.ends) {
				t.Errorf("the log lacks %q:\n%s", tc.ends, &logged)
			}
		})
	}
}

func TestLongMessagesOfConditionsAreShortened(t *testing.T) {
	topic := shopTopic()
	setConditions(topic, outcome{reason: v1alpha1.ReasonAwaitingReference, message: strings.Repeat("waits for an account; ", 2000)})
	for _, c := range topic.Status.Conditions {
		if len(c.Message) > longestMessage {
			t.Errorf("%s has a message of %d bytes", c.Type, len(c.Message))
		}
	}
}
