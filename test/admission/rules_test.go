package admission

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func in(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }

func annotate(t *testing.T, user string, obj client.Object, patch string) error {
	t.Helper()
	return asUser(t, user).Patch(ctx, obj, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":`+patch+`}}`)))
}

// TestCreatingWithTheAnnotation: a manifest may come with the glass broken, by those who may break it.
func TestCreatingWithTheAnnotation(t *testing.T) {
	installStamps(t)
	createBucket := func(user, name string) error {
		return asUser(t, user).Create(ctx, &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{
			Namespace: metav1.NamespaceDefault, Name: name, Annotations: map[string]string{glassKey: reason},
		}})
	}
	expectRefusal(t, createBucket(bob, "created-by-bob"), "bob may not change holdfast.dev/break-glass here: the RBAC verb break-glass on buckets.gcp.holdfast.dev is missing. The ClusterRole holdfast-break-glass has it")
	expectRefusal(t, createBucket(gitops, "created-by-flux"), "only a person may")
	if err := createBucket(ada, "created-by-ada"); err != nil {
		t.Fatalf("ada was refused: %v", err)
	}
	var stored v1alpha1.Bucket
	if err := asUser(t, ada).Get(ctx, client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: "created-by-ada"}, &stored); err != nil {
		t.Fatal(err)
	}
	if by := stored.Annotations[byKey]; by != ada {
		t.Errorf("stamped with %q, want ada", by)
	}
}

// TestWhoChangesIsStamped: the name is that of the last person who changed the glass.
func TestWhoChangesIsStamped(t *testing.T) {
	needStamps(t)
	grant(t, "cy", "edit-without-verbs", "holdfast-break-glass")
	obj := prepared(t, "object", broken)
	if err := annotate(t, "cy", obj, `{"holdfast.dev/break-glass": "INC-4711: it takes longer"}`); err != nil {
		t.Fatal(err)
	}
	expectAnnotations(t, obj, map[string]string{glassKey: "INC-4711: it takes longer", byKey: "cy"})
	if err := annotate(t, ada, obj, `{"holdfast.dev/break-glass": null}`); err != nil {
		t.Fatal(err)
	}
	expectAnnotations(t, obj, map[string]string{closedByKey: ada})
	if err := annotate(t, ada, obj, `{"holdfast.dev/break-glass": "INC-4712: once more"}`); err != nil {
		t.Fatal(err)
	}
	expectAnnotations(t, obj, map[string]string{glassKey: "INC-4712: once more", byKey: ada})
}

// TestParameters are what administrators set on the Namespace kube-system. They hold for all, so nothing runs beside it.
func TestParameters(t *testing.T) {
	installStamps(t)
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem}}
	set := func(patch string) {
		t.Helper()
		if err := annotate(t, "", system, patch); err != nil {
			t.Fatalf("setting parameters: %v", err)
		}
	}
	t.Cleanup(func() {
		set(`{"holdfast.dev/break-glass-max": null, "holdfast.dev/break-glass-reason-pattern": null, "holdfast.dev/break-glass-service-accounts": null}`)
	})

	set(`{"holdfast.dev/break-glass-max": "72h", "holdfast.dev/break-glass-reason-pattern": "^INC-[0-9]+:"}`)
	tries := map[string]struct{ patch, refusal string }{
		"no time at all":   {`{"holdfast.dev/break-glass": "INC-1: a good reason"}`, "holdfast.dev/break-glass-until is required and may be at most 72h ahead"},
		"too far ahead":    {`{"holdfast.dev/break-glass": "INC-1: a good reason", "holdfast.dev/break-glass-until": "` + in(73*time.Hour) + `"}`, "may be at most 72h ahead"},
		"another pattern":  {`{"holdfast.dev/break-glass": "because of reasons", "holdfast.dev/break-glass-until": "` + in(time.Hour) + `"}`, "must match ^INC-[0-9]+:"},
		"within the rules": {`{"holdfast.dev/break-glass": "INC-1: a good reason", "holdfast.dev/break-glass-until": "` + in(71*time.Hour) + `"}`, ""},
	}
	eventuallyRefused(t, `{"holdfast.dev/break-glass": "INC-1: a good reason"}`)
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			err := annotate(t, ada, prepared(t, "object", nil), try.patch)
			if try.refusal != "" {
				expectRefusal(t, err, try.refusal)
			} else if err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}

	t.Run("a listed service account", func(t *testing.T) {
		set(`{"holdfast.dev/break-glass-max": null, "holdfast.dev/break-glass-reason-pattern": null, "holdfast.dev/break-glass-service-accounts": "system:serviceaccount:x:y, ` + gitops + `"}`)
		obj := prepared(t, "object", nil)
		if err := poll(func() (bool, error) {
			return annotate(t, gitops, obj, `{"holdfast.dev/break-glass": "INC-1: a good reason"}`) == nil, nil
		}); err != nil {
			t.Fatal("the listed service account is refused")
		}
		expectAnnotations(t, obj, map[string]string{glassKey: "INC-1: a good reason", byKey: gitops})
	})
}

