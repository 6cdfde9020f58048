package plugin

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/type/expr"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// buckets are shapes of buckets, as the console has them.
var buckets = map[string]map[string]any{
	"plain":      {},
	"under_line": {"location": "EUROPE-WEST3"},
	"dotted.one": {"storageClass": "NEARLINE", "versioning": map[string]any{"enabled": true}},
	"labelled":   {"labels": map[string]any{"team": "shop", "empty": ""}},
	"ruled": {
		"lifecycle": map[string]any{"rule": []any{
			map[string]any{"action": map[string]any{"type": "Delete"}, "condition": map[string]any{"age": 0, "numNewerVersions": 3}},
			map[string]any{"action": map[string]any{"type": "SetStorageClass", "storageClass": "COLDLINE"}, "condition": map[string]any{"age": 30, "matchesPrefix": []any{"tmp/"}}},
		}},
		"cors":    []any{map[string]any{"origin": []any{"https://example.com"}, "method": []any{"GET"}, "maxAgeSeconds": 60}},
		"website": map[string]any{"mainPageSuffix": "index.html"},
	},
	"strict": {
		"iamConfiguration": map[string]any{"uniformBucketLevelAccess": map[string]any{"enabled": true}, "publicAccessPrevention": "enforced"},
		"softDeletePolicy": map[string]any{"retentionDurationSeconds": "0"}, "retentionPolicy": map[string]any{"retentionPeriod": "86400"},
		"encryption": map[string]any{"defaultKmsKeyName": "projects/p/locations/us/keyRings/r/cryptoKeys/k"},
		"billing":    map[string]any{"requesterPays": true},
	},
	"dual":     {"location": "US", "customPlacementConfig": map[string]any{"dataLocations": []any{"US-EAST1", "US-WEST1"}}},
	"classy":   {"autoclass": map[string]any{"enabled": true, "terminalStorageClass": "ARCHIVE"}},
	"filtered": {"ipFilter": map[string]any{"mode": "Disabled", "publicNetworkSource": map[string]any{"allowedIpCidrRanges": []any{"192.0.2.0/24"}}}},
}

// fillCloud puts resources of all kinds and shapes into a project, as the console would, and says how many.
func fillCloud(w *world, project string) int {
	w.t.Helper()
	n := 0
	for name, shape := range buckets {
		shape = maps.Clone(shape)
		shape["name"] = project + "-" + name
		if name == "under_line" {
			shape["name"] = strings.ReplaceAll(project, "-", "_") + name
		}
		w.must(w.cloud.Storage.CreateBucket(project, shape))
		n++
	}
	for name, topic := range map[string]*pubsubpb.Topic{
		"plain":      {},
		"With_Upper": {Labels: map[string]string{"team": "shop"}},
		"kept":       {MessageRetentionDuration: durationpb.New(time.Hour), KmsKeyName: "projects/p/locations/us/keyRings/r/cryptoKeys/k"},
		"regional":   {MessageStoragePolicy: &pubsubpb.MessageStoragePolicy{AllowedPersistenceRegions: []string{"europe-west3"}, EnforceInTransit: true}},
		"importing": {IngestionDataSourceSettings: &pubsubpb.IngestionDataSourceSettings{
			Source: &pubsubpb.IngestionDataSourceSettings_CloudStorage_{CloudStorage: &pubsubpb.IngestionDataSourceSettings_CloudStorage{
				Bucket: project + "-plain", InputFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_TextFormat_{TextFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_TextFormat{}},
			}},
		}},
	} {
		topic.Name = "projects/" + project + "/topics/" + name
		w.must(w.cloud.PubSub.PutTopic(topic))
		n++
	}
	for i, name := range []string{"plain-account", "told-account", "disabled-account"} {
		account, err := w.cloud.IAM.CreateAccount(project, name)
		w.must(err)
		w.must(w.cloud.IAM.EditAccount(account.GetEmail(), func(a *adminpb.ServiceAccount) {
			if i > 0 {
				a.DisplayName, a.Description = "Told", "An account with words: \"quoted\" # and so on"
			}
			a.Disabled = i == 2
		}))
		n++
	}
	return n
}

