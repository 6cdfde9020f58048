package gitops

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/gitops/gitserver"
)

// scene is one scenario with one tool: a repository, a namespace that it is synced to, and the project which that is bound to.
type scene struct {
	*world
	t          *testing.T
	tool       tool
	repository *gitserver.Repository
	namespace  string
	project    string
	recorder   *recorder
}

func newScene(t *testing.T, w *world, name string, tool tool) *scene {
	t.Helper()
	repository, err := w.git.New(name)
	if err != nil {
		t.Fatalf("making a repository: %v", err)
	}
	s := &scene{world: w, t: t, tool: tool, repository: repository, namespace: name, project: name + "-project"}
	s.bind(s.namespace, s.project)
	s.recorder = record(t, w, tool)
	t.Cleanup(func() {
		if t.Failed() {
			s.t.Logf("at the end %s says: %s\n%s", tool, s.says(), s.describe())
		}
	})
	return s
}

// bind makes a namespace bound to a project, as an administrator does.
func (s *scene) bind(namespace, project string) {
	s.t.Helper()
	obj := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Annotations: map[string]string{
		v1alpha1.ProjectIDAnnotation: project, v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss, // none of the scenes is about that
	}}}
	if err := s.kube.Create(s.t.Context(), obj); err != nil {
		s.t.Fatalf("making a namespace: %v", err)
	}
}

// commit writes manifests, by the names of their files, and has the tool look. Empty content removes a file.
func (s *scene) commit(message string, manifests map[string]string) string {
	s.t.Helper()
	files := map[string]string{}
	for name, manifest := range manifests {
		files[folder+"/"+name+".yaml"] = manifest
	}
	revision, err := s.repository.Commit(message, files)
	if err != nil {
		s.t.Fatalf("committing: %v", err)
	}
	s.committed(message, revision)
	return revision
}

func (s *scene) revert(revision string) string {
	s.t.Helper()
	reverting, err := s.repository.Revert(revision)
	if err != nil {
		s.t.Fatalf("reverting: %v", err)
	}
	s.committed("Revert it", reverting)
	return reverting
}

func (s *scene) committed(message, revision string) {
	s.t.Helper()
	s.t.Logf("%s: committed %.7s: %s", time.Now().Format(time.TimeOnly), revision, message)
	if err := s.kube.Get(s.t.Context(), client.ObjectKeyFromObject(s.tool.watched()), s.tool.watched()); err == nil {
		s.tool.refresh()
	}
}

// follow has the tool sync the repository to the namespace from now on.
func (s *scene) follow() {
	s.t.Helper()
	s.tool.follow(s.repository.URL, s.namespace)
}

func (s *scene) says() verdict {
	s.t.Helper()
	obj := s.tool.watched()
	if err := s.kube.Get(context.Background(), client.ObjectKeyFromObject(obj), obj); err != nil {
		return verdict{State: applying, Says: err.Error()}
	}
	return s.tool.verdict(obj)
}

// until waits until the tool says of a commit that it is in one of some states, and returns the whole verdict.
func (s *scene) until(revision string, states ...stateOfCommit) verdict {
	s.t.Helper()
	began := time.Now()
	var v verdict
	s.eventually(fmt.Sprintf("%s to be %v at %s", s.tool, states, revision), func() (bool, string) {
		v = s.says()
		for _, state := range states {
			if v.Revision == revision && v.State == state {
				return true, ""
			}
		}
		return false, v.String()
	})
	s.t.Logf("%s: %s is %s at %.7s after %s", time.Now().Format(time.TimeOnly), s.tool, v.State, revision, time.Since(began).Round(time.Second/10))
	if v.State == red || v.State == held {
		s.t.Log(v.Says)
	}
	return v
}

// eventually polls until the condition holds; what it returns last says why it did not.
func (s *scene) eventually(what string, holds func() (bool, string)) {
	s.t.Helper()
	var saw string
	err := wait.PollUntilContextTimeout(s.t.Context(), s.pace, s.patience, true, func(context.Context) (bool, error) {
		var ok bool
		ok, saw = holds()
		return ok, nil
	})
	if err != nil {
		s.t.Fatalf("waited %s for %s; last saw:\n%s", s.patience, what, saw)
	}
}

