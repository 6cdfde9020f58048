package main

import (
	"os"
	"strings"
	"testing"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"
)

// configured returns the overrides that Argo CD reads from config/argocd/argocd-cm.yaml.
func configured(t *testing.T) lua.ResourceHealthOverrides {
	t.Helper()
	text, err := os.ReadFile("../../config/argocd/argocd-cm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config corev1.ConfigMap
	if err := yaml.UnmarshalStrict(text, &config); err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: config.Namespace, Name: common.ArgoCDSecretName, Labels: map[string]string{"app.kubernetes.io/part-of": "argocd"},
	}}
	manager := settings.NewSettingsManager(t.Context(), fake.NewClientset(&config, secret), config.Namespace)
	overrides, err := manager.GetResourceOverrides()
	if err != nil {
		t.Fatal(err)
	}
	return overrides
}

// object returns an object of generation 3 with the given status, in YAML.
func object(t *testing.T, kind, status string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	manifest := "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: " + kind + "\nmetadata: {name: orders, generation: 3}\n"
	if status != "" {
		manifest += "status:\n" + status
	}
	// As a client decodes it: whole numbers are int64.
	json, err := yaml.YAMLToJSON([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	if err := obj.UnmarshalJSON(json); err != nil {
		t.Fatal(err)
	}
	return obj
}

const (
	closed   = "  - {type: BreakGlass, status: 'False', reason: Closed, message: the glass is closed}\n"
	open     = "  - {type: BreakGlass, status: 'True', reason: Open, message: 'broken on the object by ada: INC-4711'}\n"
	inFlight = "  - {type: BreakGlass, status: Unknown, reason: WriteInFlight, message: 'broken on the object by ada: INC-4711. No write starts any more'}\n"
	inSync   = "  - {type: Drifted, status: 'False', reason: InSync, message: Google Cloud does not differ from the manifest}\n"
	differs  = "  - {type: Drifted, status: 'True', reason: Differs, message: Google Cloud differs in spec.labels}\n"

	current  = "  observedGeneration: 3\n  conditions:\n"
	outdated = "  observedGeneration: 2\n  conditions:\n"

	upToDate = "  - {type: Ready, status: 'True', reason: UpToDate, message: as the manifest says}\n"
)

// notReady returns the conditions of an object that needs no intervention (Reconciling) or does (Stalled).
func notReady(which, reason string) string {
	condition := func(kind, status string) string {
		return "  - {type: " + kind + ", status: '" + status + "', reason: " + reason + ", message: because}\n"
	}
	return condition("Ready", "False") + condition(which, "True")
}

func TestHealth(t *testing.T) {
	overrides := configured(t)
	cases := map[string]struct {
		status string
		want   health.HealthStatus
	}{
		"no status": {
			"", health.HealthStatus{Status: health.HealthStatusProgressing, Message: "Holdfast has not observed this generation yet"},
		},
		"as it is created": {
			"  observedGeneration: -1\n",
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: "Holdfast has not observed this generation yet"},
		},
		"a generation that has not been observed": {
			outdated + upToDate + inSync + closed,
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: "Holdfast has not observed this generation yet"},
		},
		"a stalled one that was fixed and has not been observed": {
			outdated + notReady("Stalled", "Invalid") + inSync + closed,
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: "Holdfast has not observed this generation yet"},
		},
		"up to date": {
			current + upToDate + inSync + closed,
			health.HealthStatus{Status: health.HealthStatusHealthy, Message: "UpToDate: as the manifest says"},
		},
		"in another order": {
			current + closed + inSync + upToDate,
			health.HealthStatus{Status: health.HealthStatusHealthy, Message: "UpToDate: as the manifest says"},
		},
		"being written": {
			current + notReady("Reconciling", "Progressing") + differs + closed,
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: "Progressing: because"},
		},
		"throttled": {
			current + notReady("Reconciling", "Throttled") + differs + closed,
			health.HealthStatus{Status: health.HealthStatusProgressing, Message: "Throttled: because"},
		},
		"refused": {
			current + notReady("Stalled", "Invalid") + differs + closed,
			health.HealthStatus{Status: health.HealthStatusDegraded, Message: "Invalid: because"},
		},
		"a permission is missing": {
			current + notReady("Stalled", "Denied") + differs + closed,
			health.HealthStatus{Status: health.HealthStatusDegraded, Message: "Denied: because"},
		},
		"waiting for approval": {
			current + notReady("Stalled", "AwaitingApproval") + differs + closed,
			health.HealthStatus{Status: health.HealthStatusSuspended, Message: "AwaitingApproval: because"},
		},
		"waiting for adoption": {
			current + notReady("Stalled", "AwaitingAdoption") + differs + closed,
			health.HealthStatus{Status: health.HealthStatusSuspended, Message: "AwaitingAdoption: because"},
		},
		"the glass is open": {
			current + upToDate + differs + open,
			health.HealthStatus{Status: health.HealthStatusSuspended, Message: "broken on the object by ada: INC-4711"},
		},
		"the glass is open and a commit is on hold": {
			current + notReady("Stalled", "BreakGlass") + differs + open,
			health.HealthStatus{Status: health.HealthStatusSuspended, Message: "broken on the object by ada: INC-4711 (BreakGlass: because)"},
		},
		"the glass is open and a write is in flight": {
			current + upToDate + inSync + inFlight,
			health.HealthStatus{Status: health.HealthStatusSuspended, Message: "broken on the object by ada: INC-4711. No write starts any more"},
		},
	}
	for name, tc := range cases {
		for _, kind := range []string{"Bucket", "Topic", "ServiceAccount", "ProjectPolicy", "WhateverComesNext"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				got, err := health.GetResourceHealth(object(t, kind, tc.status), overrides)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(&tc.want, got); diff != "" {
					t.Errorf("health (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestOtherGroupsAreLeftAlone: Argo CD assesses them as before.
func TestOtherGroupsAreLeftAlone(t *testing.T) {
	obj := object(t, "Bucket", current+upToDate)
	obj.SetAPIVersion("example.com/v1")
	if got, err := health.GetResourceHealth(obj, configured(t)); err != nil || got != nil {
		t.Errorf("health is %+v (%v), want none", got, err)
	}
}

func TestTheConfigMapHasTheScript(t *testing.T) {
	script, err := os.ReadFile("../../config/argocd/health.lua")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(script)), strings.TrimSpace(configured(t)["gcp.holdfast.dev/*"].HealthLua)); diff != "" {
		t.Errorf("config/argocd/argocd-cm.yaml does not contain health.lua (-want +got):\n%s", diff)
	}
}