// eventuallyRefused waits until the policies have taken in other parameters.
func eventuallyRefused(t *testing.T, patch string) {
	t.Helper()
	obj := prepared(t, "object", nil)
	if err := poll(func() (bool, error) {
		patched := obj.DeepCopy()
		err := asUser(t, ada).Patch(ctx, patched, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":`+patch+`}}`)), client.DryRunAll)
		return err != nil, nil
	}); err != nil {
		t.Fatal("the parameters are not in force")
	}
}

// TestOperator: the operator may clear away what is left, and nothing else.
func TestOperator(t *testing.T) {
	installStamps(t)
	clearing := `{"holdfast.dev/break-glass": null, "holdfast.dev/break-glass-by": null, "holdfast.dev/break-glass-until": null, "holdfast.dev/break-glass-closed-by": "expired"}`
	ahead := map[string]string{glassKey: reason, byKey: ada, untilKey: in(time.Hour)}
	tries := map[string]struct {
		before  map[string]string
		over    bool // a glass whose time is over is there before
		patch   string
		after   map[string]string
		refused bool
	}{
		"clears who closed it, once that is on record": {before: map[string]string{closedByKey: ada}, patch: `{"holdfast.dev/break-glass-closed-by": null}`, after: map[string]string{}},
		"removes a glass whose time is over":           {over: true, patch: clearing, after: map[string]string{closedByKey: "expired"}},
		"not one whose time is not over":               {before: ahead, patch: clearing, refused: true},
		"not one without a time":                       {before: broken, patch: clearing, refused: true},
		"not by half":                                  {over: true, patch: `{"holdfast.dev/break-glass": null, "holdfast.dev/break-glass-closed-by": "expired"}`, refused: true},
		"does not open":                                {patch: `{"holdfast.dev/break-glass": "INC-1: a good reason"}`, refused: true},
		"does not extend":                              {over: true, patch: `{"holdfast.dev/break-glass-until": "` + in(time.Hour) + `"}`, refused: true},
		"does not approve":                             {patch: `{"holdfast.dev/approve": "0123456789abcdef"}`, refused: true},
		"does not say who closed":                      {over: true, patch: `{"holdfast.dev/break-glass": null, "holdfast.dev/break-glass-by": null, "holdfast.dev/break-glass-until": null, "holdfast.dev/break-glass-closed-by": "eve"}`, refused: true},
		"writes the same again: it co-owns it":         {before: broken, patch: `{"holdfast.dev/break-glass": "` + reason + `", "holdfast.dev/break-glass-by": "ada"}`, after: broken},
	}
	for name, try := range tries {
		for _, scope := range []string{"object", "namespace"} {
			if scope == "namespace" && name == "does not approve" {
				continue
			}
			t.Run(name+"/"+scope, func(t *testing.T) {
				t.Parallel()
				before := try.before
				if try.over {
					before = map[string]string{glassKey: reason, byKey: ada, untilKey: in(2 * time.Second)}
				}
				obj := prepared(t, scope, before)
				if try.over {
					expire(t, before[untilKey])
				}
				err := annotate(t, operator, obj, try.patch)
				if try.refused {
					expectRefusal(t, err, "service account "+operator+" may not change holdfast.dev/")
					return
				}
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				expectAnnotations(t, obj, try.after)
			})
		}
	}
}

// expire waits until a time is over, by the second.
func expire(t *testing.T, until string) {
	t.Helper()
	end, err := time.Parse(time.RFC3339, until)
	if err != nil {
		t.Fatal(err)
	}
	if err := poll(func() (bool, error) { return time.Since(end) > time.Second, nil }); err != nil {
		t.Fatal(err)
	}
}

// TestNamespaceGlassByARoleInTheNamespace: the right to break the glass of one Namespace is granted in it.
func TestNamespaceGlassByARoleInTheNamespace(t *testing.T) {
	installStamps(t)
	obj, other := prepared(t, "namespace", nil), prepared(t, "namespace", nil)
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: obj.GetName(), Name: "fay"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "holdfast-break-glass-namespaces"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "fay"}},
	}
	if err := asUser(t, "").Create(ctx, binding); err != nil {
		t.Fatal(err)
	}
	breaking := `{"holdfast.dev/break-glass": "INC-1: a good reason"}`
	if err := poll(func() (bool, error) { return annotate(t, "fay", obj.DeepCopy(), breaking) == nil, nil }); err != nil {
		t.Error("fay may not break the glass of her Namespace")
	}
	expectRefusal(t, annotate(t, "fay", other, breaking), `cannot patch resource "namespaces"`)
}

