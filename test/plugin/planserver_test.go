package plugin

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/preview/render"
	"github.com/holdfast-dev/holdfast/test/installed"
	"github.com/holdfast-dev/holdfast/test/issuer"
	"github.com/holdfast-dev/holdfast/test/process"
)

// served is a world whose operator, the real binary, serves plans. It is a shard's, so that it minds no other test's namespaces.
type served struct {
	*world

	issuer *issuer.Issuer
	// url is where plans are, and authority the file of who vouches for that.
	url, authority string
}

// builtManager builds the manager, once for all tests.
var builtManager = sync.OnceValues(func() (string, error) {
	manager := filepath.Join(filepath.Dir(binary), "manager")
	if said, err := exec.Command("go", "build", "-o", manager, "../../cmd/manager").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the manager: %w\n%s", err, said)
	}
	return manager, nil
})

func serve(t *testing.T, name string, args ...string) *served {
	t.Helper()
	s := &served{world: newWorld(t, name), issuer: issuer.Start(t)}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	edit(s.world, namespace, func(n *corev1.Namespace) { n.Labels[v1alpha1.ShardLabel] = name })
	for folder, file := range map[string]string{"plan-server": "role.yaml", "rbac": "metrics.yaml"} {
		s.must(client.IgnoreAlreadyExists(installed.Create(s.kube, folder, file)))
	}
	home := t.TempDir()
	manager, err := builtManager()
	s.must(err)
	address, err := process.FreeAddress()
	s.must(err)
	s.url, s.authority = "https://"+address, s.certificate(home)
	args = append([]string{
		"--kubeconfig", s.operatorKubeconfig(home), "--shard", name, "--health-probe-bind-address=0", "--gcp-identity", operator,
		"--plan-address", address, "--plan-tls-cert-file", filepath.Join(home, "tls.crt"), "--plan-tls-key-file", filepath.Join(home, "tls.key"),
		"--plan-auth-config", s.configuration(home),
	}, append(args, s.cloudArgs()...)...)
	running := process.StartTest(t, process.Program{Name: "the manager", Path: manager, Args: args})
	s.must(running.Await(t.Context(), patience, process.Listening(address)))
	return s
}

// operatorKubeconfig is the kubeconfig of the operator's service account.
func (s *served) operatorKubeconfig(home string) string {
	config, err := clientcmd.LoadFromFile(adminKubeconfig)
	s.must(err)
	for _, user := range config.AuthInfos {
		user.Impersonate = installed.Operator
	}
	file := filepath.Join(home, "kubeconfig")
	s.must(clientcmd.WriteToFile(*config, file))
	return file
}

// certificate writes one of a test server's, which is for 127.0.0.1, into a folder, and returns the file of who vouches for it: itself.
func (s *served) certificate(home string) string {
	lender := httptest.NewTLSServer(http.NotFoundHandler())
	defer lender.Close()
	lent := lender.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(lent.PrivateKey)
	s.must(err)
	authority := filepath.Join(home, "tls.crt")
	s.must(os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lent.Certificate[0]}), 0o600))
	s.must(os.WriteFile(filepath.Join(home, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	return authority
}

// configuration writes whose tokens are taken.
func (s *served) configuration(home string) string {
	authority, err := json.Marshal(s.issuer.Authority())
	s.must(err)
	file := filepath.Join(home, "authentication.yaml")
	s.must(os.WriteFile(file, fmt.Appendf(nil, `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: %q, audiences: [holdfast-plan], certificateAuthority: %s}
  claimMappings: {username: {expression: '"ci:" + claims.repository_id'}}
`, s.issuer.URL, authority), 0o600))
	return file
}

// allow lets somebody have plans in the world's namespace.
func (s *served) allow(subject rbacv1.Subject) {
	s.t.Helper()
	s.allowIn(s.namespace, subject)
}

func (s *served) allowIn(namespace string, subject rbacv1.Subject) {
	s.t.Helper()
	s.must(s.kube.Create(s.t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "plan-" + strings.NewReplacer(":", "-", " ", "-").Replace(subject.Name)},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "holdfast-plan"},
		Subjects:   []rbacv1.Subject{subject},
	}))
}

