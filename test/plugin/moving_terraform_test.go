package plugin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// terraformBucket is a bucket in a state, with who may read it. PROJECT stands for the project.
const terraformBucket = `{
  "mode": "managed", "type": "google_storage_bucket", "name": "logs", "provider": "PROVIDER",
  "instances": [{"index_key": 0, "schema_version": 0, "attributes": {"name": "PROJECT-logs", "project": "PROJECT", "location": "EU", "storage_class": "NEARLINE"}}]
}, {
  "mode": "managed", "type": "google_storage_bucket_iam_member", "name": "reads", "provider": "PROVIDER",
  "instances": [
    {"index_key": "ada", "schema_version": 0, "attributes": {"bucket": "b/PROJECT-logs", "role": "roles/storage.objectViewer", "member": "user:ada@example.com"}},
    {"index_key": "team", "schema_version": 0, "attributes": {"bucket": "b/PROJECT-logs", "role": "roles/storage.objectViewer", "member": "group:team@example.com"}}
  ]
}`

// terraformOthers are resources of the other kinds.
const terraformOthers = `, {
  "module": "module.messaging[\"eu\"]", "mode": "managed", "type": "google_pubsub_topic", "name": "orders", "provider": "PROVIDER",
  "instances": [{"index_key": "it's \"one\"", "schema_version": 0, "attributes": {"name": "orders", "project": "PROJECT", "message_retention_duration": "86400s"}}]
}, {
  "mode": "managed", "type": "google_service_account", "name": "checkout", "provider": "PROVIDER",
  "instances": [{"schema_version": 0, "attributes": {"account_id": "checkout", "project": "PROJECT", "display_name": "Checkout"}}]
}, {
  "mode": "managed", "type": "google_project_iam_member", "name": "views", "provider": "PROVIDER",
  "instances": [{"schema_version": 0, "attributes": {"project": "PROJECT", "role": "roles/browser", "member": "user:ada@example.com"}}]
}`

// terraformLeftover is one without an equivalent.
const terraformLeftover = `, {
  "mode": "managed", "type": "google_sql_database_instance", "name": "db", "provider": "PROVIDER",
  "instances": [{"schema_version": 0, "attributes": {"name": "db", "project": "PROJECT"}}]
}`

// terraformMove is a world with what a state says, the state, and the operator. Nothing is converted yet.
func terraformMove(t *testing.T, name, terraform, resources string, want int) *move {
	t.Helper()
	w := newWorld(t, name)
	m := &move{shell: w.newShell(terraform), namespace: w.project, want: want} // Terraform has no namespaces: they are called after projects
	m.left = func() []string { return m.addresses() }
	w.makeNamespace(w.project, nil)
	m.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{"name": w.project + "-logs", "location": "EU", "storageClass": "NEARLINE"}))
	w.grantOnBucket(w.project+"-logs", "roles/storage.objectViewer", "user:ada@example.com", "group:team@example.com")
	m.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: w.topicName("orders"), MessageRetentionDuration: durationpb.New(86400e9)}))
	account, err := w.cloud.IAM.CreateAccount(w.project, "checkout")
	m.must(err)
	m.must(w.cloud.IAM.EditAccount(account.GetEmail(), func(a *adminpb.ServiceAccount) { a.DisplayName = "Checkout" }))
	m.must(w.cloud.ResourceManager.EditPolicy(w.project, func(p *iampb.Policy) {
		p.Bindings = append(p.Bindings, &iampb.Binding{Role: "roles/browser", Members: []string{"user:ada@example.com"}})
	}))
	provider := `provider[\"registry.terraform.io/hashicorp/google\"]`
	w.write(stateFile, strings.NewReplacer("PROJECT", w.project, "PROVIDER", provider).Replace(
		`{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "c7b1b0a5", "outputs": {}, "resources": [`+resources+"]}"))
	w.start(w.project)
	m.begin()
	return m
}

// addresses are what the state has.
func (m *move) addresses() []string {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.folder, stateFile))
	m.must(err)
	var whole state
	m.must(json.Unmarshal(text, &whole))
	return addresses(whole)
}

// TestMovingFromTerraform: no step writes, whatever interrupts it, and Terraform forgets last. Where a real one is installed, it is the one that is
// interrupted.
func TestMovingFromTerraform(t *testing.T) {
	t.Parallel()
	all, err := terraforms()
	if err != nil {
		t.Fatal(err)
	}
	for kind, terraform := range all {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			movesAsReadmeSays(t, kind, terraform)
			if all["real"] == "" || kind == "real" {
				movesWhateverHappens(t, kind, terraform)
			}
		})
	}
}

func movesAsReadmeSays(t *testing.T, kind, terraform string) {
	t.Run("as the README says", func(t *testing.T) {
		m := terraformMove(t, kind+"-readme", terraform, terraformBucket+terraformOthers, 4)
		m.followsReadme("Moving from Terraform")
		m.keeps([]string{"something"})
		if left := m.left(); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
}

func movesWhateverHappens(t *testing.T, kind, terraform string) {
	const converts = "terraform state pull | kubectl holdfast convert --from terraform-state - --out manifests --handover handover.sh"
	t.Run("interrupted everywhere", func(t *testing.T) {
		m := terraformMove(t, kind+"-interrupted", terraform, terraformBucket+terraformLeftover, 1)
		want := []string{
			"google_sql_database_instance.db", "google_storage_bucket.logs[0]",
			`google_storage_bucket_iam_member.reads["ada"]`, `google_storage_bucket_iam_member.reads["team"]`,
		}
		if left := m.left(); !slices.Equal(left, want) {
			t.Errorf("left: %q", left)
		}
		if got := m.sh(converts); got.code != 2 || !strings.Contains(got.stderr, "there is no kind for google_sql_database_instance") {
			t.Errorf("got %+v", got)
		}
		m.interruptsEverywhere()
		if left := m.left(); !slices.Equal(left, []string{"google_sql_database_instance.db"}) {
			t.Errorf("left: %q", left)
		}
		m.does("sh handover.sh") // there is nothing left to do
	})

	t.Run("with a state that is locked or gone", func(t *testing.T) {
		m := terraformMove(t, kind+"-locked", terraform, terraformBucket+terraformOthers, 4)
		m.does(converts)
		all := m.left()
		if listed := strings.Split(strings.TrimSpace(m.does("terraform state list").stdout), "\n"); !slices.Equal(listed, all) {
			t.Errorf("Terraform lists %q, and its state has %q", listed, all)
		}
		locked, err := os.OpenFile(filepath.Join(m.folder, stateFile), os.O_RDWR, 0)
		m.must(err)
		m.must(lockState(locked))
		m.stops("sh handover.sh", "Stopped: Terraform did not forget them, see above.")
		m.must(locked.Close())
		if left := m.left(); !slices.Equal(left, all) {
			t.Errorf("left: %q", left)
		}
		m.must(os.Rename(filepath.Join(m.folder, stateFile), filepath.Join(m.folder, "elsewhere")))
		m.stops("sh handover.sh", "Stopped: Terraform does not list its state, see above.")
		m.must(os.Rename(filepath.Join(m.folder, "elsewhere"), filepath.Join(m.folder, stateFile)))
		m.does("terraform state rm 'google_storage_bucket.logs[0]'") // as somebody did by hand
		if got := m.does("sh handover.sh"); !strings.Contains(got.stdout, "google_storage_bucket.logs[0] is forgotten already\n") {
			t.Errorf("got %+v", got)
		}
		if left := m.left(); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
}