// grantIn gives roles in a project, on a bucket and on a topic of it.
func grantIn(w *world, project string) {
	w.t.Helper()
	w.must(w.cloud.ResourceManager.EditPolicy(project, func(p *iampb.Policy) {
		p.Bindings = append(p.Bindings,
			&iampb.Binding{Role: "roles/viewer", Members: []string{"user:ada@example.com", "group:team@example.com"}},
			&iampb.Binding{Role: "roles/pubsub.serviceAgent", Members: []string{"serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"}},
			&iampb.Binding{Role: "roles/browser", Members: []string{"user:ada@example.com"}, Condition: &expr.Expr{Title: "weekly", Expression: `request.time < timestamp("2030-01-01T00:00:00Z")`}},
			&iampb.Binding{Role: "roles/browser", Members: []string{"user:ada@example.com"}, Condition: &expr.Expr{Title: "named", Expression: `resource.name.startsWith("projects/p")`}})
		p.AuditConfigs = []*iampb.AuditConfig{{Service: "storage.googleapis.com", AuditLogConfigs: []*iampb.AuditLogConfig{{LogType: iampb.AuditLogConfig_DATA_READ, ExemptedMembers: []string{"user:ada@example.com"}}}}}
	}))
	w.grantOnBucket(project+"-plain", "roles/storage.objectViewer", "allUsers", "user:ada@example.com")
	w.must(w.cloud.PubSub.EditPolicy("projects/"+project+"/topics/plain", func(p *iampb.Policy) {
		p.Bindings = append(p.Bindings, &iampb.Binding{Role: "roles/pubsub.publisher", Members: []string{"group:team@example.com"}})
	}))
}

func (w *world) grantOnBucket(bucket, role string, members ...string) {
	w.t.Helper()
	w.must(w.cloud.Storage.EditPolicy(bucket, func(p *iampb.Policy) {
		p.Bindings = append(p.Bindings, &iampb.Binding{Role: role, Members: members})
	}))
}

// imports runs an import of the world's project into its namespace.
func (w *world) imports(args ...string) result {
	w.t.Helper()
	return w.run(slices.Concat([]string{"import", "--project", w.project, "-n", w.namespace}, w.cloudArgs(), args)...)
}

// files are the files below a folder of the world, by their paths.
func (w *world) files(folder string) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	w.must(fs.WalkDir(os.DirFS(filepath.Join(w.folder, folder)), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(w.folder, folder, name))
		out[name] = string(text)
		return err
	}))
	return out
}

// apply applies all manifests of a folder but Namespaces, and returns them.
func (w *world) apply(folder string) []v1alpha1.Object {
	w.t.Helper()
	var out []v1alpha1.Object
	for name, text := range w.files(folder) {
		obj := &unstructured.Unstructured{}
		w.must(yaml.UnmarshalStrict([]byte(text), &obj.Object))
		k, ok := kind.Named(kinds.All(nil), obj.GetKind())
		if !ok {
			continue
		}
		if err := client.WithFieldValidation(w.kube, "Strict").Create(w.t.Context(), obj); err != nil {
			w.t.Fatalf("%s: %v\n%s", name, err, text)
		}
		typed := k.New()
		typed.SetNamespace(obj.GetNamespace())
		typed.SetName(obj.GetName())
		out = append(out, typed)
	}
	return out
}

// TestApplyingWhatWasImportedWritesNothing is the promise: all Ready, and not one write to Google Cloud.
func TestApplyingWhatWasImportedWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "imported")
	there := fillCloud(w, w.project)
	grantIn(w, w.project)
	mark := w.cloud.Traffic.Mark()
	got := w.imports("--iam", "--out", "manifests")
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("importing: %+v", got)
	}
	w.golden("import/summary.txt", got.stdout)
	w.golden("import/policy.yaml", w.files("manifests")[w.namespace+"/projectpolicy/"+w.project+".yaml"])
	w.golden("import/bucket.yaml", w.files("manifests")[w.namespace+"/bucket/"+w.project+"-ruled.yaml"])
	verified := w.run(slices.Concat([]string{"import", "--verify", "manifests", "--iam"}, w.cloudArgs())...)
	if verified.code != 0 {
		t.Fatalf("verifying: %+v", verified)
	}
	if writes := w.cloud.Traffic.WritesSince(mark); len(writes) > 0 {
		t.Fatalf("importing wrote: %+v", writes)
	}

	w.start()
	mark = w.cloud.Traffic.Mark()
	applied := w.apply("manifests")
	if len(applied) != there+1 { // the project's policy
		t.Errorf("%d manifests of %d resources and a policy", len(applied), there)
	}
	for _, obj := range applied {
		w.ready(obj)
	}
	if writes := w.cloud.Traffic.WritesSince(mark); len(writes) > 0 {
		t.Errorf("applying what was imported wrote: %+v", writes)
	}
}

