package plugin

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/preview"
	"github.com/holdfast-dev/holdfast/internal/preview/render"
)

// TestTheOperatorWritesWhatWasPlanned: whatever the manifests say, and whatever was there before, what the operator writes once they are applied
// is what was planned, resource by resource: creates, updates, IAM policies, deletions. What was on hold is written once the hash that was planned
// is approved. And once it has written, nothing is left to plan.
func TestTheOperatorWritesWhatWasPlanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "property")
	w.start()
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		p := &prophecy{world: w, n: n, live: map[string]v1alpha1.Object{}, files: map[string]v1alpha1.Object{}}
		defer p.forget()
		p.makeWorld(r)
		for range rapid.IntRange(1, 3).Draw(r, "rounds") {
			p.edit(r)
			p.round(r)
		}
		p.leave(r)
	})
}

// prophecy is what is planned for some manifests, and what becomes of it.
type prophecy struct {
	*world

	n int
	// files are the manifests as they are to be, and live as they were applied last, by KIND/NAME.
	files, live map[string]v1alpha1.Object
}

func (p *prophecy) id(name string) string { return fmt.Sprintf("property-%s-%d", name, p.n) }

// The values that are drawn.
var (
	someLabels  = rapid.MapOfN(rapid.SampledFrom([]string{"team", "tier"}), rapid.SampledFrom([]string{"a", "b"}), 0, 2)
	managements = rapid.SampledFrom([]v1alpha1.Management{v1alpha1.ManagementManage, v1alpha1.ManagementManage, v1alpha1.ManagementApprove, v1alpha1.ManagementObserve})
	adoptions   = rapid.SampledFrom([]v1alpha1.Adoption{v1alpha1.AdoptionIfMatches, v1alpha1.AdoptionAlways, v1alpha1.AdoptionNever})
	deletions   = rapid.SampledFrom([]v1alpha1.DeletionPolicy{v1alpha1.DeletionOrphan, v1alpha1.DeletionDelete})
	modes       = rapid.SampledFrom([]v1alpha1.IAMMode{v1alpha1.IAMAdditive, v1alpha1.IAMAuthoritativeRoles, v1alpha1.IAMAuthoritative})
	members     = rapid.SliceOfNDistinct(rapid.SampledFrom([]v1alpha1.IAMMember{"user:ada@example.com", "user:bob@example.com"}), 1, 2, rapid.ID)
)

// makeWorld has some of the resources be there already, by somebody else's hand.
func (p *prophecy) makeWorld(r *rapid.T) {
	for _, obj := range p.draw(r) {
		if rapid.Bool().Draw(r, "exists") {
			*obj.GetCommonSpec() = v1alpha1.CommonSpec{}
			p.exists(obj, p.project)
		}
	}
}

// edit draws the manifests anew, and lets somebody use the console.
func (p *prophecy) edit(r *rapid.T) {
	for _, obj := range p.draw(r) {
		key := keyOf(obj)
		if rapid.IntRange(0, 3).Draw(r, "edited") > 0 || p.files[key] == nil {
			p.files[key] = obj
		}
	}
	p.console(r)
}

// console lets somebody change in the console what is there.
func (p *prophecy) console(r *rapid.T) {
	topic, account := "projects/"+p.project+"/topics/"+p.id("topic"), fmt.Sprintf("property-%d@%s.iam.gserviceaccount.com", p.n, p.project)
	grant := func(role string) func(*iampb.Policy) {
		return func(policy *iampb.Policy) {
			policy.Bindings = append(policy.Bindings, &iampb.Binding{Role: role, Members: []string{"user:eve@example.com"}})
		}
	}
	for _, edit := range []struct {
		of string
		do func() error
	}{
		{"topic", func() error {
			return p.cloud.PubSub.EditTopic(topic, func(live *pubsubpb.Topic) { live.Labels = map[string]string{"console": "x", "team": "z"} })
		}},
		{"policy of the topic", func() error { return p.cloud.PubSub.EditPolicy(topic, grant("roles/pubsub.viewer")) }},
		{"bucket", func() error {
			return p.cloud.Storage.EditBucket(p.id("bucket"), map[string]any{"labels": map[string]any{"console": "x", "team": "z"}})
		}},
		{"policy of the bucket", func() error { return p.cloud.Storage.EditPolicy(p.id("bucket"), grant("roles/storage.objectViewer")) }},
		{"account", func() error {
			return p.cloud.IAM.EditAccount(account, func(live *adminpb.ServiceAccount) { live.Description, live.Disabled = "console", true })
		}},
		{"policy of the project", func() error { return p.cloud.ResourceManager.EditPolicy(p.project, grant("roles/browser")) }},
	} {
		if rapid.IntRange(0, 3).Draw(r, "console: "+edit.of) == 0 {
			_ = edit.do() // it may not be there
		}
	}
}

