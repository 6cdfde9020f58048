package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

const guardName = "holdfast-guard-break-glass"

// tamper changes the policy that vouches for who broke the glass, or its binding.
func tamper(change func(*admissionv1.ValidatingAdmissionPolicy, *admissionv1.ValidatingAdmissionPolicyBinding)) func(w *world) {
	return func(w *world) {
		policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: guardName}}
		binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: guardName}}
		w.get(policy)
		w.get(binding)
		change(policy, binding)
		w.must(errors.Join(w.kube.Update(w.t.Context(), policy), w.kube.Update(w.t.Context(), binding)))
	}
}

func unbind(w *world) {
	w.delete(&admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: guardName}})
}

// tampering is what keeps the policy from refusing a forged name.
var tampering = map[string]func(w *world){
	"it only audits": tamper(func(_ *admissionv1.ValidatingAdmissionPolicy, b *admissionv1.ValidatingAdmissionPolicyBinding) {
		b.Spec.ValidationActions = []admissionv1.ValidationAction{admissionv1.Audit}
	}),
	"its binding is deleted": unbind,
	"it is deleted": func(w *world) {
		w.delete(&admissionv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: guardName}})
	},
	"its parameters are others": tamper(func(_ *admissionv1.ValidatingAdmissionPolicy, b *admissionv1.ValidatingAdmissionPolicyBinding) {
		b.Spec.ParamRef = &admissionv1.ParamRef{Name: "nowhere", ParameterNotFoundAction: new(admissionv1.AllowAction)}
	}),
	"its binding is of another policy": func(w *world) {
		unbind(w)
		w.must(w.kube.Create(w.t.Context(), &admissionv1.ValidatingAdmissionPolicyBinding{
			ObjectMeta: metav1.ObjectMeta{Name: guardName},
			Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
				PolicyName: "another", ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
				ParamRef: &admissionv1.ParamRef{Name: "kube-system", ParameterNotFoundAction: new(admissionv1.DenyAction)},
			},
		}))
	},
	"it leaves somebody out": tamper(func(p *admissionv1.ValidatingAdmissionPolicy, _ *admissionv1.ValidatingAdmissionPolicyBinding) {
		p.Spec.MatchConditions = append(p.Spec.MatchConditions, admissionv1.MatchCondition{Name: "but-not-bob", Expression: "request.userInfo.username != 'bob'"})
	}),
	"it checks less": tamper(func(p *admissionv1.ValidatingAdmissionPolicy, _ *admissionv1.ValidatingAdmissionPolicyBinding) {
		p.Spec.Validations = []admissionv1.Validation{{Expression: "true"}}
	}),
	"it selects other objects": tamper(func(p *admissionv1.ValidatingAdmissionPolicy, _ *admissionv1.ValidatingAdmissionPolicyBinding) {
		p.Spec.MatchConstraints.ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"guarded": "yes"}}
	}),
}

// reinstall brings the policy and its binding back to what they are in config/, as a change where they are there.
func (w *world) reinstall() {
	w.t.Helper()
	objects, err := installed.Objects("admission", "guard.yaml")
	w.must(err)
	for _, obj := range objects {
		live := obj.DeepCopy()
		if err := w.kube.Get(w.t.Context(), client.ObjectKeyFromObject(obj), live); err != nil {
			w.must(client.IgnoreNotFound(err))
			w.must(w.kube.Create(w.t.Context(), obj))
			continue
		}
		live.Object["spec"] = obj.Object["spec"]
		w.must(w.kube.Update(w.t.Context(), live))
	}
	w.must(installed.Guarded(w.config, scheme))
}

// TestANameIsVerifiedOnlyIfItWasCheckedThroughout: an API server of its own, where a cluster-admin lets Bob forge Ada's name.
func TestANameIsVerifiedOnlyIfItWasCheckedThroughout(t *testing.T) {
	t.Parallel()
	config := ownControlPlane(t)
	kube, err := client.New(installed.As(config, ""), client.Options{Scheme: scheme})
	if err := errors.Join(
		err, installed.Manager(kube), recordsOfWorlds(kube), installed.Policies(kube, installed.Guards...), installed.People(kube), installed.Guarded(config, scheme),
	); err != nil {
		t.Fatal(err)
	}
	w := newWorldAt(t, config)
	w.start()
	opened := annotations{v1alpha1.BreakGlassAnnotation: incident, v1alpha1.BreakGlassByAnnotation: installed.Ada}
	n := 0
	made := func() v1alpha1.Object {
		n++
		obj := topics.manifest(fmt.Sprint("orders-", n), v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		return obj
	}
	expect := func(t *testing.T, obj v1alpha1.Object, verified bool) {
		t.Helper()
		w.glass(obj, metav1.ConditionTrue)
		if r := obj.GetCommonStatus().BreakGlass; r.Verified != verified || r.By != installed.Ada {
			t.Errorf("the record is %+v, want verified %v", r, verified)
		}
	}
	forge := func(obj v1alpha1.Object) {
		w.eventually("the policy to be out of force", func() (bool, string) {
			err := opened.write(t.Context(), w.as(installed.Bob), obj)
			return err == nil, fmt.Sprint(err)
		})
	}
	settle := func() { // the API server dates objects to the second
		began := time.Now()
		w.eventually("the policies to have been in force for a while", func() (bool, string) { return time.Since(began) > 3*time.Second, "" })
	}
	settle()
	obj := made()
	w.annotates(installed.Ada, obj, opened)
	expect(t, obj, true)

	for how, tamper := range tampering {
		t.Run(how, func(t *testing.T) {
			seen, missed := made(), made()
			tamper(w)
			forge(seen)
			expect(t, seen, false)
			w.stop()
			forge(missed)
			w.reinstall()
			w.start()
			expect(t, missed, false) // nobody saw it, and all is as it should be now
		})
	}
	t.Run("and once it was seen to be as it should be it is again", func(t *testing.T) {
		obj := made()
		settle()
		w.settled(obj)
		w.annotates(installed.Ada, obj, opened)
		expect(t, obj, true)
	})
}