// TestWhatIsSaidAfterClosing: who closed the glass stays until it is on record, and hinders no replace and no restore.
func TestWhatIsSaidAfterClosing(t *testing.T) {
	closed := map[string]string{closedByKey: ada}
	restored := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "restored", Annotations: closed}}
	if err := asUser(t, ada).Create(ctx, restored); err != nil {
		t.Errorf("a restore by one with the verb is refused: %v", err)
	}
	restored.Annotations = nil
	if err := asUser(t, ada).Update(ctx, restored); err != nil {
		t.Errorf("a replace by one with the verb is refused: %v", err)
	}
}

// TestSubresourcesOfNamespaces: both carry metadata, so both are guarded.
func TestSubresourcesOfNamespaces(t *testing.T) {
	for _, sub := range []string{"status", "finalize"} {
		for _, patch := range []string{`{"holdfast.dev/break-glass": null, "holdfast.dev/break-glass-by": null}`, `{"holdfast.dev/project-id": "bank-prod"}`} {
			t.Run(sub+" "+patch, func(t *testing.T) {
				obj := prepared(t, "namespace", broken)
				var namespace corev1.Namespace
				if err := asUser(t, bob).Get(ctx, client.ObjectKeyFromObject(obj), &namespace); err != nil {
					t.Fatal(err)
				}
				namespace.Annotations = map[string]string{v1alpha1.ProjectIDAnnotation: "bank-prod"}
				expectRefusal(t, asUser(t, bob).SubResource(sub).Update(ctx, &namespace), "bob may not ")
			})
		}
	}
}

// TestStatusOfOurKindsCarriesNoMetadata: what is written there beside the status is dropped.
func TestStatusOfOurKindsCarriesNoMetadata(t *testing.T) {
	obj := prepared(t, "object", broken)
	patch := `{"metadata":{"annotations":{"holdfast.dev/break-glass": null}}}`
	_ = asUser(t, "").Status().Patch(ctx, obj.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)))
	expectAnnotations(t, obj, broken)
}

// TestReplaceByAClusterAdminServiceAccount: a tool that replaces the whole object by what is in git cannot close the glass.
func TestReplaceByAClusterAdminServiceAccount(t *testing.T) {
	obj := prepared(t, "object", broken)
	replaced := obj.DeepCopy()
	replaced.SetAnnotations(nil)
	replaced.SetManagedFields(nil)
	expectRefusal(t, asUser(t, gitops).Update(ctx, replaced), "only a person may")
	expectAnnotations(t, obj, broken)
	// An apply of what is in git, without the annotation, leaves it alone.
	applied := &unstructured.Unstructured{}
	applied.SetGroupVersionKind(obj.GroupVersionKind())
	applied.SetName(obj.GetName())
	applied.SetNamespace(obj.GetNamespace())
	if err := unstructured.SetNestedField(applied.Object, int64(1200), "spec", "messageRetentionSeconds"); err != nil {
		t.Fatal(err)
	}
	if err := asUser(t, gitops).Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner("kustomize-controller"), client.ForceOwnership); err != nil {
		t.Errorf("an apply that does not touch the glass is refused: %v", err)
	}
	expectAnnotations(t, obj, broken)
}