// TestASecondImportChangesNothing: byte for byte; and what somebody edited is kept and told.
func TestASecondImportChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "again")
	fillCloud(w, w.project)
	if got := w.imports("--offline", "--out", "manifests"); got.code != 0 {
		t.Fatalf("importing: %+v", got)
	}
	before := w.files("manifests")
	if got := w.imports("--offline", "--out", "manifests"); got.code != 0 || !strings.Contains(got.stdout, fmt.Sprintf("manifests: %d unchanged", len(before))) {
		t.Errorf("importing again: %+v", got)
	}
	if diff := cmp.Diff(before, w.files("manifests")); diff != "" {
		t.Errorf("the second import changed (-first +second):\n%s", diff)
	}

	edited := w.namespace + "/topic/kept.yaml"
	w.write("manifests/"+edited, strings.Replace(before[edited], "3600", "7200", 1))
	got := w.imports("--offline", "--out", "manifests")
	if got.code != 2 || !strings.Contains(got.stdout, "spec.messageRetentionSeconds") || !strings.Contains(got.stdout, "1 kept") {
		t.Errorf("with an edited file: %+v", got)
	}
	if !strings.Contains(w.files("manifests")[edited], "7200") {
		t.Error("the edited file was overwritten")
	}
	if got := w.imports("--offline", "--out", "manifests", "--overwrite"); got.code != 0 || !strings.Contains(got.stdout, "1 overwritten") {
		t.Errorf("with --overwrite: %+v", got)
	}
	if diff := cmp.Diff(before, w.files("manifests")); diff != "" {
		t.Errorf("after --overwrite (-first +now):\n%s", diff)
	}
}

// TestImportPassesOverWhatIsManaged: by its label, or by a manifest in the cluster.
func TestImportPassesOverWhatIsManaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "managed")
	for name, labels := range map[string]any{"free": map[string]any{}, "owned": map[string]any{v1alpha1.OwnerLabel: "somebody"}, "declared": map[string]any{}} {
		w.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{"name": w.project + "-" + name, "labels": labels}))
	}
	declared := &v1alpha1.Bucket{}
	declared.Name = w.project + "-declared"
	w.create(declared)
	got := w.imports("--kinds", "bucket", "--out", "manifests")
	if got.code != 0 || !strings.Contains(got.stdout, "1 managed by an installation of Holdfast, passed over, 1 declared by manifests in the cluster, passed over") {
		t.Errorf("got %+v", got)
	}
	want := []string{w.namespace + "/0-namespace/" + w.namespace + ".yaml", w.namespace + "/bucket/" + w.project + "-free.yaml"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(w.files("manifests")))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if got := w.imports("--kinds", "bucket", "--offline", "-l", "!"+v1alpha1.OwnerLabel); strings.Count(got.stdout, "kind: Bucket") != 2 {
		t.Errorf("without the cluster, to stdout: %+v", got)
	}
}

