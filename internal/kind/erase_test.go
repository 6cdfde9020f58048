package kind

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// source is a topic as a client has it: with an etag, which no manifest has.
type source struct {
	retention int64
	etag      int
}

// plain is a kind with fields alone. It answers with the error, if there is one.
type plain struct {
	err error
	// got is the source that the last call was given.
	got source
}

func (*plain) Traits() Traits              { return Traits{Kind: "Topic", Name: "topic"} }
func (*plain) New() *v1alpha1.Topic        { return &v1alpha1.Topic{} }
func (*plain) ExternalName(ref Ref) string { return "//x/" + ref.ID }

func (*plain) Describe(live source) *v1alpha1.Topic {
	return &v1alpha1.Topic{Spec: v1alpha1.TopicSpec{MessageRetentionSeconds: &live.retention}}
}
func (*plain) Identify(live source) Identity { return Identity{UID: string(rune('a' + live.etag))} }
func (*plain) Unmanaged(live source) []diff.Unmanaged {
	return []diff.Unmanaged{{Path: "spec.etag", Value: strconv.Itoa(live.etag)}}
}
func (*plain) Report(obj *v1alpha1.Topic, _ source)           { obj.Status.State = "ACTIVE" }
func (p *plain) Observe(context.Context, Ref) (source, error) { return source{60, 1}, p.err }

func (p *plain) Create(_ context.Context, _ Ref, want *v1alpha1.Topic) (source, error) {
	return source{*want.Spec.MessageRetentionSeconds, 2}, p.err
}

func (p *plain) Update(_ Ref, want *v1alpha1.Topic, changes diff.Changes) []Call[source] {
	var calls []Call[source]
	for _, path := range changes.Paths() {
		calls = append(calls, Call[source]{Name: "updating " + path, Do: func(_ context.Context, live source) (source, error) {
			p.got = live
			return source{*want.Spec.MessageRetentionSeconds, live.etag + 1}, p.err
		}})
	}
	return calls
}

func (p *plain) Delete(_ context.Context, _ Ref, live source) error {
	p.got = live
	return p.err
}

// able is a kind that can do all that a kind may.
type able struct{ plain }

func (*able) List(_ context.Context, _ Ref, yield func([]Item[source]) bool) error {
	for page := range 3 {
		if !yield([]Item[source]{{ID: "first", Live: source{int64(page), 0}}, {ID: "second", Live: source{int64(page), 1}, Partial: true}}) {
			break
		}
	}
	return nil
}

func (a *able) Contents(_ Ref, live source) []Contents {
	a.got = live
	return []Contents{{Name: "messages"}}
}
func (a *able) Undelete(context.Context, Ref, string) (source, error) { return source{60, 3}, a.err }

func (*able) Policy(obj *v1alpha1.Topic) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
	return obj.Spec.IAM, nil
}
func (*able) GetPolicy(context.Context, Ref) (iampolicy.Policy, error) {
	return iampolicy.Policy{Etag: []byte("1")}, nil
}
func (*able) SetPolicy(_ context.Context, _ Ref, p iampolicy.Policy) (iampolicy.Policy, error) {
	return p, nil
}

func (*able) References(*v1alpha1.Topic) []Reference {
	return []Reference{{Kind: "Topic", Name: "dead-letters"}}
}
func (*able) Referent(obj *v1alpha1.Topic) string { return obj.Status.Name }

// policyAlone is a kind that has nothing but a policy.
type policyAlone struct{ able }

var (
	_ Fielded[*v1alpha1.Topic, source] = (*plain)(nil)
	_ Lister[source]                   = (*able)(nil)
	_ Emptier[source]                  = (*able)(nil)
	_ Undeleter[source]                = (*able)(nil)
	_ Policied[*v1alpha1.Topic]        = (*able)(nil)
	_ Referring[*v1alpha1.Topic]       = (*able)(nil)
	_ Referable[*v1alpha1.Topic]       = (*able)(nil)
)

func retention(seconds int64) *v1alpha1.Topic {
	return &v1alpha1.Topic{Spec: v1alpha1.TopicSpec{MessageRetentionSeconds: &seconds}}
}

// lived is what a call is to return.
func lived(seconds int64, etag int) Live {
	obj := retention(seconds)
	obj.Status.State = "ACTIVE"
	return Live{
		Object: obj, Unmanaged: []diff.Unmanaged{{Path: "spec.etag", Value: strconv.Itoa(etag)}},
		Identity: Identity{UID: string(rune('a' + etag))}, source: source{seconds, etag},
	}
}

var compareLive = cmp.AllowUnexported(Live{}, source{})

func TestLiveIsDescribedReportedAndIdentified(t *testing.T) {
	away := errors.New("away")
	for name, call := range map[string]struct {
		do   func(Kind) (Live, error)
		want Live
	}{
		"observed":  {func(k Kind) (Live, error) { return k.Fields.Observe(t.Context(), Ref{}) }, lived(60, 1)},
		"created":   {func(k Kind) (Live, error) { return k.Fields.Create(t.Context(), Ref{}, retention(90)) }, lived(90, 2)},
		"undeleted": {func(k Kind) (Live, error) { return k.Fields.Undelete(t.Context(), Ref{}, "a") }, lived(60, 3)},
		"updated": {func(k Kind) (Live, error) {
			write := k.Fields.Update(Ref{}, retention(90), diff.Changes{{Path: "spec.messageRetentionSeconds"}})[0]
			return write.Do(t.Context(), lived(60, 1))
		}, lived(90, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := call.do(Of(&able{}))
			if d := cmp.Diff(call.want, got, compareLive); d != "" || err != nil {
				t.Errorf("live (-want +got): %v\n%s", err, d)
			}
			if got, err := call.do(Of(&able{plain{err: away}})); !errors.Is(err, away) || got.Object != nil {
				t.Errorf("a call that failed returns %+v, %v", got, err)
			}
		})
	}
}