// plan runs the plugin as a pipeline does, about all manifests.
func (s *served) plan(token string, args ...string) result {
	s.t.Helper()
	return s.pipeline(token, append([]string{"-f", "all.yaml"}, args...)...)
}

// pipeline runs the plugin as a pipeline does that has a token and nothing else.
func (s *served) pipeline(token string, args ...string) result {
	s.t.Helper()
	cmd := s.command(append([]string{"plan", "--server", s.url, "--server-ca", s.authority, "--token-env", "CI_TOKEN"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.folder, "KUBECONFIG=/nowhere", "CI_TOKEN=" + token}
	return s.finish(cmd)
}

// document is the plan that a pipeline gets.
func (s *served) document(token string) (document render.Document, code int) {
	s.t.Helper()
	got := s.plan(token, "-o", "json")
	if err := json.Unmarshal([]byte(got.stdout), &document); err != nil {
		s.t.Fatalf("no plan: %v\n%+v", err, got)
	}
	return document, got.code
}

// effects are those of a plan, by the names of manifests.
func effects(document render.Document) map[string]string {
	out := map[string]string{}
	for _, r := range document.Resources {
		out[r.Namespace+"/"+r.Name] = string(r.Effect)
	}
	return out
}

const servedManifests = `
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {namespace: served, name: served-new}
spec: {location: EU}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata:
  namespace: served
  name: served-logs
  annotations: {holdfast.dev/approve: "0000"}
spec: {location: EU, versioning: {enabled: true}}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Topic
metadata: {namespace: served, name: orders}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Topic
metadata: {namespace: elsewhere, name: orders}
`

// TestAPipelineWithoutCredentialsGetsPlans: of an issuer's token, through the plugin and the manager as they are built.
func TestAPipelineWithoutCredentialsGetsPlans(t *testing.T) {
	t.Parallel()
	s := serve(t, "served")
	logs := &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Name: "served-logs"}, Spec: v1alpha1.BucketSpec{Location: "EU"}}
	s.create(logs)
	s.ready(logs)
	s.write("all.yaml", servedManifests)
	token := s.issuer.Token(t, nil)

	t.Run("without the right", func(t *testing.T) {
		document, code := s.document(token)
		if document.Summary.Refused != 4 || code != 1 {
			t.Errorf("exit code %d, %v", code, effects(document))
		}
	})
	s.allow(rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "ci:123"})
	mark := s.cloud.Traffic.Mark()
	s.eventually("access is looked up anew", func() (bool, string) {
		document, _ := s.document(token)
		return document.Summary.Refused == 1, fmt.Sprint(effects(document))
	})
	document, code := s.document(token)
	want := map[string]string{
		"served/served-new": "create", "served/served-logs": "update", "served/orders": "create", "elsewhere/orders": "refused",
	}
	if diff := cmp.Diff(want, effects(document)); diff != "" || code != 1 {
		t.Errorf("exit code %d; effects (-want +got):\n%s", code, diff)
	}
	for _, r := range document.Resources {
		if r.Origin == nil || r.Origin.File != "all.yaml" {
			t.Errorf("%s stands in %v", r.Name, r.Origin)
		}
	}
	if writes := s.cloud.Traffic.WritesSince(mark); len(writes) > 0 {
		t.Errorf("plans wrote %v", writes)
	}
	t.Run("in markdown", func(t *testing.T) {
		if got := s.plan(token, "-o", "markdown"); !strings.HasPrefix(got.stdout, render.Marker) || !strings.Contains(got.stdout, "spec.versioning") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("by the workflow", func(t *testing.T) {
		script := strings.ReplaceAll(planStep(t, "plan-without-credentials.yaml"), "https://PLANS_EXAMPLE_COM", s.url)
		s.git("init", "-q", "-b", "main")
		s.git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "before")
		s.write("manifests/all.yaml", servedManifests)
		output, comment := s.runStep(script, []string{"--server-ca", s.authority, "--token-env", "CI_TOKEN"},
			"KUBECONFIG=/nowhere", "CI_TOKEN="+token, "BASE=main")
		if output != "code=1\n" || !strings.Contains(comment, "Topic served/orders: create") {
			t.Errorf("%s\n%s", output, comment)
		}
	})
	t.Run("with a token that is not accepted", func(t *testing.T) {
		got := s.plan(s.issuer.Token(t, map[string]any{"aud": "somebody-else"}))
		if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, "401 unauthorized: the token is not accepted") {
			t.Errorf("got %+v", got)
		}
	})
}

