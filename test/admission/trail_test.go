package admission

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// trail is what the guards wrote about the requests of somebody to an object, the last first.
func trail(t *testing.T, name, user string) []map[string]string {
	t.Helper()
	events, err := audited(name)
	if err != nil {
		t.Fatal(err)
	}
	var written []map[string]string
	for _, event := range events {
		own := maps.Clone(event.Annotations)
		maps.DeleteFunc(own, func(key, _ string) bool { return !strings.HasPrefix(key, "holdfast-") })
		if event.ImpersonatedUser.Username == user && len(own) > 0 {
			written = append([]map[string]string{own}, written...)
		}
	}
	return written
}

// TestWhatWasDoneStaysInTheAuditLog: deleting and recreating the object takes nothing away of it, and what was refused is in it as well.
func TestWhatWasDoneStaysInTheAuditLog(t *testing.T) {
	installStamps(t)
	account := &v1alpha1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "on-record", Finalizers: []string{v1alpha1.Finalizer}}}
	if err := asUser(t, ada).Create(ctx, account); err != nil {
		t.Fatal(err)
	}
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "on-record-space"}}
	if err := asUser(t, ada).Create(ctx, space); err != nil {
		t.Fatal(err)
	}
	patch := func(user string, obj client.Object, text string) error {
		return asUser(t, user).Patch(ctx, obj.DeepCopyObject().(client.Object), client.RawPatch(types.MergePatchType, []byte(text)))
	}
	status := func(user string) error {
		return asUser(t, user).Status().Patch(ctx, account.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(forged)))
	}
	soon := in(time.Hour)
	steps := []struct {
		name    string
		user    string
		do      func() error
		refused bool
		object  string
		guard   string
		want    map[string]string
	}{
		{"break", ada, func() error { return patch(ada, account, annotations(`"holdfast.dev/break-glass": "`+reason+`"`)) }, false, "on-record", "holdfast-guard-break-glass", map[string]string{"who": ada, "what": "break the glass of serviceaccounts default/on-record", "reason": reason}},
		{"extend", ada, func() error {
			return patch(ada, account, annotations(`"holdfast.dev/break-glass-until": "2998-02-28T00:00:00Z"`))
		}, false, "on-record", "holdfast-guard-break-glass", map[string]string{"who": ada, "what": "change the glass of serviceaccounts default/on-record until 2998-02-28T00:00:00Z", "reason": reason}},
		{"let go", gitops, func() error { return patch(gitops, account, `{"metadata": {"finalizers": null}}`) }, true, "on-record", "holdfast-guard-finalizer", map[string]string{"who": gitops, "what": "remove holdfast.dev/finalizer: serviceaccounts default/on-record", "reason": reason}},
		{"close", gitops, func() error { return patch(gitops, account, annotations(`"holdfast.dev/break-glass": null`)) }, true, "on-record", "holdfast-guard-break-glass", map[string]string{"who": gitops, "what": "close the glass of serviceaccounts default/on-record", "reason": reason}},
		{"close it", ada, func() error { return patch(ada, account, annotations(`"holdfast.dev/break-glass": null`)) }, false, "on-record", "holdfast-guard-break-glass", map[string]string{"who": ada, "what": "close the glass of serviceaccounts default/on-record", "reason": reason}},
		{"approve", ada, func() error { return patch(ada, account, annotations(`"holdfast.dev/approve": "0123456789abcdef"`)) }, false, "on-record", "holdfast-guard-approval", map[string]string{"who": ada, "what": "approve a plan of serviceaccounts default/on-record", "reason": "plan 0123456789abcdef"}},
		{"take it back", ada, func() error {
			return patch(ada, account, annotations(`"holdfast.dev/approve": null, "holdfast.dev/approve-by": null`))
		}, false, "on-record", "holdfast-guard-approval", map[string]string{"who": ada, "what": "take back an approval of serviceaccounts default/on-record", "reason": "plan 0123456789abcdef"}},
		{"grant", bob, func() error {
			return patch(bob, account, `{"spec": {"iam": {"bindings": [{"role": "roles/owner", "members": ["user:bob@example.com"]}]}}}`)
		}, true, "on-record", "holdfast-guard-grants", map[string]string{"who": bob, "what": "change who is granted what: serviceaccounts default/on-record"}},
		{"forge", gitops, func() error { return status(gitops) }, true, "on-record", "holdfast-guard-status", map[string]string{"who": gitops, "what": "write the status of serviceaccounts default/on-record"}},
		{"bind", ada, func() error { return patch(ada, space, annotations(`"holdfast.dev/project-id": "shop-prod"`)) }, false, "on-record-space", "holdfast-guard-binding", map[string]string{"who": ada, "what": "namespace on-record-space: set holdfast.dev/project-id=shop-prod"}},
		{"unbind", bob, func() error { return patch(bob, space, annotations(`"holdfast.dev/project-id": null`)) }, true, "on-record-space", "holdfast-guard-binding", map[string]string{"who": bob, "what": "namespace on-record-space: remove holdfast.dev/project-id"}},
		{"let destroy", ada, func() error {
			return patch(ada, space, annotations(`"holdfast.dev/allow-destructive-until": "`+soon+`"`))
		}, false, "on-record-space", "holdfast-guard-destructive", map[string]string{"who": ada, "what": "let namespace on-record-space destroy whatever it is told to, until " + soon}},
	}
	guards := map[string]bool{}
	for _, step := range steps {
		guards[step.guard] = true
		if err := step.do(); (err != nil) != step.refused {
			t.Errorf("%s: %v", step.name, err)
		}
		want := map[string]string{}
		for key, value := range step.want {
			want[step.guard+"/"+key] = value
		}
		var got map[string]string
		if err := poll(func() (bool, error) {
			if written := trail(t, step.object, step.user); len(written) > 0 {
				got = written[0]
			}
			return cmp.Equal(want, got), nil
		}); err != nil {
			t.Errorf("%s (-want +got):\n%s", step.name, cmp.Diff(want, got))
		}
	}
	for _, guard := range guardNames(t) {
		if !guards[guard] {
			t.Errorf("nothing is tried that %s writes about", guard)
		}
	}
}

// guardNames are the policies that guard what people do.
func guardNames(t *testing.T) (names []string) {
	t.Helper()
	for _, file := range installed.Guards {
		objects, err := installed.Objects("admission", file)
		if err != nil {
			t.Fatal(err)
		}
		for _, obj := range objects {
			if obj.GetKind() == "ValidatingAdmissionPolicy" && strings.HasPrefix(obj.GetName(), "holdfast-guard-") {
				names = append(names, obj.GetName())
			}
		}
	}
	if len(names) == 0 {
		t.Fatal(errors.New("no guards"))
	}
	return names
}