// draw draws a manifest of each kind.
func (p *prophecy) draw(r *rapid.T) []v1alpha1.Object {
	labels := func() v1alpha1.Labels {
		var out v1alpha1.Labels
		for key, value := range someLabels.Draw(r, "labels") {
			if out == nil {
				out = v1alpha1.Labels{}
			}
			out[key] = v1alpha1.LabelValue(value)
		}
		return out
	}
	bucket := &v1alpha1.Bucket{ObjectMeta: named(p.id("bucket")), Spec: v1alpha1.BucketSpec{Labels: labels(), IAM: p.policy(r, "roles/storage.objectViewer")}}
	if rapid.Bool().Draw(r, "versioning") {
		bucket.Spec.Versioning = &v1alpha1.Versioning{Enabled: new(rapid.Bool().Draw(r, "enabled"))}
	}
	topic := &v1alpha1.Topic{ObjectMeta: named(p.id("topic")), Spec: v1alpha1.TopicSpec{Labels: labels(), IAM: p.policy(r, "roles/pubsub.viewer")}}
	if rapid.Bool().Draw(r, "retention") {
		topic.Spec.MessageRetentionSeconds = new(rapid.SampledFrom([]int64{600, 1200}).Draw(r, "seconds"))
	}
	account := &v1alpha1.ServiceAccount{ObjectMeta: named(fmt.Sprintf("property-%d", p.n))}
	account.Spec.Description = rapid.SampledFrom([]*string{nil, new("a"), new("b")}).Draw(r, "description")
	account.Spec.Disabled = rapid.SampledFrom([]*bool{nil, new(true), new(false)}).Draw(r, "disabled")
	policy := &v1alpha1.ProjectPolicy{ObjectMeta: named(p.id("policy"))}
	policy.Spec.Bindings = []v1alpha1.IAMBinding{{Role: "roles/browser", Members: members.Draw(r, "members")}}
	policy.Spec.Mode = rapid.SampledFrom([]v1alpha1.IAMMode{v1alpha1.IAMAdditive, v1alpha1.IAMAuthoritativeRoles}).Draw(r, "mode")
	out := []v1alpha1.Object{bucket, topic, account, policy}
	for _, obj := range out {
		obj.SetNamespace(p.namespace)
		spec := obj.GetCommonSpec()
		spec.Management, spec.Adoption, spec.DeletionPolicy = managements.Draw(r, "management"), adoptions.Draw(r, "adoption"), deletions.Draw(r, "deletion")
	}
	return out
}

// policy draws an IAM policy with a role, or none.
func (p *prophecy) policy(r *rapid.T, role string) *v1alpha1.IAMPolicy {
	if rapid.IntRange(0, 2).Draw(r, "iam") == 0 {
		return nil
	}
	binding := v1alpha1.IAMBinding{Role: role, Members: members.Draw(r, "members")}
	if rapid.Bool().Draw(r, "refers") {
		binding.ServiceAccountRefs = []v1alpha1.ServiceAccountRef{{Name: fmt.Sprintf("property-%d", p.n)}}
	}
	return &v1alpha1.IAMPolicy{Mode: modes.Draw(r, "iam mode"), Bindings: []v1alpha1.IAMBinding{binding}}
}

func keyOf(obj v1alpha1.Object) string { return fmt.Sprintf("%T/%s", obj, obj.GetName()) }

// round plans, applies, and compares what was written with what was planned.
func (p *prophecy) round(r *rapid.T) {
	p.writeFiles("files", p.files)
	planned := p.planned("-f", "files")
	refused := map[string]bool{}
	for _, problem := range planned.Problems {
		refused[problem.Kind+"/"+problem.Name] = true
	}
	mark := p.cloud.Traffic.Mark()
	for _, key := range slices.Sorted(maps.Keys(p.files)) {
		p.apply(key, refused)
	}
	p.settle()
	p.expect(r, mark, planned, "applied")
	p.expectNothingLeft(planned)
	p.approve(r)
}

func (p *prophecy) writeFiles(folder string, objects map[string]v1alpha1.Object) {
	p.t.Helper()
	var all []string
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		obj := objects[key].DeepCopyObject().(v1alpha1.Object)
		of, _, err := scheme.ObjectKinds(obj)
		p.must(err)
		obj.GetObjectKind().SetGroupVersionKind(of[0])
		text, err := yaml.Marshal(obj)
		p.must(err)
		all = append(all, string(text))
	}
	p.write(folder+"/all.yaml", strings.Join(all, "---\n"))
}

