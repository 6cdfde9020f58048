package e2e

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// floods are what one tenant applies at once, and others are to notice nothing of: each is a test, of as many objects as HOLDFAST_FLOOD says. It
// logs how long others wait, beside what they wait without a flood; see the README.
var floods = map[string]struct {
	// share is how much of the number is applied.
	share float64
	apply func(w *world, i int) v1alpha1.Object
	// theirs is what another tenant makes.
	theirs func(name string) v1alpha1.Object
}{
	"buckets": {1, func(_ *world, i int) v1alpha1.Object {
		return aBucket(fmt.Sprintf("flood-%d", i), v1alpha1.BucketSpec{})
	}, theirBucket},
	"accounts": {
		0.25, func(_ *world, i int) v1alpha1.Object {
			return anAccount(fmt.Sprintf("flood-%d", i), v1alpha1.ServiceAccountSpec{})
		},
		func(name string) v1alpha1.Object { return anAccount(name, v1alpha1.ServiceAccountSpec{}) },
	},
	"namesakes": {2, func(_ *world, i int) v1alpha1.Object {
		return aBucket(fmt.Sprintf("flood-%d", i), v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{ResourceID: "one-name"}})
	}, theirBucket},
}

func theirBucket(name string) v1alpha1.Object { return aBucket(name, v1alpha1.BucketSpec{}) }

// TestAFloodDisturbsNobody: while one tenant applies many objects at once, within the limits and with the workers that Holdfast has by default,
// another one's new object is Ready, and a glass is acknowledged, after few calls of the first.
func TestAFloodDisturbsNobody(t *testing.T) {
	many := 60
	if set, err := strconv.Atoi(os.Getenv("HOLDFAST_FLOOD")); err == nil {
		many = set
	} else {
		t.Parallel()
	}
	for name, flood := range floods {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.quotaShare, w.timeout, w.workers = gcp.DefaultQuotaShare, gcp.DefaultTimeout, 10
			other := w.namespace + "-b"
			w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project + "-b"})
			w.start(other)
			w.cloud.Traffic.Inject(traffic.Fault{Latency: 20 * time.Millisecond})
			kept := inNamespace(flood.theirs("kept-by-them"), other)
			w.create(kept)
			w.ready(kept)
			wait := func(what string, do func(), until func()) (took time.Duration, calls int) {
				before, began := w.cloud.Traffic.Count(traffic.Call{Project: w.project}), time.Now()
				do()
				until()
				took, calls = time.Since(began), w.cloud.Traffic.Count(traffic.Call{Project: w.project})-before
				t.Logf("%-34s %6.2f s, %d calls of others before", what, took.Seconds(), calls)
				return took, calls
			}
			create := func(name string) (obj v1alpha1.Object, do, until func()) {
				obj = inNamespace(flood.theirs(name), other)
				return obj, func() { w.create(obj) }, func() { w.ready(obj) }
			}
			_, do, until := create("made-alone")
			wait("a new object, alone", do, until)
			n := int(float64(many) * flood.share)
			w.applyAtOnce(n, func(i int) v1alpha1.Object { return flood.apply(w, i) })
			t.Logf("another tenant has applied %d", n)
			_, do, until = create("made-meanwhile")
			if _, calls := wait("a new object, meanwhile", do, until); calls > 60 {
				t.Errorf("%d calls of the other tenant came before", calls)
			}
			_, calls := wait("a glass on an object of theirs", func() { w.breakGlass(kept) }, func() { w.glass(kept, metav1.ConditionTrue) })
			if calls > 60 {
				t.Errorf("%d calls of the other tenant came before a glass was acknowledged", calls)
			}
			own := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
			first := flood.apply(w, 0) // which holds the name, where all have the same
			first.SetNamespace(w.namespace)
			wait("a glass on the Namespace of the many", func() {
				w.annotates(installed.Ada, own, annotations{v1alpha1.BreakGlassAnnotation: incident})
			}, func() { w.glass(first, metav1.ConditionTrue) })
		})
	}
}

// applyAtOnce creates so many objects.
func (w *world) applyAtOnce(n int, object func(i int) v1alpha1.Object) {
	w.t.Helper()
	var group errgroup.Group
	group.SetLimit(16)
	for i := range n {
		group.Go(func() error {
			obj := object(i)
			obj.SetNamespace(w.namespace)
			return w.kube.Create(w.t.Context(), obj)
		})
	}
	w.must(group.Wait())
}
