package plugin

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/durationpb"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// connectorKinds are kinds of Config Connector, by their plural, and the first part of their group.
var connectorKinds = map[string]struct{ kind, group string }{
	"storagebuckets":     {"StorageBucket", "storage"},
	"pubsubtopics":       {"PubSubTopic", "pubsub"},
	"iamserviceaccounts": {"IAMServiceAccount", "iam"},
	"iampolicies":        {"IAMPolicy", "iam"},
	"iampolicymembers":   {"IAMPolicyMember", "iam"},
	"iampartialpolicies": {"IAMPartialPolicy", "iam"},
	"iamauditconfigs":    {"IAMAuditConfig", "iam"},
	"sqlinstances":       {"SQLInstance", "sql"},
}

// installConnector installs the definitions of these kinds, as far as matters here: their names, their category, and any field.
func installConnector(t *testing.T) {
	t.Helper()
	open := &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(true)}
	var definitions []*apiextensionsv1.CustomResourceDefinition
	for plural, k := range connectorKinds {
		group := k.group + ".cnrm.cloud.google.com"
		definitions = append(definitions, &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: group, Scope: apiextensionsv1.NamespaceScoped,
				Names: apiextensionsv1.CustomResourceDefinitionNames{
					Plural: plural, Singular: strings.ToLower(k.kind), Kind: k.kind, ListKind: k.kind + "List", Categories: []string{"gcp"},
				},
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
					Name: "v1beta1", Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: open},
				}},
			},
		})
	}
	if _, err := envtest.InstallCRDs(kubeConfig, envtest.CRDInstallOptions{CRDs: definitions}); err != nil {
		t.Fatal(err)
	}
}

// connectorObjects are objects of all those kinds. PROJECT stands for the project, which Config Connector's webhook says on each object, and
// NAMESPACE for the namespace. Its annotations are such that none needs to be told of.
const connectorObjects = `
kind: StorageBucket
apiVersion: storage.cnrm.cloud.google.com/v1beta1
metadata: {name: logs, namespace: NAMESPACE, annotations: {cnrm.cloud.google.com/project-id: PROJECT, cnrm.cloud.google.com/deletion-policy: abandon}}
spec: {resourceID: PROJECT-logs, location: EU, storageClass: NEARLINE}
---
kind: IAMPolicyMember
apiVersion: iam.cnrm.cloud.google.com/v1beta1
metadata: {name: ada-reads, namespace: NAMESPACE, annotations: {cnrm.cloud.google.com/project-id: PROJECT}}
spec:
  member: user:ada@example.com
  role: roles/storage.objectViewer
  resourceRef: {kind: StorageBucket, name: logs}
---
kind: IAMPartialPolicy
apiVersion: iam.cnrm.cloud.google.com/v1beta1
metadata: {name: team-reads, namespace: NAMESPACE, annotations: {cnrm.cloud.google.com/project-id: PROJECT}}
spec:
  resourceRef: {kind: StorageBucket, name: logs}
  bindings:
  - role: roles/storage.objectViewer
    members: [{member: "group:team@example.com"}]
---
kind: PubSubTopic
apiVersion: pubsub.cnrm.cloud.google.com/v1beta1
metadata: {name: orders, namespace: NAMESPACE, annotations: {cnrm.cloud.google.com/project-id: PROJECT, cnrm.cloud.google.com/deletion-policy: abandon}}
spec: {messageRetentionDuration: 86400s}
---
kind: IAMServiceAccount
apiVersion: iam.cnrm.cloud.google.com/v1beta1
metadata: {name: checkout, namespace: NAMESPACE, annotations: {cnrm.cloud.google.com/project-id: PROJECT, cnrm.cloud.google.com/deletion-policy: abandon}}
spec: {displayName: Checkout}
---
kind: IAMAuditConfig
apiVersion: iam.cnrm.cloud.google.com/v1beta1
metadata: {name: storage, namespace: NAMESPACE, annotations: {cnrm.cloud.google.com/project-id: PROJECT}}
spec:
  service: storage.googleapis.com
  auditLogConfigs: [{logType: DATA_READ}]
  resourceRef: {kind: Project, external: PROJECT}
`

// connectorLeftovers are objects that convert tells of: one whose reach its manifest does not have, and one of a kind that there is none of here.
const connectorLeftovers = `---
kind: IAMPolicy
apiVersion: iam.cnrm.cloud.google.com/v1beta1
metadata: {name: publishes, namespace: NAMESPACE}
spec:
  resourceRef: {kind: PubSubTopic, name: orders}
  bindings: [{role: roles/pubsub.publisher, members: ["serviceAccount:checkout@PROJECT.iam.gserviceaccount.com"]}]
---
kind: SQLInstance
apiVersion: sql.cnrm.cloud.google.com/v1beta1
metadata: {name: db, namespace: NAMESPACE, annotations: {cnrm.cloud.google.com/state-into-spec: absent}}
spec: {region: europe-west3}
`

