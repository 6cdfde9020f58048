package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breaker"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// survey is what there is to be destroyed, and what of it waits, by what the cache has: manifests that go and that nobody has looked at since, and
// those that say that they are on hold.
type survey struct {
	// had is how many resources the fleet had before anything was let through that still counts.
	had int
	// namespaces are those in which something waits, or that the record has.
	namespaces map[string]breaker.Waiting
	// held are the manifests that are on hold, by the name of their kind.
	held map[string][]types.NamespacedName
}

// surveyor finds out. It is for whole fleets: it copies nothing.
type surveyor func(ctx context.Context, record breaker.Record) (*survey, error)

// with is what waits, with those who have asked: they ask now if letting.
func (s *survey) with(asked map[types.UID]asker, letting bool) map[string]breaker.Waiting {
	out := maps.Clone(s.namespaces)
	for _, of := range asked {
		in := out[of.namespace]
		if letting {
			in.Asks = append(slices.Clip(in.Asks), of.Intent)
		} else {
			in.Others = append(slices.Clip(in.Others), of.Intent)
		}
		out[of.namespace] = in
	}
	return out
}

// surveyOf surveys the manifests of all kinds that the process is responsible for.
func surveyOf(source cached, kinds []kind.Kind, circuit *circuit) surveyor {
	return func(ctx context.Context, record breaker.Record) (*survey, error) {
		t := newTallies(record, circuit.asked, circuit.now())
		for _, k := range kinds {
			all, err := source.all(ctx, k)
			if err != nil {
				return nil, err
			}
			for _, obj := range all {
				if source.tenants.ownsIn(obj.GetNamespace()) {
					t.add(k, obj)
				}
			}
		}
		return t.sum(ctx, source)
	}
}

// tallies is a survey under way.
type tallies struct {
	survey

	now time.Time
	// had counts the resources of each namespace; gone are those that were let through and that no manifest has any more.
	had  map[string]int
	gone map[types.UID]string
}

// newTallies begin with what is on record, and where somebody has asked.
func newTallies(record breaker.Record, asked map[types.UID]asker, now time.Time) *tallies {
	t := &tallies{now: now, had: map[string]int{}, gone: map[types.UID]string{}}
	t.namespaces, t.held = map[string]breaker.Waiting{}, map[string][]types.NamespacedName{}
	for name, space := range record.Namespaces {
		t.namespaces[name] = breaker.Waiting{}
		for _, let := range space.Let {
			t.gone[let.UID] = name
		}
	}
	for _, of := range asked {
		t.namespaces[of.namespace] = breaker.Waiting{}
	}
	return t
}

func (t *tallies) add(k kind.Kind, obj v1alpha1.Object) {
	name := client.ObjectKeyFromObject(obj)
	if plan.Has(k, obj) {
		delete(t.gone, obj.GetUID())
		t.had[name.Namespace]++
		t.survey.had++
	}
	held := isOnHold(obj)
	if !held && !goesUnseen(k, obj, t.now) {
		return
	}
	ends := k.Fields != nil || !obj.GetDeletionTimestamp().IsZero() // a policy whose manifest stays loses some entries
	intent := breaker.Intent{UID: obj.GetUID(), Generation: obj.GetGeneration(), Ends: ends}
	in := t.namespaces[name.Namespace]
	if held {
		t.held[k.Kind] = append(t.held[k.Kind], name)
		in.Others = append(in.Others, intent)
	} else {
		in.Unseen = append(in.Unseen, intent)
	}
	t.namespaces[name.Namespace] = in
}

// isOnHold says whether a manifest, as it is now, was last told to be on hold because too much is destroyed.
func isOnHold(obj v1alpha1.Object) bool {
	is := readyCondition(obj)
	return is != nil && is.Reason == v1alpha1.ReasonDestructionOnHold && is.ObservedGeneration == obj.GetGeneration()
}

// goesUnseen says whether a manifest goes, and nobody has looked at that yet, that takes with it what it has; and not while its glass is broken.
func goesUnseen(k kind.Kind, obj v1alpha1.Object, now time.Time) bool {
	return !obj.GetDeletionTimestamp().IsZero() && obj.GetCommonStatus().ObservedGeneration != obj.GetGeneration() &&
		!plan.Orphans(obj) && plan.Has(k, obj) && !breakglass.Read(obj.GetAnnotations(), nil, now).Open()
}

func (t *tallies) sum(ctx context.Context, source cached) (*survey, error) {
	for _, name := range t.gone {
		t.had[name]++
		t.survey.had++
	}
	for name, in := range t.namespaces {
		annotations, err := source.Namespace(ctx, name)
		if err != nil {
			return nil, err
		}
		if breakglass.Read(nil, annotations, t.now).Open() {
			in.Unseen = nil // nothing of it goes for now
		}
		in.Had, in.Allowed = t.had[name], breaker.Allowed(annotations, t.now)
		t.namespaces[name] = in
	}
	return &t.survey, nil
}