func TestFinalizerWhileTheGlassIsBroken(t *testing.T) {
	on := func(t *testing.T, objectGlass, namespaceGlass map[string]string) *v1alpha1.Topic {
		t.Helper()
		namespace := prepared(t, "namespace", namespaceGlass)
		topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace.GetName(), Name: "orders", Finalizers: []string{v1alpha1.Finalizer, "example.com/other"}, Annotations: objectGlass,
		}}
		if err := asUser(t, ada).Create(ctx, topic); err != nil {
			t.Fatal(err)
		}
		return topic
	}
	remove := `{"metadata":{"finalizers":["example.com/other"]}}`
	removeOther := `{"metadata":{"finalizers":["` + v1alpha1.Finalizer + `"]}}`
	tries := map[string]struct {
		object, namespace map[string]string
		user, patch       string
		refused           bool
	}{
		"closed":                               {user: bob, patch: remove},
		"broken on the object":                 {object: broken, user: bob, patch: remove, refused: true},
		"broken on the namespace":              {namespace: broken, user: bob, patch: remove, refused: true},
		"by one with the verb":                 {object: broken, user: ada, patch: remove},
		"by the operator":                      {object: broken, user: operator, patch: remove, refused: true},
		"somebody else's finalizer is nothing": {object: broken, user: bob, patch: removeOther},
	}
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			topic := on(t, try.object, try.namespace)
			err := asUser(t, try.user).Patch(ctx, topic, client.RawPatch(types.MergePatchType, []byte(try.patch)))
			if try.refused {
				expectRefusal(t, err, "may not remove holdfast.dev/finalizer while break-glass is active")
			} else if err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

func TestBindingANamespace(t *testing.T) {
	for key, values := range map[string][2]string{
		v1alpha1.ProjectIDAnnotation:                 {"shop-prod", "bank-prod"},
		v1alpha1.AllowedProjectIDsAnnotation:         {"shop-prod", "bank-prod"},
		v1alpha1.ImpersonateServiceAccountAnnotation: {"shop-prod", "bank-prod"},
		v1alpha1.AllowReferencesFromAnnotation:       {"shop-prod", "bank-prod"},
		v1alpha1.AllowAnnotation:                     {v1alpha1.AllowDataLoss, v1alpha1.AllowPolicyOfOwnAccounts},
		v1alpha1.LeastManagementAnnotation:           {"Observe", "Approve"},
		v1alpha1.MaxRemovalsAnnotation:               {"0", "1500"},
	} {
		t.Run(key, func(t *testing.T) {
			obj := prepared(t, "namespace", map[string]string{key: values[0]})
			for _, patch := range []string{`{"` + key + `": "` + values[1] + `"}`, `{"` + key + `": null}`} {
				expectRefusal(t, annotate(t, bob, obj.DeepCopy(), patch), "the RBAC verb bind on namespaces is missing. The ClusterRole holdfast-bind has it")
			}
			create := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: obj.GetName() + "-new", Annotations: map[string]string{key: values[1]}}}
			expectRefusal(t, asUser(t, bob).Create(ctx, create), "bob may not bind namespace "+create.Name)
			if err := annotate(t, ada, obj, `{"`+key+`": "`+values[1]+`"}`); err != nil {
				t.Errorf("ada was refused: %v", err)
			}
		})
	}
	obj := prepared(t, "namespace", map[string]string{v1alpha1.ProjectIDAnnotation: "shop-prod"})
	if err := annotate(t, bob, obj, `{"team": "shop"}`); err != nil {
		t.Errorf("another annotation is refused: %v", err)
	}
}

