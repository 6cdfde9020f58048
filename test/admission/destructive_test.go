package admission

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	destroyKey = v1alpha1.AllowDestructiveUntilAnnotation
	destroyBy  = v1alpha1.AllowDestructiveByAnnotation
)

// TestWhoLetsBeDestroyed what a namespace does not bear, with the stamps and without: people who hold the verb, under their own names, and for a day at most.
func TestWhoLetsBeDestroyed(t *testing.T) {
	const carol = "carol" // holds the verb and nothing else
	grant(t, carol, "holdfast-allow-destructive")
	soon, later := in(time.Hour), in(23*time.Hour)
	quoted := func(text string) string { return `"` + text + `"` }
	setting := func(until, by string) string {
		patch := `{"` + destroyKey + `": ` + until
		if by != "" {
			patch += `, "` + destroyBy + `": ` + by
		}
		return patch + `}`
	}
	for name, stamped := range map[string]bool{"stamped": true, "before 1.36": false} {
		t.Run(name, func(t *testing.T) {
			if stamped {
				installStamps(t)
			} else {
				removeStamps(t)
			}
			// own is what who sets it has to write beside the time.
			own := func(user string) string {
				if stamped {
					return ""
				}
				return quoted(user)
			}
			allowed := map[string]string{destroyKey: soon, destroyBy: ada}
			ended := setting("null", "null")
			for what, try := range map[string]struct {
				before  map[string]string
				user    string
				patch   string
				after   map[string]string
				refusal string
			}{
				"somebody with every verb":      {user: ada, patch: setting(quoted(soon), own(ada)), after: allowed},
				"somebody with this verb alone": {user: carol, patch: setting(quoted(soon), own(carol)), after: map[string]string{destroyKey: soon, destroyBy: carol}},
				"extends it":                    {before: allowed, user: carol, patch: setting(quoted(later), own(carol)), after: map[string]string{destroyKey: later, destroyBy: carol}},
				"ends it":                       {before: allowed, user: carol, patch: ended, after: map[string]string{}},
				"an editor":                     {user: bob, patch: setting(quoted(soon), own(bob)), refusal: "the RBAC verb allow-destructive on namespaces is missing"},
				"an editor ends it":             {before: allowed, user: bob, patch: ended, refusal: "the RBAC verb allow-destructive on namespaces is missing"},
				"a tool that is cluster-admin":  {user: gitops, patch: setting(quoted(soon), quoted(gitops)), refusal: "only a person may"},
				"a tool, in somebody's name":    {user: gitops, patch: setting(quoted(soon), quoted(ada)), refusal: "only a person may"},
				"a tool extends it":             {before: allowed, user: gitops, patch: setting(quoted(later), ""), refusal: "only a person may"},
				"a tool ends it":                {before: allowed, user: gitops, patch: ended, refusal: "only a person may"},
				"the operator":                  {user: operator, patch: setting(quoted(soon), quoted(operator)), refusal: "only a person may"},
				"the operator extends it":       {before: allowed, user: operator, patch: setting(quoted(later), ""), refusal: "only a person may"},
				"the operator ends it":          {before: allowed, user: operator, patch: ended, after: map[string]string{}},
				"in somebody else's name":       {user: carol, patch: setting(quoted(soon), quoted(ada)), refusal: "must be your own name, carol"},
				"in another name, afterwards":   {before: allowed, user: carol, patch: `{"` + destroyBy + `": "carol"}`, refusal: "cannot be changed or removed on its own"},
				"in nobody's name, afterwards":  {before: allowed, user: carol, patch: `{"` + destroyBy + `": null}`, refusal: "cannot be changed or removed on its own"},
				"for more than a day":           {user: ada, patch: setting(quoted(in(25*time.Hour)), own(ada)), refusal: "must be within the next 24 hours"},
				"until a moment ago":            {user: ada, patch: setting(quoted(in(-time.Minute)), own(ada)), refusal: "must be within the next 24 hours"},
				"until some day":                {user: ada, patch: setting(quoted("tomorrow"), own(ada)), refusal: "must be a time in RFC 3339"},
				"until an empty string":         {user: ada, patch: setting(`""`, own(ada)), refusal: "must be a time in RFC 3339"},
				"something else beside it":      {user: carol, patch: `{"` + destroyKey + `": "` + soon + `", "` + destroyBy + `": "carol", "team": "bank"}`, refusal: "carol may change only the annotations"},
				"a binding":                     {user: carol, patch: `{"holdfast.dev/project-id": "bank-prod"}`, refusal: "the RBAC verb bind on namespaces is missing"},
			} {
				t.Run(what, func(t *testing.T) {
					obj := prepared(t, "namespace", try.before)
					err := annotate(t, try.user, obj, try.patch)
					if try.refusal != "" {
						expectRefusal(t, err, try.refusal)
						return
					}
					if err != nil {
						t.Fatalf("refused: %v", err)
					}
					expectAnnotations(t, obj, try.after)
				})
			}
			created := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
				GenerateName: "allowing-", Annotations: map[string]string{destroyKey: in(25 * time.Hour), destroyBy: ada},
			}}
			expectRefusal(t, asUser(t, ada).Create(ctx, created), "must be within the next 24 hours")
		})
	}
}

// TestNoToolWritesTheRecordOfTheBreaker, also one that is cluster-admin. People may: they begin anew where it is damaged.
func TestNoToolWritesTheRecordOfTheBreaker(t *testing.T) {
	home := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "holdfast-system"}}
	if err := client.IgnoreAlreadyExists(asUser(t, "").Create(ctx, home)); err != nil {
		t.Fatal(err)
	}
	bind(t, home.Name, operator, "edit")
	made := func(name string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: home.Name, Name: name}}
	}
	for _, name := range []string{"holdfast-breaker", "holdfast-breaker-eu"} {
		expectRefusal(t, asUser(t, gitops).Create(ctx, made(name)), "only Holdfast does, and a person")
		if err := asUser(t, operator).Create(ctx, made(name)); err != nil {
			t.Fatalf("the operator: %v", err)
		}
		patch := client.RawPatch(types.MergePatchType, []byte(`{"data": {"record": "{}"}}`))
		expectRefusal(t, asUser(t, gitops).Patch(ctx, made(name), patch), "only Holdfast does, and a person")
		expectRefusal(t, asUser(t, gitops).Delete(ctx, made(name)), "only Holdfast does, and a person")
		if err := asUser(t, operator).Patch(ctx, made(name), patch); err != nil {
			t.Errorf("the operator: %v", err)
		}
		if err := asUser(t, "").Delete(ctx, made(name)); err != nil {
			t.Errorf("an administrator: %v", err)
		}
	}
	other := made("another")
	if err := asUser(t, gitops).Create(ctx, other); err != nil {
		t.Errorf("another ConfigMap is refused: %v", err)
	}
}