// apply brings a manifest into the cluster. The API server refuses those that the plan said it would.
func (p *prophecy) apply(key string, refused map[string]bool) {
	p.t.Helper()
	file := p.files[key].DeepCopyObject().(v1alpha1.Object)
	var err error
	if live := p.live[key]; live == nil {
		err = p.kube.Create(p.t.Context(), file)
	} else {
		p.get(live)
		file.SetAnnotations(live.GetAnnotations())
		file.SetFinalizers(live.GetFinalizers())
		file.SetResourceVersion(live.GetResourceVersion())
		err = p.kube.Update(p.t.Context(), file)
		if apierrors.IsConflict(err) { // with the operator, which has added something
			p.apply(key, refused)
			return
		}
	}
	of, _, failed := scheme.ObjectKinds(file)
	p.must(failed)
	name := of[0].Kind + "/" + file.GetName()
	switch {
	case refused[name] && err == nil:
		p.t.Fatalf("%s was to be refused", name)
	case refused[name] && p.live[key] == nil:
		delete(p.files, key)
	case refused[name]:
		p.files[key] = p.live[key]
	case err != nil:
		p.t.Fatalf("applying %s: %v", name, err)
	default:
		p.live[key] = file
	}
}

// settle has the operator look at all, twice: what others wait for comes first.
func (p *prophecy) settle() {
	p.t.Helper()
	for range 2 {
		for _, obj := range p.live {
			stamp := time.Now().Format(time.RFC3339Nano)
			p.annotate(obj, v1alpha1.ReconcileRequestedAtAnnotation, stamp)
			p.eventually(obj.GetName()+" to be reconciled on request", func() (bool, string) {
				p.get(obj)
				status := obj.GetCommonStatus()
				return status.LastHandledReconcileAt == stamp && status.ObservedGeneration == obj.GetGeneration(), describe(obj)
			})
		}
	}
}