// TestLimitsOfANamespaceAreChecked: one that means nothing would limit more than was meant, or less.
func TestLimitsOfANamespaceAreChecked(t *testing.T) {
	const least, removals = "holdfast.dev/least-management must be Manage, which limits nothing, Approve or Observe", "holdfast.dev/max-removals must be a number from 0 to 1500"
	for key, tries := range map[string]map[string]string{
		v1alpha1.LeastManagementAnnotation: {"Manage": "", "Approve": "", "Observe": "", "approve": least, "": least, "Approve,Observe": least},
		v1alpha1.MaxRemovalsAnnotation: {
			"0": "", "10": "", "1000": "", "1500": "", "1501": removals, "-1": removals, "": removals, "007": removals, "ten": removals, "9999": removals, "1.5": removals,
		},
	} {
		for value, refusal := range tries {
			t.Run(key+"="+value, func(t *testing.T) {
				err := annotate(t, ada, prepared(t, "namespace", nil), `{"`+key+`": "`+value+`"}`)
				if refusal != "" {
					expectRefusal(t, err, refusal)
				} else if err != nil {
					t.Errorf("refused: %v", err)
				}
			})
		}
	}
}

// TestTheOperatorEndsApprovalsAndGivesNone: it takes off what was used.
func TestTheOperatorEndsApprovalsAndGivesNone(t *testing.T) {
	installStamps(t)
	topic := topicIn(t, map[string]string{approveKey: "0123456789abcdef", approveBy: ada}, nil)
	for name, patch := range map[string]string{
		"gives one":            `{"holdfast.dev/approve": "fedcba9876543210"}`,
		"takes off who it was": `{"holdfast.dev/approve-by": null}`,
		"keeps who it was":     `{"holdfast.dev/approve": null, "holdfast.dev/approve-by": "` + ada + `"}`,
	} {
		if err := annotate(t, operator, topic.DeepCopy(), patch); err == nil {
			t.Errorf("the operator %s", name)
		}
	}
	if err := annotate(t, operator, topic.DeepCopy(), `{"holdfast.dev/approve": null, "holdfast.dev/approve-by": null}`); err != nil {
		t.Errorf("taking an approval off that was used is refused: %v", err)
	}
}

func TestReferencesAreAllowedByName(t *testing.T) {
	const refusal = "holdfast.dev/allow-references-from must list the names of namespaces, separated by commas, such as shop,billing. There is no wildcard; to allow none, remove the annotation"
	longest := strings.Repeat("n", 63)
	tries := map[string]struct{ value, refusal string }{
		"one":                       {value: "shop"},
		"several":                   {value: "shop,billing"},
		"spaces around the names":   {value: " shop, billing-eu "},
		"the longest name":          {value: longest},
		"a wildcard":                {value: "*", refusal: refusal},
		"a wildcard among names":    {value: "shop,*", refusal: refusal},
		"a pattern":                 {value: "shop-*", refusal: refusal},
		"nobody":                    {value: "", refusal: refusal},
		"a comma too many":          {value: "shop,", refusal: refusal},
		"no commas":                 {value: "shop billing", refusal: refusal},
		"upper case":                {value: "Shop", refusal: refusal},
		"a dot":                     {value: "shop.eu", refusal: refusal},
		"a dash at the end":         {value: "shop-", refusal: refusal},
		"a name that is too long":   {value: longest + "n", refusal: refusal},
		"an object for a namespace": {value: "shop/orders", refusal: refusal},
	}
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			obj := prepared(t, "namespace", nil)
			created := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
				Name: obj.GetName() + "-new", Annotations: map[string]string{v1alpha1.AllowReferencesFromAnnotation: try.value},
			}}
			for _, err := range []error{
				annotate(t, ada, obj, `{"`+v1alpha1.AllowReferencesFromAnnotation+`": "`+try.value+`"}`),
				asUser(t, ada).Create(ctx, created),
			} {
				if try.refusal != "" {
					expectRefusal(t, err, try.refusal)
				} else if err != nil {
					t.Errorf("refused: %v", err)
				}
			}
		})
	}
}