// TestOneDeniedProject: the others are imported, and the exit code says that something is missing; the next run goes on with it alone.
func TestOneDeniedProject(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "denied")
	others := []string{"denied-one", "denied-two"}
	for _, project := range others {
		w.must(w.cloud.AddProject(project, 0))
		w.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: "projects/" + project + "/topics/orders"}))
	}
	w.must(w.cloud.Projects.Edit("denied-one", func(p *projects.Project) { p.Foreign = true }))
	args := slices.Concat([]string{"import", "--offline", "--project", strings.Join(others, ","), "--out", "manifests"}, w.cloudArgs())
	got := w.run(args...)
	if got.code != 1 || !strings.Contains(got.stdout, `project "denied-one"`) || !strings.Contains(got.stdout, "1 of 2 complete") {
		t.Errorf("got %+v", got)
	}
	files := w.files("manifests")
	if files["denied-two/topic/orders.yaml"] == "" || files[".holdfast-import.json"] == "" {
		t.Errorf("files: %v", slices.Sorted(maps.Keys(files)))
	}
	w.must(w.cloud.Projects.Edit("denied-one", func(p *projects.Project) { p.Foreign = false }))
	mark := w.cloud.Traffic.Mark()
	if got = w.run(args...); got.code != 0 || !strings.Contains(got.stdout, "2 of 2 complete, 1 of them in an earlier run") {
		t.Errorf("the rest: %+v", got)
	}
	for _, entry := range w.cloud.Traffic.Since(mark) {
		if entry.Call.Project == "denied-two" {
			t.Errorf("read once more: %+v", entry.Call)
		}
	}
	if files = w.files("manifests"); files["denied-one/topic/orders.yaml"] == "" || files[".holdfast-import.json"] != "" {
		t.Errorf("files: %v", slices.Sorted(maps.Keys(files)))
	}
}

// TestAnInterruptedImportGoesOn: with what is not complete.
func TestAnInterruptedImportGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "interrupted")
	var all []string
	for i := range 6 {
		project := fmt.Sprintf("interrupted-%d", i)
		all = append(all, project)
		w.must(w.cloud.AddProject(project, 0))
		w.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: "projects/" + project + "/topics/orders"}))
	}
	held := w.cloud.Traffic.Pause(traffic.Call{Service: "pubsub", Method: "Publisher.ListTopics", Project: "interrupted-4"})
	args := slices.Concat([]string{"import", "--offline", "--parallel", "1", "--project", strings.Join(all, ","), "--out", "manifests"}, w.cloudArgs())
	cmd := w.command(args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	w.must(cmd.Start())
	select {
	case <-held.Reached():
	case <-time.After(patience):
		t.Fatal("it never came to the fifth project")
	}
	w.must(cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait()
	held.Release()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr.String(), "interrupted: run the same command again to go on with the 2 projects that are left") {
		t.Fatalf("interrupted: exit code %d, %s", code, stderr.String())
	}
	mark := w.cloud.Traffic.Mark()
	if got := w.run(args...); got.code != 0 || !strings.Contains(got.stdout, "6 of 6 complete, 4 of them in an earlier run") {
		t.Fatalf("going on: %+v", got)
	}
	for _, entry := range w.cloud.Traffic.Since(mark) {
		if p := entry.Call.Project; p != "interrupted-4" && p != "interrupted-5" {
			t.Errorf("read once more: %+v", entry.Call)
		}
	}
	for _, project := range all {
		if w.files("manifests")[project+"/topic/orders.yaml"] == "" {
			t.Errorf("%s is not imported", project)
		}
	}
}