// connectorMove is a world with what Config Connector's objects say, the objects, and the operator. Nothing is converted yet.
func connectorMove(t *testing.T, name, objects string, want int) *move {
	t.Helper()
	w := newWorld(t, name)
	m := &move{shell: w.newShell("false"), namespace: name, want: want}
	m.left = func() []string { return m.connectorObjects() }
	m.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{"name": w.project + "-logs", "location": "EU", "storageClass": "NEARLINE"}))
	w.grantOnBucket(w.project+"-logs", "roles/storage.objectViewer", "user:ada@example.com", "group:team@example.com")
	m.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: w.topicName("orders"), MessageRetentionDuration: durationpb.New(86400e9)}))
	account, err := w.cloud.IAM.CreateAccount(w.project, "checkout")
	m.must(err)
	m.must(w.cloud.IAM.EditAccount(account.GetEmail(), func(a *adminpb.ServiceAccount) { a.DisplayName = "Checkout" }))
	m.must(w.cloud.PubSub.EditPolicy(w.topicName("orders"), func(p *iampb.Policy) {
		p.Bindings = []*iampb.Binding{{Role: "roles/pubsub.publisher", Members: []string{"serviceAccount:" + account.GetEmail()}}}
	}))
	m.must(w.cloud.ResourceManager.EditPolicy(w.project, func(p *iampb.Policy) {
		p.AuditConfigs = []*iampb.AuditConfig{{Service: "storage.googleapis.com", AuditLogConfigs: []*iampb.AuditLogConfig{{LogType: iampb.AuditLogConfig_DATA_READ}}}}
	}))
	w.write("connector/all.yaml", strings.NewReplacer("PROJECT", w.project, "NAMESPACE", name).Replace(objects))
	m.does("kubectl create -f connector/all.yaml")
	m.does("kubectl annotate namespace " + name + " cnrm.cloud.google.com/project-id=" + w.project)
	w.start()
	m.begin()
	return m
}

// bucketAndMember are the first two of the objects.
func bucketAndMember() string {
	documents := strings.SplitAfterN(connectorObjects, "---\n", 3)
	return strings.TrimSuffix(documents[0]+documents[1], "---\n")
}

// connectorObjects are the objects of Config Connector that are left, with what happens to their resources when they are deleted.
func (m *move) connectorObjects() []string {
	m.t.Helper()
	var out []string
	for _, k := range connectorKinds {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: k.group + ".cnrm.cloud.google.com", Version: "v1beta1", Kind: k.kind + "List"})
		m.must(m.kube.List(m.t.Context(), list, client.InNamespace(m.namespace)))
		for i := range list.Items {
			out = append(out, k.kind+"/"+list.Items[i].GetName())
		}
	}
	slices.Sort(out)
	return out
}

// converts makes manifests of the folder of Config Connector's.
func (m *move) converts() result {
	m.t.Helper()
	return m.sh("kubectl holdfast convert -n " + m.namespace + " --from config-connector connector --out manifests --handover handover.sh")
}