func TestWritesGetTheSourceThatWasSeen(t *testing.T) {
	topics := &able{}
	k, live := Of(topics), lived(60, 5)
	writes := k.Fields.Update(Ref{}, retention(90), diff.Changes{{Path: "spec.a"}, {Path: "spec.b"}})
	var names []string
	for i, write := range writes {
		names = append(names, write.Name)
		next, err := write.Do(t.Context(), live)
		if err != nil || topics.got.etag != 5+i {
			t.Errorf("write %d was given %+v: %v", i, topics.got, err)
		}
		live = next
	}
	if d := cmp.Diff([]string{"updating spec.a", "updating spec.b"}, names); d != "" {
		t.Errorf("writes (-want +got):\n%s", d)
	}
	if contents := k.Fields.Contents(Ref{}, lived(60, 8)); len(contents) != 1 || topics.got.etag != 8 {
		t.Errorf("of %+v the contents are %+v", topics.got, contents)
	}
	if err := k.Fields.Delete(t.Context(), Ref{}, lived(60, 9)); err != nil || topics.got.etag != 9 {
		t.Errorf("deleting was given %+v: %v", topics.got, err)
	}
}

func TestListsEndWhenEnoughWasSeen(t *testing.T) {
	page := func(n int64) []Listed { return []Listed{{ID: "first", Live: lived(n, 0)}, {ID: "second", Live: lived(n, 1), Partial: true}} }
	for name, tc := range map[string]struct {
		most int
		want [][]Listed
	}{
		"all pages":    {9, [][]Listed{page(0), page(1), page(2)}},
		"one page":     {1, [][]Listed{page(0)}},
		"two of three": {2, [][]Listed{page(0), page(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			var got [][]Listed
			err := Of(&able{}).Fields.List(t.Context(), Ref{}, func(page []Listed) bool {
				got = append(got, page)
				return len(got) < tc.most
			})
			if d := cmp.Diff(tc.want, got, compareLive); d != "" || err != nil {
				t.Errorf("pages (-want +got): %v\n%s", err, d)
			}
		})
	}
}

func TestAKindCanWhatItsTypeCan(t *testing.T) {
	type can struct{ Fields, List, Contents, Undelete, Policy, Referent, Shared bool }
	of := func(k Kind) can {
		c := can{Fields: k.Fields != nil, Policy: k.Policy != nil, Referent: k.Referent != nil, Shared: k.Shared()}
		if k.Fields != nil {
			c.List, c.Contents, c.Undelete = k.Fields.List != nil, k.Fields.Contents != nil, k.Fields.Undelete != nil
		}
		return c
	}
	for name, tc := range map[string]struct {
		kind Kind
		path string
		want can
	}{
		"fields alone":   {Of(&plain{}), "", can{Fields: true}},
		"all":            {Of(&able{}), "spec.iam", can{Fields: true, List: true, Contents: true, Undelete: true, Policy: true, Referent: true}},
		"a policy alone": {PolicyOf(&policyAlone{}), "spec", can{Policy: true, Referent: true, Shared: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, of(tc.kind)); d != "" {
				t.Errorf("can (-want +got):\n%s", d)
			}
			if tc.kind.Policy != nil && tc.kind.Policy.Path != tc.path {
				t.Errorf("the policy stands at %q, want %q", tc.kind.Policy.Path, tc.path)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	account := func(name string) Reference { return Reference{Kind: "ServiceAccount", Name: name} }
	iam := &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{
		{Role: "roles/a", Members: []v1alpha1.IAMMember{"user:ada@example.com"}, ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Name: "reader"}, {External: "x@p.iam.gserviceaccount.com"}}},
		{Role: "roles/b", ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Name: "writer"}}},
	}}
	for name, tc := range map[string]struct {
		kind Kind
		iam  *v1alpha1.IAMPolicy
		want []Reference
	}{
		"a kind without any":           {Of(&plain{}), iam, nil},
		"of the policy and the kind":   {Of(&able{}), iam, []Reference{account("reader"), account("writer"), {Kind: "Topic", Name: "dead-letters"}}},
		"no policy, those of the kind": {Of(&able{}), nil, []Reference{{Kind: "Topic", Name: "dead-letters"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.kind.References(&v1alpha1.Topic{Spec: v1alpha1.TopicSpec{IAM: tc.iam}})
			if d := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("references (-want +got):\n%s", d)
			}
		})
	}
}

func TestResourceID(t *testing.T) {
	topic := func(id string) *v1alpha1.Topic {
		return &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Name: "orders"}, Spec: v1alpha1.TopicSpec{CommonSpec: v1alpha1.CommonSpec{ResourceID: id}}}
	}
	for name, tc := range map[string]struct {
		kind Kind
		obj  *v1alpha1.Topic
		want string
	}{
		"its own":                    {Of(&plain{}), topic("named"), "named"},
		"by default":                 {Of(&plain{}), topic(""), "orders"},
		"known by its project alone": {PolicyOf(&policyAlone{}), topic("named"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.kind.ResourceID(tc.obj); got != tc.want {
				t.Errorf("resource ID %q, want %q", got, tc.want)
			}
		})
	}
}

func TestNamed(t *testing.T) {
	kinds := []Kind{{Traits: Traits{Kind: "Bucket"}}, {Traits: Traits{Kind: "Topic"}}}
	k, ok := Named(kinds, "Topic")
	if !ok || k.Kind != "Topic" {
		t.Errorf("found %q, %v", k.Kind, ok)
	}
	if _, ok := Named(kinds, "Project"); ok {
		t.Error("a kind was found that there is not")
	}
}