// TestImportOfAnOrganization: its active projects, wherever in its folders.
func TestImportOfAnOrganization(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "organized")
	for _, folder := range []projects.Folder{
		{Name: "folders/1", Parent: "organizations/1"}, {Name: "folders/2", Parent: "folders/1"}, {Name: "folders/3", Parent: "organizations/1", Foreign: true},
		{Name: "folders/4", Parent: "organizations/1", Deleted: true},
	} {
		w.cloud.Projects.SetFolder(folder)
	}
	for _, p := range []projects.Project{
		{ID: "org-direct"}, {ID: "org-deep", Parent: "folders/2"}, {ID: "org-hidden", Parent: "folders/3"}, {ID: "org-gone", Deleted: true}, {ID: "org-alone", Standalone: true},
	} {
		w.must(w.cloud.Projects.Add(p))
	}
	for _, project := range []string{"org-direct", "org-deep", "org-hidden", "org-alone"} {
		w.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: "projects/" + project + "/topics/orders"}))
	}
	got := w.run(slices.Concat([]string{"import", "--offline", "--organization", "1", "--kinds", "topic", "--out", "manifests", "--namespace-prefix", "gcp-"}, w.cloudArgs())...)
	if got.code != 1 || strings.Count(got.stdout, "folders/3") < 2 {
		t.Errorf("got %+v", got)
	}
	var found []string
	for name := range w.files("manifests") {
		if strings.Contains(name, "/topic/") {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	if diff := cmp.Diff([]string{"gcp-org-deep/topic/orders.yaml", "gcp-org-direct/topic/orders.yaml"}, found); diff != "" {
		t.Errorf("imported (-want +got):\n%s", diff)
	}
}

// TestCertificate: what would write is told, with the changes, and exit code 2.
func TestCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "certified")
	fillCloud(w, w.project)
	grantIn(w, w.project)
	if got := w.imports("--offline", "--iam", "--out", "manifests"); got.code != 0 {
		t.Fatalf("importing: %+v", got)
	}
	verify := func(args ...string) result {
		return w.run(slices.Concat([]string{"import", "--verify", "manifests"}, w.cloudArgs(), args)...)
	}
	var certificate struct {
		Clean    bool           `json:"clean"`
		SHA256   string         `json:"sha256"`
		Effects  map[string]int `json:"effects"`
		Reads    int            `json:"reads"`
		Writes   int            `json:"writes"`
		Calls    []struct{ Method string }
		Findings []struct{ Kind, Name, Effect string }
	}
	got := verify("--iam", "-o", "json")
	w.must(json.Unmarshal([]byte(got.stdout), &certificate))
	if got.code != 0 || !certificate.Clean || certificate.Writes != 0 || certificate.Reads == 0 || certificate.Effects["adopt"] == 0 || len(certificate.SHA256) != 64 {
		t.Fatalf("certificate: %+v\n%+v", certificate, got)
	}
	hash := certificate.SHA256
	got = verify("-o", "json")
	w.must(json.Unmarshal([]byte(got.stdout), &certificate))
	if got.code != 2 || certificate.Clean || certificate.Effects["unchecked"] != 1 || certificate.SHA256 != hash {
		t.Errorf("without --iam: %+v", certificate)
	}
	for _, call := range certificate.Calls {
		if !strings.HasSuffix(call.Method, "list") && !strings.Contains(call.Method, ".List") && call.Method != "Projects.GetProject" && call.Method != "buckets.get" {
			t.Errorf("without --iam it called %s", call.Method)
		}
	}
	w.must(w.cloud.Storage.EditBucket(w.project+"-plain", map[string]any{"storageClass": "COLDLINE"}))
	w.must(w.cloud.Storage.EditBucket(w.project+"-classy", map[string]any{"autoclass": nil}))
	got = verify("--iam")
	if got.code != 2 {
		t.Errorf("got %+v", got)
	}
	w.golden("import/certificate.txt", got.stdout)
}

// TestImportToStdout is usable in a pipe: manifests on stdout, everything else on stderr.
func TestImportToStdout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "piped")
	w.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: "projects/" + w.project + "/topics/My_Topic"}))
	got := w.imports("--offline")
	if got.code != 0 {
		t.Fatalf("got %+v", got)
	}
	w.golden("import/stream.yaml", got.stdout)
	if !strings.Contains(got.stderr, "resources: 1") {
		t.Errorf("summary: %s", got.stderr)
	}
}

func TestImportIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "import-refused")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nothing to import":     {nil, "nothing to import"},
		"two sources":           {[]string{"--project", "p", "--organization", "1"}, "exclude each other"},
		"an unknown kind":       {[]string{"--project", "p", "--kinds", "database"}, "want some of bucket, topic, serviceaccount, projectpolicy"},
		"no such layout":        {[]string{"--project", "p", "--out", "m", "--layout", "name"}, "want the words namespace, kind and name"},
		"one namespace for two": {[]string{"--project", "p,q", "-n", "x"}, "a namespace is bound to one"},
		"a folder too many":     {[]string{"--project", "p", "manifests"}, "unexpected argument"},
		"no such folder":        {[]string{"--verify", "no-such-folder"}, "no-such-folder"},
		"a bad selector":        {[]string{"--project", "p", "-l", "a in b"}, "--selector"},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.run(slices.Concat([]string{"import", "--offline"}, w.cloudArgs(), c.args)...)
			if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, c.want) || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("got %+v, want %q", got, c.want)
			}
		})
	}
}
