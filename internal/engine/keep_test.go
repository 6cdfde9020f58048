package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestTheCacheKeepsWhatMeansSomethingHere(t *testing.T) {
	own := wrote(fieldManager, 70, "", `{"f:metadata":{"f:annotations":{"f:holdfast.dev/break-glass":{}}}}`)
	edit := wrote("flux", 60, "", `{"f:spec":{"f:labels":{}}}`)
	edited := edit
	edited.FieldsV1 = nil
	for name, tc := range map[string]struct{ obj, want metav1.ObjectMeta }{
		"nothing": {},
		"nothing of ours": {obj: metav1.ObjectMeta{
			Labels: map[string]string{"team": "shop"}, Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}"},
			ManagedFields: []metav1.ManagedFieldsEntry{wrote("manager", 80, "status", `{"f:status":{}}`)},
		}},
		"some of ours": {
			obj: metav1.ObjectMeta{
				Name: "orders", Labels: map[string]string{"team": "shop", "holdfast.dev/shard": "a"}, Finalizers: []string{v1alpha1.Finalizer},
				Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}", v1alpha1.BreakGlassAnnotation: "INC-1", "holdfast.developer": "eve"},
				ManagedFields: []metav1.ManagedFieldsEntry{
					wrote("ada", 10, "", `{"f:spec":{"f:kmsKeyName":{}}}`), edit, own, wrote("manager", 80, "status", `{"f:status":{}}`),
				},
			},
			want: metav1.ObjectMeta{
				Name: "orders", Labels: map[string]string{"holdfast.dev/shard": "a"}, Finalizers: []string{v1alpha1.Finalizer},
				Annotations:   map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1"},
				ManagedFields: []metav1.ManagedFieldsEntry{edited, own},
			},
		},
		"so many annotations that they count for whether the status fits": {
			obj:  metav1.ObjectMeta{Annotations: map[string]string{"notes": strings.Repeat("x", surelyFits)}},
			want: metav1.ObjectMeta{Annotations: map[string]string{"notes": strings.Repeat("x", surelyFits)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var kept any = &v1alpha1.Topic{ObjectMeta: *tc.obj.DeepCopy()}
			for _, times := range []string{"once", "again"} { // as a watch does that begins anew
				var err error
				if kept, err = KeepOwnFields()(kept); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.want, kept.(*v1alpha1.Topic).ObjectMeta); d != "" {
					t.Errorf("kept %s (-want +got):\n%s", times, d)
				}
			}
		})
	}
	var gone any = "a tombstone"
	if kept, err := KeepOwnFields()(gone); err != nil || kept != gone {
		t.Errorf("what is no object became %v, %v", kept, err)
	}
}

// BenchmarkCache is what the cache takes of an object at rest: as the API server sends it, without what others own, with its indexes. Each
// object has a name, a Namespace and a time of its own.
func BenchmarkCache(b *testing.B) {
	const objects = 10_000
	wires := make([][]byte, objects)
	for i := range wires {
		wire, err := json.Marshal(topicAtRest(i))
		if err != nil {
			b.Fatal(err)
		}
		wires[i] = wire
	}
	scheme := k8sruntime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		b.Fatal(err)
	}
	decoder := serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, scheme, scheme, serializer.SerializerOptions{})
	k := kind.Of[*v1alpha1.Topic, v1alpha1.TopicSpec](&fakeKind{})
	for name, indexed := range map[string]bool{"objects": false, "objects and indexes": true} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				with := toolscache.Indexers{toolscache.NamespaceIndex: toolscache.MetaNamespaceIndexFunc}
				if indexed {
					maps.Copy(with, indexers(k))
				}
				before := liveBytes()
				store := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, with)
				for _, wire := range wires {
					obj := &v1alpha1.Topic{}
					if _, _, err := decoder.Decode(wire, nil, obj); err != nil {
						b.Fatal(err)
					}
					kept, err := KeepOwnFields()(obj)
					if err != nil {
						b.Fatal(err)
					}
					if err := store.Add(kept); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(liveBytes()-before)/objects, "B/object")
				runtime.KeepAlive(store)
			}
		})
	}
}

func liveBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// topicAtRest is one that was created with kubectl, and is Ready.
func topicAtRest(i int) *v1alpha1.Topic {
	project, name := fmt.Sprintf("fleet-project-%d", i/16), fmt.Sprintf("events-%d", i%16)
	at := metav1.NewTime(time.Unix(1_700_000_000+int64(i), 0))
	topic := &v1alpha1.Topic{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Topic"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: fmt.Sprintf("fleet-%d", i/16), Name: name, UID: types.UID(fmt.Sprintf("8089f3cc-e1b1-4964-9080-%012d", i)),
			ResourceVersion: fmt.Sprint(26_048 + i), Generation: 1, CreationTimestamp: at, Finalizers: []string{v1alpha1.Finalizer},
			ManagedFields: []metav1.ManagedFieldsEntry{
				{Manager: "kubectl-client-side-apply", Operation: "Update", APIVersion: v1alpha1.GroupVersion.String(), Time: &at, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:labels":{"f:team":{},"f:wave":{}}}}`)},
				{Manager: "holdfast", Operation: "Update", APIVersion: v1alpha1.GroupVersion.String(), Time: &at, FieldsType: "FieldsV1", Subresource: "status", FieldsV1: metav1.NewFieldsV1(`{"f:status":{"f:conditions":{}}}`)},
			},
		},
		Spec: v1alpha1.TopicSpec{
			CommonSpec:              v1alpha1.CommonSpec{Management: v1alpha1.ManagementManage, Adoption: v1alpha1.AdoptionIfMatches, DeletionPolicy: v1alpha1.DeletionOrphan},
			Labels:                  v1alpha1.Labels{"team": "shop", "wave": "0"},
			MessageRetentionSeconds: new(int64(86400)),
		},
	}
	spec, _ := json.Marshal(topic.Spec)
	topic.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: `{"apiVersion":"gcp.holdfast.dev/v1alpha1","kind":"Topic","spec":` + string(spec) + `}`})
	said := func(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: 1, LastTransitionTime: at}
	}
	topic.Status.CommonStatus = v1alpha1.CommonStatus{
		ObservedGeneration: 1, Project: project, ExternalName: "//pubsub.googleapis.com/projects/" + project + "/topics/" + name, Identity: "projects/" + project,
		AppliedFields: []string{"spec.labels[team]", "spec.labels[wave]", "spec.messageRetentionSeconds"}, PlanSequence: 1,
		Conditions: []metav1.Condition{
			said(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonUpToDate, "Google Cloud matches the manifest"),
			said(v1alpha1.ConditionDrifted, metav1.ConditionFalse, "InSync", "Google Cloud does not differ from the manifest"),
			said(v1alpha1.ConditionBreakGlass, metav1.ConditionFalse, v1alpha1.ReasonClosed, "break-glass is not active"),
		},
		Observed: &k8sruntime.RawExtension{Raw: spec},
	}
	return topic
}
