package importer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/layout"
)

// things are a kind whose lists say what a test says.
func things(list func(ctx context.Context, ref kind.Ref, yield func([]kind.Listed) bool) error) kind.Kind {
	return kind.Kind{
		Traits: kind.Traits{
			Kind: "Topic", Plural: "topics", Name: "topic", Labels: true, FieldTraits: diff.Fields{},
		},
		New:          func() v1alpha1.Object { return &v1alpha1.Topic{} },
		ExternalName: func(ref kind.Ref) string { return ref.Project + "/" + ref.ID },
		Fields:       &kind.Fields{List: list},
	}
}

func thing(id string) kind.Listed {
	return kind.Listed{ID: id, Live: kind.Live{Object: &v1alpha1.Topic{Spec: v1alpha1.TopicSpec{MessageRetentionSeconds: new(int64(600))}}}}
}

func importing(t *testing.T, folder string, k kind.Kind) *Importer {
	t.Helper()
	return &Importer{
		Kinds: []kind.Kind{k}, Selector: labels.Everything(), Namespace: func(project string) string { return project },
		Declared: func(string) bool { return false }, Check: func(layout.Object) []Problem { return nil },
		Sink: Folder{Path: folder, Layout: layout.Default}, Parallel: 4, Progress: func(int, int, int) {},
		Wait: func(context.Context, time.Duration) error { return nil },
	}
}

var unavailable = &kind.Error{Class: kind.Unavailable, Message: "try again"}

// TestAListThatIsInterrupted begins anew, and counts everything once.
func TestAListThatIsInterrupted(t *testing.T) {
	var lists atomic.Int32
	k := things(func(_ context.Context, _ kind.Ref, yield func([]kind.Listed) bool) error {
		yield([]kind.Listed{thing("one")})
		if lists.Add(1) < 3 {
			return unavailable
		}
		yield([]kind.Listed{thing("two")})
		return nil
	})
	got, err := importing(t, t.TempDir(), k).Run(t.Context(), []string{"my-project"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Summary{Projects: 1, Complete: 1, Resources: 2, Written: 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestWhatCannotBeRead keeps nothing else from being imported, and is asked for a bounded number of times.
func TestWhatCannotBeRead(t *testing.T) {
	var asked atomic.Int32
	k := things(func(_ context.Context, ref kind.Ref, yield func([]kind.Listed) bool) error {
		if ref.Project == "broken" {
			asked.Add(1)
			return unavailable
		}
		yield([]kind.Listed{thing("one")})
		return nil
	})
	folder := t.TempDir()
	i := importing(t, folder, k)
	var err error
	if i.State, err = OpenState(folder, "x"); err != nil {
		t.Fatal(err)
	}
	got, err := i.Run(t.Context(), []string{"broken", "fine"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Summary{
		Projects: 2, Complete: 1, Resources: 1, Written: 2,
		Failures: []Failure{{Project: "broken", Kind: "Topic", Message: "try again"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if asked.Load() != attempts {
		t.Errorf("asked %d times, want %d", asked.Load(), attempts)
	}
	state, err := OpenState(folder, "x")
	if err != nil || !state.IsComplete("fine") || state.IsComplete("broken") {
		t.Errorf("state: %+v, %v", state, err)
	}
	if other, err := OpenState(folder, "y"); err != nil || other.IsComplete("fine") {
		t.Errorf("the state of an import with other settings: %+v, %v", other, err)
	}
}

// TestOurOwnLimits are waited for, however long that takes.
func TestOurOwnLimits(t *testing.T) {
	calls, waited := 0, time.Duration(0)
	wait := Wait(func(_ context.Context, d time.Duration) error {
		waited += d
		return nil
	})
	err := wait.retry(t.Context(), func() error {
		calls++
		if calls <= 20 {
			return &kind.Error{Class: kind.Throttled, Ours: true, RetryAfter: 3 * time.Second, Message: "later"}
		}
		return nil
	})
	if err != nil || calls != 21 || waited != time.Minute {
		t.Errorf("%v after %d calls and %s", err, calls, waited)
	}
}

// TestAFolderThatCannotBeWritten ends the import at once.
func TestAFolderThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	calls := 0
	k := things(func(_ context.Context, _ kind.Ref, yield func([]kind.Listed) bool) error {
		calls++
		yield([]kind.Listed{thing("one")})
		return nil
	})
	_, err := importing(t, file, k).Run(t.Context(), []string{"my-project"}, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "writing my-project/0-namespace/my-project.yaml: ") || calls != 1 {
		t.Errorf("%v after %d lists", err, calls)
	}
}

func TestAStateThatIsNone(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, StateFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenState(folder, "x"); err == nil || !strings.Contains(err.Error(), "remove it to begin anew") {
		t.Errorf("got %v", err)
	}
}

func TestDiffering(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		want []string
	}{
		"a value, a field more, a field less": {"a: 1\nb: {c: 1}", "a: 2\nd: 1", []string{"a", "b", "d"}},
		"in a list":                           {"a: [1, 2]", "a: [1]", []string{"a"}},
		"comments":                            {"a: 1 # one", "a: 1", []string{"layout or comments alone"}},
		"no YAML":                             {"a: [", "a: 1", []string{"the file as a whole"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, differing([]byte(c.a), []byte(c.b))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

type tree map[string][]string

func (o tree) ListProjects(_ context.Context, parent string) ([]string, error) {
	if parent == "folders/denied" {
		return nil, &kind.Error{Class: kind.Denied, Permission: "resourcemanager.projects.list", Resource: parent, Message: "no"}
	}
	return o["projects in "+parent], nil
}

func (o tree) ListFolders(_ context.Context, parent string) ([]string, error) {
	return o["folders in "+parent], nil
}

func TestProjectsIn(t *testing.T) {
	organization := tree{
		"projects in organizations/1": {"direct"}, "folders in organizations/1": {"folders/denied", "folders/a"},
		"projects in folders/a": {"deep"}, "folders in folders/denied": {"folders/b"}, "projects in folders/b": {"below-denied"},
	}
	wait := Wait(func(context.Context, time.Duration) error { return errors.New("nothing is to be waited for") })
	got, failures, err := ProjectsIn(t.Context(), organization, wait, "organizations/1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"below-denied", "deep", "direct"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(failures) != 1 || !strings.Contains(failures[0].Message, "permission resourcemanager.projects.list is missing on folders/denied") {
		t.Errorf("failures: %+v", failures)
	}
}

// TestTenThousandResources are imported page by page: what is held at a time does not grow with their number.
func TestTenThousandResources(t *testing.T) {
	k := things(func(_ context.Context, _ kind.Ref, yield func([]kind.Listed) bool) error {
		for page := range 10 {
			var listed []kind.Listed
			for i := range 1000 {
				listed = append(listed, thing(fmt.Sprintf("topic-%02d-%04d", page, i)))
			}
			yield(listed)
		}
		return nil
	})
	i := importing(t, t.TempDir(), k)
	got, err := i.Run(t.Context(), []string{"my-project"}, nil)
	if err != nil || got.Resources != 10000 || got.Written != 10001 {
		t.Errorf("%+v, %v", got, err)
	}
}