// kubectl runs kubectl in the scene's namespace as a person, and must succeed.
func (s *scene) mustKubectl(as string, args ...string) string {
	s.t.Helper()
	out, err := s.kubectl(as, append([]string{"-n", s.namespace}, args...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// object reads a Bucket or a Topic of the scene's namespace.
func (s *scene) object(obj v1alpha1.Object) error {
	return s.kube.Get(s.t.Context(), client.ObjectKey{Namespace: s.namespace, Name: obj.GetName()}, obj)
}

// reason waits until Ready of an object's newest generation has a reason, and returns its message.
func (s *scene) reason(obj v1alpha1.Object, reason string) string {
	s.t.Helper()
	var message string
	s.eventually(obj.GetName()+" to be "+reason, func() (bool, string) {
		if err := s.object(obj); err != nil {
			return false, err.Error()
		}
		ready := meta.FindStatusCondition(obj.GetCommonStatus().Conditions, v1alpha1.ConditionReady)
		if ready == nil {
			return false, "no conditions"
		}
		message = ready.Message
		return ready.Reason == reason && ready.ObservedGeneration == obj.GetGeneration(), ready.Reason + ": " + ready.Message
	})
	return message
}

// gone waits until an object does not exist any more.
func (s *scene) gone(obj client.Object) {
	s.t.Helper()
	s.eventually(obj.GetName()+" to be gone", func() (bool, string) {
		err := s.kube.Get(s.t.Context(), client.ObjectKeyFromObject(obj), obj)
		return apierrors.IsNotFound(err), fmt.Sprint(err)
	})
}

// describe is what kubectl shows of the scene's objects.
func (s *scene) describe() string {
	out, err := s.kubectl("", "get", "gcp", "-n", s.namespace, "-o", "yaml")
	if err != nil {
		return err.Error()
	}
	return out
}

// bucket is a live bucket as Google's API shows it, nil if there is none.
func (s *scene) bucket(name string) map[string]any {
	live, there := s.cloud.Storage.Bucket(name)
	if !there {
		return nil
	}
	return live
}

// field is a value in a live bucket, nil if it has none.
func (s *scene) field(bucket string, path ...string) any {
	s.t.Helper()
	value, _, err := unstructured.NestedFieldNoCopy(s.bucket(bucket), path...)
	if err != nil {
		s.t.Fatalf("the bucket %s: %v", bucket, err)
	}
	return value
}

// topic is a live topic, nil if there is none.
func (s *scene) topic(id string) *pubsubpb.Topic {
	live, there := s.cloud.PubSub.Topic("projects/" + s.project + "/topics/" + id)
	if !there {
		return nil
	}
	return live
}

// writes are the calls that wanted to change something in the scene's project after a mark, in order.
func (s *scene) writes(mark int64) []string {
	var writes []string
	for _, entry := range s.cloud.Traffic.WritesSince(mark) {
		if entry.Project == s.project {
			writes = append(writes, entry.Method+" "+entry.Resource)
		}
	}
	return writes
}

// hold stops the calls of a method in the scene's project before Google carries them out: of one that takes long, the operator does not
// wait for the answer, and asks again.
func (s *scene) hold(method string) *traffic.Breakpoint {
	s.t.Helper()
	breakpoint := s.cloud.Traffic.PauseAll(traffic.Call{Method: method, Project: s.project})
	s.t.Cleanup(breakpoint.Release)
	return breakpoint
}

// reached waits until a call is held.
func (s *scene) reached(breakpoint *traffic.Breakpoint) {
	s.t.Helper()
	select {
	case <-breakpoint.Reached():
	case <-time.After(patience):
		s.t.Fatalf("waited %s for a call to be held; %s says: %s", patience, s.tool, s.says())
	}
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) check(ok bool, format string, args ...any) {
	s.t.Helper()
	if !ok {
		s.t.Errorf(format, args...)
	}
}

// manifest writes one of our kinds, with the fields of its spec as lines of YAML.
func manifest(kind, name string, spec ...string) string {
	text := "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n"
	if len(spec) > 0 {
		text += "spec:\n  " + strings.Join(spec, "\n  ") + "\n"
	}
	return text
}

func aBucket(name string) *v1alpha1.Bucket {
	return &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func aTopic(name string) *v1alpha1.Topic {
	return &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Name: name}}
}
