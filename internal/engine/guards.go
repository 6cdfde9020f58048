package engine

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/config/admission"
)

// guardPolicy is the name of the admission policy that vouches for who broke the glass, and of its binding.
const guardPolicy = "holdfast-guard-break-glass"

// takeIn is how long an API server takes to enforce what a policy, or its binding, says now, with the second in it to which it dates them.
const takeIn = 2 * time.Second

// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingadmissionpolicies;validatingadmissionpolicybindings,resourceNames=holdfast-guard-break-glass,verbs=get

// guards knows since when the policy is enforced, without a gap, that vouches for who broke the glass. A generation that is the same at two
// looks has not changed between them, and one that was deleted and created again has another UID: so nothing goes unnoticed.
type guards struct {
	reader client.Reader // uncached
	now    func() time.Time
	// installed is how they are installed.
	installed func() (*asInstalled, error)

	mutex sync.Mutex
	// seen is the state that the last look found, and since when looks have found it.
	seen  guardState
	since time.Time
	// asRecorded are when the annotations of objects were last seen to say what their records say.
	asRecorded map[types.NamespacedName]lastLook
}

type lastLook struct {
	uid types.UID
	at  time.Time
}

// guardState is a state of the policy and its binding in which they are enforced as they are installed; the zero value for any other.
type guardState struct {
	policy, binding version
	// created is when the younger of them was created, by the API server's clock, if neither has changed since; zero otherwise.
	created metav1.Time
}

type version struct {
	uid        types.UID
	generation int64
}

// newGuards knows the policy as it is installed for an operator of that user name.
func newGuards(uncached client.Reader, operator string) *guards {
	return &guards{
		reader: uncached, now: time.Now, asRecorded: map[types.NamespacedName]lastLook{},
		installed: sync.OnceValues(func() (*asInstalled, error) { return installedFor(operator) }),
	}
}

// Start looks at the policy once in a while, for changes to be noticed before they matter.
func (g *guards) Start(ctx context.Context) error {
	for tick := time.NewTicker(time.Minute); ; {
		if _, _, err := g.look(ctx); err != nil {
			log.FromContext(ctx).Info("whether the admission policy on break-glass is enforced is not known", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return nil
		case <-tick.C:
		}
	}
}

// NeedLeaderElection says that a replica knows the policy before it becomes the leader.
func (*guards) NeedLeaderElection() bool { return false }

// look reads the state of the policy, and says since when it is known to be that, by this process's clock.
func (g *guards) look(ctx context.Context) (state guardState, since time.Time, err error) {
	if state, err = g.read(ctx); err != nil {
		return guardState{}, time.Time{}, err
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if state != g.seen || g.since.IsZero() {
		g.seen, g.since = state, g.now()
	}
	return state, g.since, nil
}

// note remembers that the annotations of an object say what its record says.
func (g *guards) note(obj client.Object) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.asRecorded[client.ObjectKeyFromObject(obj)] = lastLook{obj.GetUID(), g.now()}
}

func (g *guards) forget(name types.NamespacedName) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	delete(g.asRecorded, name)
}

// vouch says whether the policy was enforced, without a gap, from before annotations were set until now: those of an object, or of its
// Namespace, the holder of them. What is not known is not so. It was, where it is as it was created and the holder is younger, and where this
// process saw it first, and then the annotations as they were before.
func (g *guards) vouch(ctx context.Context, obj, holder client.Object) (bool, error) {
	state, since, err := g.look(ctx)
	if err != nil || state == (guardState{}) {
		return false, err
	}
	if created := holder.GetCreationTimestamp(); !state.created.IsZero() && !created.Time.Before(state.created.Add(takeIn)) {
		return true, nil
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	last := g.asRecorded[client.ObjectKeyFromObject(obj)]
	return last.uid == obj.GetUID() && !last.at.Before(since.Add(takeIn)), nil
}

func (g *guards) read(ctx context.Context) (guardState, error) {
	want, err := g.installed()
	if err != nil {
		return guardState{}, err
	}
	var policy admissionv1.ValidatingAdmissionPolicy
	var binding admissionv1.ValidatingAdmissionPolicyBinding
	for kind, into := range map[string]client.Object{"ValidatingAdmissionPolicy": &policy, "ValidatingAdmissionPolicyBinding": &binding} {
		if err := g.get(ctx, kind, into); client.IgnoreNotFound(err) != nil {
			return guardState{}, fmt.Errorf("finding out whether the admission policies are enforced: %w", err)
		}
	}
	setDefaults(&policy)
	if !equality.Semantic.DeepEqual(policy.Spec, want.policy.Spec) || !equality.Semantic.DeepEqual(binding.Spec, want.binding.Spec) ||
		policy.DeletionTimestamp != nil || binding.DeletionTimestamp != nil {
		return guardState{}, nil
	}
	state := guardState{policy: version{policy.UID, policy.Generation}, binding: version{binding.UID, binding.Generation}}
	if policy.Generation == 1 && binding.Generation == 1 {
		state.created = policy.CreationTimestamp
		if state.created.Before(&binding.CreationTimestamp) {
			state.created = binding.CreationTimestamp
		}
	}
	return state, nil
}

func (g *guards) get(ctx context.Context, kind string, into client.Object) error {
	var obj unstructured.Unstructured
	obj.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind(kind))
	if err := g.reader.Get(ctx, client.ObjectKey{Name: guardPolicy}, &obj); err != nil {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, into)
}

// asInstalled are the policy and its binding as this version of the operator comes with them.
type asInstalled struct {
	policy  admissionv1.ValidatingAdmissionPolicy
	binding admissionv1.ValidatingAdmissionPolicyBinding
}

// installedFor reads what an operator of that user name comes with.
func installedFor(operator string) (*asInstalled, error) {
	var out asInstalled
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(admission.For(operator, admission.Guard)), 4096)
	if err := errors.Join(decoder.Decode(&out.policy), decoder.Decode(&out.binding)); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the admission policy that is built in: %w", err)
	}
	setDefaults(&out.policy)
	return &out, nil
}

// setDefaults sets what the API server sets by default.
func setDefaults(policy *admissionv1.ValidatingAdmissionPolicy) {
	match := policy.Spec.MatchConstraints
	if match == nil {
		return
	}
	match.MatchPolicy = cmp.Or(match.MatchPolicy, new(admissionv1.Equivalent))
	match.NamespaceSelector = cmp.Or(match.NamespaceSelector, &metav1.LabelSelector{})
	match.ObjectSelector = cmp.Or(match.ObjectSelector, &metav1.LabelSelector{})
	for i := range match.ResourceRules {
		rule := &match.ResourceRules[i]
		rule.Scope = cmp.Or(rule.Scope, new(admissionv1.AllScopes))
	}
}