// TestNamespacesAreAllowedWhatThereIs: a word that means nothing would make an administrator believe what is not so.
func TestNamespacesAreAllowedWhatThereIs(t *testing.T) {
	const refusal = "holdfast.dev/allow must list permissions, separated by commas, of PolicyOfOwnAccounts, GrantsOverOwnAccounts, GrantsOnAdoptedAccounts and DataLoss"
	tries := map[string]struct{ value, refusal string }{
		"a policy of own accounts":   {value: v1alpha1.AllowPolicyOfOwnAccounts},
		"grants over own accounts":   {value: v1alpha1.AllowGrantsOverOwnAccounts},
		"grants on adopted accounts": {value: v1alpha1.AllowGrantsOnAdoptedAccounts},
		"several, with spaces":       {value: " DataLoss , PolicyOfOwnAccounts "},
		"a word that nobody knows":   {value: "Everything", refusal: refusal},
		"one among known ones":       {value: "DataLoss,Everything", refusal: refusal},
		"lower case":                 {value: "dataloss", refusal: refusal},
		"a wildcard":                 {value: "*", refusal: refusal},
		"nothing":                    {value: "", refusal: refusal},
		"a comma too many":           {value: "DataLoss,", refusal: refusal},
		"no commas":                  {value: "DataLoss PolicyOfOwnAccounts", refusal: refusal},
	}
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			obj := prepared(t, "namespace", nil)
			created := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
				Name: obj.GetName() + "-new", Annotations: map[string]string{v1alpha1.AllowAnnotation: try.value},
			}}
			for _, err := range []error{
				annotate(t, ada, obj, `{"`+v1alpha1.AllowAnnotation+`": "`+try.value+`"}`),
				asUser(t, ada).Create(ctx, created),
			} {
				if try.refusal != "" {
					expectRefusal(t, err, try.refusal)
				} else if err != nil {
					t.Errorf("refused: %v", err)
				}
			}
		})
	}
}

// TestApprovalIsTakenBackByThoseWhoMayApprove guards removing as well as setting.
func TestApprovalIsTakenBackByThoseWhoMayApprove(t *testing.T) {
	installStamps(t)
	obj := prepared(t, "object", map[string]string{approveKey: "0123456789abcdef"})
	expectRefusal(t, annotate(t, bob, obj.DeepCopy(), `{"holdfast.dev/approve": null}`), "the RBAC verb approve on topics.gcp.holdfast.dev is missing. The ClusterRole holdfast-approve has it")
	if err := annotate(t, ada, obj, `{"holdfast.dev/approve": null, "holdfast.dev/approve-by": null}`); err != nil {
		t.Errorf("ada was refused: %v", err)
	}
}

// TestTheShardOfANamespace: who binds a Namespace says which release of the operator is responsible for it, and nobody else.
func TestTheShardOfANamespace(t *testing.T) {
	label := func(user string, obj client.Object, value string) error {
		patch := `{"metadata": {"labels": {"` + v1alpha1.ShardLabel + `": ` + value + `}}}`
		return asUser(t, user).Patch(ctx, obj, client.RawPatch(types.MergePatchType, []byte(patch)))
	}
	const missing = "the RBAC verb bind on namespaces is missing. The ClusterRole holdfast-bind has it"
	obj := prepared(t, "namespace", nil)
	expectRefusal(t, label(bob, obj.DeepCopyObject().(client.Object), `"eu"`), missing)
	create := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: obj.GetName() + "-new", Labels: map[string]string{v1alpha1.ShardLabel: "eu"}}}
	expectRefusal(t, asUser(t, bob).Create(ctx, create), "bob may not bind namespace "+create.Name)
	for value, refusal := range map[string]string{
		`"eu"`: "", `"eu-2"`: "", `""`: "",
		`"EU"`: "must be the --shard of a release of Holdfast", `"eu_1"`: "must be the --shard", `"` + strings.Repeat("x", 41) + `"`: "must be the --shard",
	} {
		err := label(ada, obj.DeepCopyObject().(client.Object), value)
		if refusal != "" {
			expectRefusal(t, err, refusal)
		} else if err != nil {
			t.Errorf("%s is refused: %v", value, err)
		}
	}
	if err := label(ada, obj.DeepCopyObject().(client.Object), `"eu"`); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{`"us"`, `null`} {
		expectRefusal(t, label(bob, obj.DeepCopyObject().(client.Object), value), missing)
	}
	if err := label(ada, obj, `null`); err != nil {
		t.Errorf("ada was refused: %v", err)
	}
}
