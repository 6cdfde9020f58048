package e2e

import (
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestNobodyGetsATokenOfTheOperator: with all rights in a namespace that is bound to the operator's own project, and whatever is applied there,
// somebody gets no access token of the operator's account from Google, until an administrator lets the namespace's manifests do that.
func TestNobodyGetsATokenOfTheOperator(t *testing.T) {
	t.Parallel()
	const home, eve = "operations", "user:eve@example.com"
	tries := map[string]func() v1alpha1.Object{
		"by the account's policy": func() v1alpha1.Object {
			return anAccount("innocent", v1alpha1.ServiceAccountSpec{
				CommonSpec: v1alpha1.CommonSpec{ResourceID: "holdfast", Adoption: v1alpha1.AdoptionAlways},
				IAM:        iamOf("roles/iam.serviceAccountTokenCreator", []v1alpha1.IAMMember{eve}),
			})
		},
		"by the project's policy": func() v1alpha1.Object {
			return aPolicy("innocent", additive(granting("roles/iam.workloadIdentityUser", eve)))
		},
	}
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.project = home
			w.editNamespace(func(n *corev1.Namespace) { n.Annotations[v1alpha1.ProjectIDAnnotation] = home })
			w.enforceIAM([]string{"iam.serviceAccounts.*", "resourcemanager.projects.*"})
			w.start()
			if _, err := w.cloud.IAM.CreateAccount(home, "holdfast"); err != nil {
				t.Fatal(err)
			}
			token := w.cloud.Access.Token(eve)
			become := func() int {
				t.Helper()
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
					w.cloud.URL()+"/iamcredentials/v1/projects/-/serviceAccounts/"+operator+":generateAccessToken", strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Authorization", "Bearer "+token)
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
				return response.StatusCode
			}
			obj := try()
			w.create(obj)
			w.reason(obj, v1alpha1.ReasonNotAllowed)
			if code := become(); code != http.StatusForbidden {
				t.Fatalf("Google answers %d", code)
			}
			w.editNamespace(func(n *corev1.Namespace) {
				n.Annotations[v1alpha1.AllowAnnotation] = strings.Join([]string{
					v1alpha1.AllowPolicyOfOwnAccounts, v1alpha1.AllowGrantsOverOwnAccounts, v1alpha1.AllowGrantsOnAdoptedAccounts,
				}, ",")
			})
			w.ready(obj)
			if code := become(); code != http.StatusOK {
				t.Errorf("the namespace may, and Google answers %d", code)
			}
		})
	}
}