func (p *prophecy) annotate(obj v1alpha1.Object, key, value string) {
	p.t.Helper()
	p.get(obj)
	before := obj.DeepCopyObject().(v1alpha1.Object)
	annotations := maps.Clone(obj.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	obj.SetAnnotations(annotations)
	p.must(p.kube.Patch(p.t.Context(), obj, client.MergeFrom(before)))
}

// expect compares the writes since a mark with those of a plan.
func (p *prophecy) expect(r *rapid.T, mark int64, planned render.Document, what string) {
	p.t.Helper()
	want := map[string]bool{}
	for _, resource := range planned.Resources {
		for _, step := range stepsOf(resource) {
			want[step] = true
		}
	}
	got := p.stepsSince(mark)
	for _, resource := range planned.Resources {
		if untold(resource) {
			delete(want, resource.Name+" policy")
			delete(got, resource.Name+" policy")
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		text, _ := planned.JSON()
		r.Fatalf("%s: what was written is not what was planned (-planned +written):\n%s\n%s", what, d, text)
	}
}

// untold says whether the plan said that it cannot know what becomes of the IAM policy.
func untold(r render.Resource) bool {
	return slices.Contains(r.Unknowns, preview.GapBorn) || slices.Contains(r.Unknowns, preview.GapAwaits)
}

// stepsSince are the steps that were carried out since a mark.
func (p *prophecy) stepsSince(mark int64) map[string]bool {
	out := map[string]bool{}
	for _, entry := range p.cloud.Traffic.WritesSince(mark) {
		if entry.Status/100 != http.StatusOK/100 { // a bucket that is deleted is answered with another success
			continue
		}
		method, step := strings.ToLower(entry.Method), "update"
		switch {
		case strings.Contains(method, "setiampolicy"):
			step = "policy"
		case strings.Contains(method, "insert"), strings.Contains(method, "create"):
			step = "create"
		case strings.Contains(method, "delete") && !strings.Contains(method, "undelete"):
			step = "delete"
		}
		resource := entry.Resource
		switch {
		case entry.Service == "resourcemanager":
			resource = entry.Project
		case resource == "": // of a bucket that is created the body has the name
			var body struct{ Name string }
			p.must(json.Unmarshal([]byte(entry.Request), &body))
			resource = body.Name
		}
		out[resource+" "+step] = true
	}
	return out
}

// stepsOf are the steps that a plan says would be carried out.
func stepsOf(r render.Resource) []string {
	resource, policy, fields := r.Name, false, false
	if r.Kind == "ProjectPolicy" {
		resource = r.Project
	}
	for _, c := range r.Changes {
		ofPolicy := r.Kind == "ProjectPolicy" || strings.HasPrefix(c.Path, "spec.iam.")
		policy, fields = policy || ofPolicy, fields || !ofPolicy
	}
	var out []string
	switch r.Effect {
	case preview.Create:
		out = append(out, resource+" create")
		if r.Kind == "ServiceAccount" && disables(r) {
			out = append(out, resource+" update")
		}
	case preview.Update:
		if fields {
			out = append(out, resource+" update")
		}
	case preview.Delete:
		return []string{resource + " delete"}
	case preview.Orphan:
		if strings.Contains(r.Message, "its ownership labels are removed") {
			return []string{resource + " update"}
		}
		return nil
	case preview.Revoke:
		return []string{resource + " policy"}
	default:
		return nil
	}
	if policy {
		out = append(out, resource+" policy")
	}
	return out
}

// disables says whether an account is created disabled, which takes a call more.
func disables(r render.Resource) bool {
	return slices.ContainsFunc(r.Changes, func(c render.Change) bool { return c.Path == "spec.disabled" && string(c.To) == "true" })
}

// expectNothingLeft: what was planned and applied leaves nothing to plan.
func (p *prophecy) expectNothingLeft(before render.Document) {
	p.t.Helper()
	p.writeFiles("files", p.files)
	was := map[string]preview.Effect{}
	for _, r := range before.Resources {
		if !untold(r) {
			was[r.Kind+r.Name] = r.Effect
		}
	}
	for _, r := range p.planned("-f", "files").Resources {
		switch was[r.Kind+r.Name] {
		case preview.Create, preview.Update, preview.Adopt, preview.Nothing:
			if r.Effect != preview.Nothing {
				p.t.Fatalf("%s %s was %q, and is %q once that is applied: %s %v", r.Kind, r.Name, was[r.Kind+r.Name], r.Effect, r.Message, r.Changes)
			}
		}
	}
}

// approve approves some of what is on hold, each by the hash that is planned then, and expects that to be written.
func (p *prophecy) approve(r *rapid.T) {
	p.t.Helper()
	asked := map[string]bool{}
	for {
		planned := p.planned("-f", "files").Resources
		i := slices.IndexFunc(planned, func(resource render.Resource) bool {
			return resource.Hold != nil && resource.Hold.Hash != "" && !asked[resource.Kind+resource.Name] && p.liveOf(resource) != nil
		})
		if i < 0 {
			return
		}
		resource := planned[i]
		asked[resource.Kind+resource.Name] = true
		if rapid.Bool().Draw(r, "approved") {
			p.expectApproved(r, resource)
		}
	}
}

// expectApproved approves the hash that was planned, and expects what was planned to be written.
func (p *prophecy) expectApproved(r *rapid.T, resource render.Resource) {
	p.t.Helper()
	obj := p.liveOf(resource)
	mark := p.cloud.Traffic.Mark()
	p.annotate(obj, v1alpha1.ApproveAnnotation, resource.Hold.Hash)
	p.settle()
	resource.Effect = preview.Update
	if slices.ContainsFunc(resource.Changes, func(c render.Change) bool { return c.Path == plan.WholeResource && c.From == nil }) {
		resource.Effect = preview.Create
	}
	got := p.stepsSince(mark)
	for _, step := range stepsOf(resource) {
		if !got[step] && !untold(resource) {
			r.Fatalf("the hash of %s %s was approved, and %s did not follow: %v\n%s", resource.Kind, resource.Name, step, got, describe(obj))
		}
	}
}

func (p *prophecy) liveOf(r render.Resource) v1alpha1.Object {
	for _, obj := range p.live {
		if of, _, err := scheme.ObjectKinds(obj); err == nil && of[0].Kind == r.Kind && obj.GetName() == r.Name {
			return obj
		}
	}
	return nil
}

// leave has all manifests leave, as a change of the files, and compares what is written then with what was planned of the change.
func (p *prophecy) leave(r *rapid.T) {
	p.t.Helper()
	p.writeFiles("before", p.live)
	p.write("after/none.yaml", "")
	planned := p.planned("-f", "after", "--against", "before")
	mark := p.cloud.Traffic.Mark()
	for _, resource := range planned.Resources {
		if resource.Effect == preview.OnHold || resource.Effect == preview.Refused { // until a person decides, and here a person lets it go
			p.observe(p.liveOf(resource))
		}
	}
	for _, obj := range p.live {
		p.must(p.kube.Delete(p.t.Context(), obj))
	}
	for _, obj := range p.live {
		p.eventually(obj.GetName()+" to be gone", func() (bool, string) {
			err := p.read(obj)
			return apierrors.IsNotFound(err), describe(obj)
		})
	}
	p.live = map[string]v1alpha1.Object{}
	p.expect(r, mark, planned, "left")
}

// forget has everything go that is left, so that the next story begins anew.
func (p *prophecy) forget() {
	for _, obj := range p.live {
		if p.read(obj) == nil {
			p.observe(obj)
			p.must(p.kube.Delete(p.t.Context(), obj))
		}
	}
}

// observe has a manifest write nothing any more.
func (p *prophecy) observe(obj v1alpha1.Object) {
	p.t.Helper()
	p.get(obj)
	before := obj.DeepCopyObject().(v1alpha1.Object)
	obj.GetCommonSpec().Management = v1alpha1.ManagementObserve
	p.must(p.kube.Patch(p.t.Context(), obj, client.MergeFrom(before)))
}
