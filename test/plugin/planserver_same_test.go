package plugin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// same has what there is, in the cluster and in Google Cloud, for plans of every sort, by repositories of these ids.
func same(t *testing.T, repositories []string) *served {
	t.Helper()
	s := serve(t, "served-same")
	denied := &corev1.Namespace{ObjectMeta: named("served-same-denied")}
	s.makeNamespace(denied.Name, map[string]string{v1alpha1.ProjectIDAnnotation: "served-same-denied-prod"})
	edit(s.world, denied, func(n *corev1.Namespace) { n.Labels[v1alpha1.ShardLabel] = s.namespace })
	s.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Project: "served-same-denied-prod"}, Status: http.StatusForbidden})
	for _, repository := range repositories {
		for _, namespace := range []string{s.namespace, denied.Name} {
			s.allowIn(namespace, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "ci:" + repository})
		}
	}
	s.exists(&v1alpha1.Topic{ObjectMeta: named("there")}, s.project)
	team := v1alpha1.Labels{"team": "a", "stage": "prod"}
	ada := []v1alpha1.IAMMember{"user:ada@example.com"}
	granting := &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{Role: "roles/pubsub.viewer", Members: ada}}}
	going := v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}
	for _, obj := range []v1alpha1.Object{
		&v1alpha1.Bucket{ObjectMeta: named("served-same-logs"), Spec: v1alpha1.BucketSpec{Location: "EU", Labels: team}},
		&v1alpha1.Topic{ObjectMeta: named("steady"), Spec: v1alpha1.TopicSpec{Labels: team}},
		&v1alpha1.Topic{ObjectMeta: named("goes"), Spec: v1alpha1.TopicSpec{CommonSpec: going, IAM: granting}},
		&v1alpha1.Topic{ObjectMeta: named("stays"), Spec: v1alpha1.TopicSpec{IAM: granting}},
		&v1alpha1.ProjectPolicy{ObjectMeta: named("team"), Spec: v1alpha1.ProjectPolicySpec{
			CommonSpec: going, IAMPolicy: v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{Role: "roles/browser", Members: ada}}},
		}},
	} {
		s.create(obj)
		s.ready(obj)
	}
	return s
}

// TestTheServersPlanIsThePluginsOwn: of the same manifests in the same state, with the same exit code, once by the manager for somebody without
// credentials and once by the plugin with all of them. All formats are compared once, and otherwise the one that the others are made of.
func TestTheServersPlanIsThePluginsOwn(t *testing.T) {
	t.Parallel()
	manifest := func(of, name, spec string) string {
		namespace, name, there := strings.Cut(name, "/")
		if !there {
			namespace, name = "served-same", namespace
		}
		return fmt.Sprintf("---\napiVersion: gcp.holdfast.dev/v1alpha1\nkind: %s\nmetadata: {name: %s, namespace: %s}\nspec: {%s}\n", of, name, namespace, spec)
	}
	topic := func(name, spec string) string { return manifest("Topic", name, spec) }
	const labels, grants = "labels: {team: a, stage: prod}", `iam: {bindings: [{role: roles/pubsub.viewer, members: ["user:ada@example.com"]}]}`
	steady := topic("steady", labels)
	const everyFormat = "changes"
	cases := map[string]struct {
		after, before string // empty for no --against
		code          int
		says          string // at the end of the text
	}{
		"nothing to do": {after: steady, says: "1 unchanged\n"},
		"to adopt":      {after: topic("there", ""), says: "1 to adopt\n"},
		everyFormat: {
			after: manifest("Bucket", "served-same-logs", "location: EU, labels: {team: b}, "+
				"lifecycle: {rules: [{action: {type: Delete}, condition: {age: 3}}]}") +
				manifest("ServiceAccount", "writer", "") +
				topic("orders", "iam: {bindings: [{role: roles/pubsub.publisher, serviceAccountRefs: [{name: writer}]}]}") +
				manifest("ProjectPolicy", "roles", `bindings: [{role: roles/logging.logWriter, members: ["user:ada@example.com"]}]`),
			code: 2, says: "2 to create, 1 to update, 1 on hold\n",
		},
		"on hold":            {after: topic("there", "labels: {a: b}"), code: 2, says: "1 on hold\n"},
		"refused":            {after: topic("there", "adoption: Never"), code: 1, says: "1 refused\n"},
		"not valid":          {after: topic("there", "labls: {a: b}"), code: 1, says: "1 not valid\n"},
		"not valid in place": {after: topic("steady", "resourceID: other") + topic("new", ""), code: 1, says: "1 to create, 1 not valid\n"},
		"no YAML":            {after: "\tx\n", code: 1, says: "1 not valid\n"},
		"a look that failed": {after: topic("served-same-denied/unseen", ""), code: 1, says: "1 unknown\n"},
		"a deletion":         {after: steady, before: steady + topic("goes", "deletionPolicy: Delete, "+grants), code: 2, says: "1 to delete\n"},
		"a deletion that is not what was said": {
			after: steady, before: topic("goes", "resourceID: other") + steady + topic("never", ""), code: 2, says: "1 to delete\n",
		},
		"all that leaves": {
			after: "# nothing\n", before: topic("stays", grants) + manifest("ProjectPolicy", "team", "bindings: []"),
			code: 2, says: "1 to orphan, 1 to revoke\n",
		},
		"a reset and a revocation": {
			after: topic("stays", "") + topic("steady", "labels: {team: a}"), before: topic("stays", grants) + steady, code: 2, says: "2 to update\n",
		},
		"no change":      {after: steady + topic("new", ""), before: steady + topic("new", ""), says: "no manifests\n"},
		"nothing at all": {after: "# nothing\n", before: "# nothing\n", says: "no manifests\n"},
		"a refusal and what was not valid before": {
			after: topic("there", "adoption: Never"), before: topic("there", "labls: {a: b}"), code: 1, says: "1 refused\n",
		},
		"what is not valid any more does not leave": {after: topic("goes", "labls: {a: b}"), before: topic("goes", ""), code: 1, says: "1 not valid\n"},
	}
	// Whom Google denies something differs, and is said.
	account := strings.NewReplacer("the account that this plan is made as", "ACCOUNT", "Holdfast's service account", "ACCOUNT")
	s := same(t, slices.Collect(maps.Keys(cases))) // a caller for each, of whom none asks too often
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			token := s.issuer.Token(t, map[string]any{"repository_id": name})
			folder := strings.ReplaceAll(name, " ", "-")
			args := []string{"-f", folder + "/after"}
			s.write(folder+"/after/all.yaml", tc.after)
			if tc.before != "" {
				s.write(folder+"/before/all.yaml", tc.before)
				args = append(args, "--against", folder+"/before")
			}
			for _, format := range []string{"json", "text", "markdown"} {
				own := s.world.plan(append(args, "-o", format)...)
				if own.code != tc.code || format == "text" && !strings.HasSuffix(own.stdout, tc.says) {
					t.Errorf("%s ended with %d: %s", format, own.code, own.stdout+own.stderr)
				}
				if format == "text" && name != everyFormat {
					break
				}
				theirs := s.pipeline(token, append(args, "-o", format)...)
				own.stdout, theirs.stdout = account.Replace(own.stdout), account.Replace(theirs.stdout)
				if diff := cmp.Diff(own, theirs, cmp.AllowUnexported(result{})); diff != "" {
					t.Errorf("%s (-plugin +server):\n%s", format, diff)
				}
			}
		})
	}
}