// TestServiceAccountsGetPlans: by a token that is for plans and for nothing else.
func TestServiceAccountsGetPlans(t *testing.T) {
	t.Parallel()
	s := serve(t, "served-accounts")
	s.write("all.yaml", strings.ReplaceAll(servedManifests, "served", s.namespace))
	runner := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "runner"}}
	s.create(runner)
	s.allow(rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: s.namespace, Name: "runner"})
	clients, err := kubernetes.NewForConfig(kubeConfig)
	s.must(err)
	token := func(audiences ...string) string {
		answer, err := clients.CoreV1().ServiceAccounts(s.namespace).CreateToken(t.Context(), "runner",
			&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: audiences}}, metav1.CreateOptions{})
		s.must(err)
		return answer.Status.Token
	}
	document, _ := s.document(token("holdfast-plan"))
	if document.Summary.Create != 3 || document.Summary.Refused != 1 {
		t.Errorf("effects: %v", effects(document))
	}
	own := token() // that of the API server
	for what, refused := range map[string]string{
		"for the API server": own, "for both": token("holdfast-plan", audienceOf(t, own)), "for somebody else": token("elsewhere"),
	} {
		if got := s.plan(refused); got.code != 1 || !strings.Contains(got.stderr, "401") {
			t.Errorf("a token %s: %+v", what, got)
		}
	}
}

// TestAnAnswerThatIsNoPlan is a failure, and not a plan that has nothing to do.
func TestAnAnswerThatIsNoPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "no-plan")
	w.write("all.yaml", "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {name: orders, namespace: no-plan}\n")
	w.write("token", "secret")
	for answer, says := range map[string]string{
		`{}`:                 `want a Plan of plan.holdfast.dev/v1alpha1`,
		`{"kind": "Status"}`: `answers with "Status" of ""`,
		`[]`:                 "reading the plan of the server",
		`{"kind": "Plan", "apiVersion": "plan.holdfast.dev/v2", "resources": []}`: `"plan.holdfast.dev/v2"`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, answer) }))
		got := w.run("plan", "-f", "all.yaml", "--server", server.URL, "--token-file", "token")
		server.Close()
		if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, says) {
			t.Errorf("%s: %+v", answer, got)
		}
	}
}

// TestAReplicaThatDoesNotLeadAnswers as the one that does.
func TestAReplicaThatDoesNotLeadAnswers(t *testing.T) {
	t.Parallel()
	clients, err := kubernetes.NewForConfig(kubeConfig)
	if err != nil {
		t.Fatal(err)
	}
	leases, now := clients.CoordinationV1().Leases("holdfast-system"), metav1.NowMicro()
	lease, err := leases.Create(t.Context(), &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "holdfast-manager-served-standby"},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: new("another"), LeaseDurationSeconds: new(int32(3600)), AcquireTime: &now, RenewTime: &now, LeaseTransitions: new(int32(0)),
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, "served-standby", "--leader-elect", "--leader-elect-namespace=holdfast-system")
	s.write("all.yaml", "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {name: orders, namespace: served-standby}\n")
	s.allow(rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "ci:123"})
	s.eventually("a topic is planned", func() (bool, string) {
		document, code := s.document(s.issuer.Token(t, nil))
		return code == 2 && effects(document)["served-standby/orders"] == "create", fmt.Sprint(code, effects(document))
	})
	after, err := leases.Get(t.Context(), lease.Name, metav1.GetOptions{})
	s.must(err)
	if *after.Spec.HolderIdentity != "another" {
		t.Errorf("it leads as %q", *after.Spec.HolderIdentity)
	}
}

// audienceOf is the audience of a token.
func audienceOf(t *testing.T, token string) string {
	t.Helper()
	var says struct {
		Audiences []string `json:"aud"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err == nil {
		err = json.Unmarshal(payload, &says)
	}
	if err != nil || len(says.Audiences) != 1 {
		t.Fatalf("the token is for %q (%v)", says.Audiences, err)
	}
	return says.Audiences[0]
}