// TestMovingFromConfigConnector: no step writes, whatever interrupts it, and Config Connector lets go last. They go one after another, because what
// the README says hands over all that is in the cluster.
func TestMovingFromConfigConnector(t *testing.T) {
	t.Parallel()
	installConnector(t)

	t.Run("as the README says", func(t *testing.T) {
		m := connectorMove(t, "readme", connectorObjects, 4)
		m.followsReadme("Moving from Config Connector")
		m.keeps([]string{"something"})
		if left := m.left(); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})

	t.Run("with what has no equivalent", func(t *testing.T) {
		m := connectorMove(t, "converted", connectorObjects+connectorLeftovers, 4)
		got := m.converts()
		if got.code != 2 || got.stdout != "" {
			t.Errorf("got %+v", got)
		}
		m.golden("convert/connector.stderr", got.stderr)
		script, err := os.ReadFile(filepath.Join(m.folder, "handover.sh"))
		m.must(err)
		m.golden("convert/connector.sh", string(script))
		for range 2 { // the second time there is nothing left to do
			m.does("sh handover.sh")
			m.keeps([]string{"something"})
			if left := m.left(); !slices.Equal(left, []string{"SQLInstance/db"}) {
				t.Errorf("left: %q", left)
			}
		}
	})

	t.Run("interrupted everywhere", func(t *testing.T) {
		m := connectorMove(t, "move-interrupted", bucketAndMember(), 1)
		m.converts()
		m.interruptsEverywhere()
		if left := m.left(); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})

	t.Run("with an object that git takes back", func(t *testing.T) {
		m := connectorMove(t, "takenback", bucketAndMember(), 1)
		m.converts()
		all := m.left()
		m.after("kubectl", `[ "$1" != apply ] || real annotate --overwrite storagebucket/logs -n takenback cnrm.cloud.google.com/deletion-policy=delete`)
		m.stops("sh handover.sh", "storagebucket.storage.cnrm.cloud.google.com/logs in the namespace takenback is not deleted, since Config Connector would delete")
		m.keeps(all)
		if left := m.left(); !slices.Equal(left, all) {
			t.Errorf("left: %q", left)
		}
		m.after("kubectl", `[ "$1" != apply ] || real annotate storagebucket/logs -n takenback cnrm.cloud.google.com/deletion-policy-`)
		m.stops("sh handover.sh", "is not abandon any more. If git applies the object, set the annotation there. Then run this script again.")
		m.uninterrupted()
		m.does("sh handover.sh")
		m.keeps(all)
	})

	t.Run("with objects that cannot be read", func(t *testing.T) {
		m := connectorMove(t, "unreadable", bucketAndMember(), 1)
		m.converts()
		all := m.left()
		m.after("kubectl", `[ "$1" != get ] || code=1`)
		m.stops("sh handover.sh", "storagebucket.storage.cnrm.cloud.google.com/logs in the namespace unreadable could not be read, see above")
		if left := m.left(); !slices.Equal(left, all) || m.ready() {
			t.Errorf("left: %q", left)
		}
	})

	t.Run("with a manifest that differs", func(t *testing.T) {
		m := connectorMove(t, "differing", bucketAndMember(), 1)
		m.must(m.cloud.Storage.EditBucket(m.project+"-logs", map[string]any{"storageClass": "COLDLINE"}))
		m.begin()
		m.converts()
		all := m.left()
		m.stops("sh handover.sh", "the plan above is more than adopting what is there.")
		if annotated := m.does("kubectl get storagebucket -n differing -o yaml").stdout; strings.Contains(annotated, "reconcile-interval") || m.ready() {
			t.Errorf("more was done than a plan:\n%s", annotated)
		}
		m.stops("sh handover.sh", "buckets.gcp.holdfast.dev/logs in the namespace differing is not Ready. `kubectl holdfast status -n differing buckets/logs` says why",
			"ACCEPT_CHANGES=yes", "TIMEOUT=1s")
		if left := m.left(); !slices.Equal(left, all) {
			t.Errorf("left: %q", left)
		}
		said := m.does("kubectl holdfast status -n differing buckets/logs").stdout
		if !strings.Contains(said, "kubectl holdfast approve") {
			t.Errorf("status does not say how to approve:\n%s", said)
		}
		m.does("kubectl holdfast approve -n differing buckets/logs --yes")
		m.does("sh handover.sh", "ACCEPT_CHANGES=yes")
		if left := m.left(); len(left) > 0 || !m.ready() {
			t.Errorf("left: %q", left)
		}
	})

	t.Run("with a manifest that is not valid", func(t *testing.T) {
		m := connectorMove(t, "faulty", bucketAndMember(), 1)
		m.converts()
		m.write("manifests/faulty/bucket/other.yaml", "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Bucket\nmetadata: {name: other, namespace: faulty}\nspec: {location: [EU]}\n")
		m.stops("sh handover.sh", "manifests are refused or not valid, or could not be looked at, see above.", "ACCEPT_CHANGES=yes")
	})

	t.Run("converted anew meanwhile", func(t *testing.T) {
		m := connectorMove(t, "anew", bucketAndMember(), 1)
		m.converts()
		all, script := m.files("connector")["all.yaml"], m.files(".")["handover.sh"]
		bucket, _, _ := strings.Cut(all, "---\n")
		m.write("connector/all.yaml", bucket) // as if the other object were gone already
		if got := m.converts(); got.code != 2 || !strings.Contains(got.stderr, "handover.sh: was kept; it hands over something else") ||
			!strings.Contains(got.stderr, "it differs in spec.iam") || m.files(".")["handover.sh"] != script {
			t.Errorf("got %+v", got)
		}
		m.does("sh handover.sh")
		m.keeps([]string{"something"})
		m.write("connector/all.yaml", strings.Replace(bucket, "StorageBucket", "SQLInstance", 1))
		if got := m.converts(); got.code != 2 || !strings.Contains(got.stderr, "handover.sh: was not written: there is nothing to hand over") {
			t.Errorf("got %+v", got)
		}
	})
}
