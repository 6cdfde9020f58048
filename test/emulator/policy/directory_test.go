package policy_test

import (
	"encoding/json"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

const role = "roles/x.y"

// members returns who has the role.
func members(b *policy.Book) []string {
	var all []string
	for _, binding := range b.Read(project).GetBindings() {
		all = append(all, binding.GetMembers()...)
	}
	return all
}

func wantMembers(t *testing.T, b *policy.Book, when string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, members(b)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

const (
	plainReader   = "serviceAccount:" + reader
	deletedReader = "deleted:serviceAccount:" + reader + "?uid=11"
)

func TestDeletedAccount(t *testing.T) {
	book, _, known := newBook(t)
	before := book.Read(project)
	before.Bindings = []*iampb.Binding{binding(role, plainReader, "serviceAccount:"+writer)}
	written, err := book.Set(project, set(before))
	if err != nil {
		t.Fatal(err)
	}

	delete(known, reader)
	wantMembers(t, book, "deleted", deletedReader, "serviceAccount:"+writer)
	if _, err := book.Set(project, set(of(binding(role, deletedReader)))); err != nil {
		t.Errorf("writing what is there: %v", err)
	}
	_, err = book.Set(project, set(of(binding(role, plainReader))))
	grpctest.WantRefusal(t, err, codes.InvalidArgument, "Service account "+reader+" does not exist.")
	_, err = book.Set(project, set(of(binding(role, deletedReader, plainReader))))
	grpctest.WantRefusal(t, err, codes.InvalidArgument, "Inconsistent representation of deleted member: '"+deletedReader+"' and '"+plainReader+"'.")
	_, err = book.Set(project, set(written))
	grpctest.WantRefusal(t, err, codes.Aborted, concurrent)

	known[reader] = "33"
	wantMembers(t, book, "made again", deletedReader)
	if _, err := book.Set(project, set(of(binding(role, deletedReader, plainReader)))); err != nil {
		t.Errorf("both of the same name: %v", err)
	}
	wantMembers(t, book, "both of the same name", deletedReader, plainReader)

	known[reader] = "11"
	wantMembers(t, book, "undeleted in the place of the other", plainReader, "deleted:serviceAccount:"+reader+"?uid=33")
	if _, err := book.Set(project, set(of(binding(role, deletedReader)))); err != nil {
		t.Errorf("under the name that it had while it was deleted: %v", err)
	}
	wantMembers(t, book, "undeleted", plainReader)
}

// TestDeletedInALoadedState: a state that was made elsewhere may have members in
// the form in which they are shown.
func TestDeletedInALoadedState(t *testing.T) {
	const deletedUser = "deleted:user:ada@example.com?uid=77"
	book, _, known := newBook(t)
	delete(known, reader)
	dumped := `{"bindings": [{"role": "` + role + `", "members": ["` + deletedReader + `", "` + deletedUser + `"]}]}`
	grpctest.Must(t, book.Load(map[string]json.RawMessage{project: json.RawMessage(dumped)}))
	wantMembers(t, book, "loaded", deletedReader, deletedUser)
	if _, err := book.Set(project, set(of(binding(role, deletedReader, deletedUser)))); err != nil {
		t.Errorf("writing what is there: %v", err)
	}
	wantMembers(t, book, "written", deletedReader, deletedUser)
	known[reader] = "11"
	wantMembers(t, book, "undeleted", plainReader, deletedUser)
}

func TestAliases(t *testing.T) {
	book, directory, _ := newBook(t)
	grpctest.Must(t, directory.Alias("group:All@example.com", "group:everybody@example.com"))
	grpctest.Must(t, directory.Alias("user:bob@example.com", "user:Robert@example.com"))
	answered, err := book.Set(project, set(of(
		binding(role, "group:all@example.com", "user:Bob@example.com", "user:carol@googlemail.com", "group:carol@googlemail.com"),
		binding("roles/x.z", "user:bob@example.com", "user:robert@example.com"),
	)))
	if err != nil {
		t.Fatal(err)
	}
	want := []*iampb.Binding{
		binding(role, "group:everybody@example.com", "user:robert@example.com", "user:carol@gmail.com", "group:carol@googlemail.com"),
		binding("roles/x.z", "user:robert@example.com"),
	}
	if diff := cmp.Diff(want, answered.GetBindings(), protocmp.Transform()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	log := &iampb.AuditLogConfig{LogType: iampb.AuditLogConfig_DATA_READ, ExemptedMembers: []string{"user:bob@example.com", "user:robert@example.com"}}
	audited := &iampb.Policy{AuditConfigs: []*iampb.AuditConfig{{Service: "allServices", AuditLogConfigs: []*iampb.AuditLogConfig{log}}}}
	answered, err = book.Set(project, &iampb.SetIamPolicyRequest{Policy: audited, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"audit_configs"}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"user:robert@example.com"}, answered.GetAuditConfigs()[0].GetAuditLogConfigs()[0].GetExemptedMembers()); diff != "" {
		t.Errorf("exempted (-want +got):\n%s", diff)
	}
	aliases := map[string]string{"group:all@example.com": "group:everybody@example.com", "user:bob@example.com": "user:robert@example.com"}
	if diff := cmp.Diff(aliases, directory.Aliases()); diff != "" {
		t.Errorf("aliases (-want +got):\n%s", diff)
	}
	other, _ := newDirectory(t)
	grpctest.Must(t, other.LoadAliases(directory.Aliases()))
	if diff := cmp.Diff(aliases, other.Aliases()); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	for _, wrong := range [][2]string{
		{"bob", "user:bob@example.com"}, {"user:bob@example.com", "group:all@example.com"}, {"user:a@example.com", "user:A@example.com"},
		{"serviceAccount:" + reader, "serviceAccount:" + writer}, {"user:a@example.com", "allUsers"}, {"user:a@example.com", "user:bob@example.com"},
	} {
		if err := directory.Alias(wrong[0], wrong[1]); err == nil {
			t.Errorf("%s for %s: no error", wrong[0], wrong[1])
		}
	}
}

func TestDeletedUser(t *testing.T) {
	book, directory, _ := newBook(t)
	grpctest.Must(t, directory.Set("user:Ada.Lovelace@example.com", policy.Known))
	if _, err := book.Set(project, set(of(binding(role, "user:ada.lovelace@example.com", "user:ADA.lovelace@example.com")))); err != nil {
		t.Fatal(err)
	}
	wantMembers(t, book, "as the account is spelt", "user:Ada.Lovelace@example.com")
	grpctest.Must(t, directory.Set("user:Ada.Lovelace@example.com", policy.Deleted))
	shown := members(book)[0]
	_, err := book.Set(project, set(of(binding(role, "user:ada.lovelace@example.com"))))
	grpctest.WantRefusal(t, err, codes.InvalidArgument, "User ada.lovelace@example.com does not exist.")
	if _, err := book.Set(project, set(of(binding(role, shown)))); err != nil {
		t.Errorf("writing %s, which is there: %v", shown, err)
	}
	wantMembers(t, book, "deleted and written", shown)
	grpctest.Must(t, directory.Set("user:Ada.Lovelace@example.com", policy.Known))
	wantMembers(t, book, "back", "user:Ada.Lovelace@example.com")
}

func TestTheCallerExists(t *testing.T) {
	registry := projects.New(false)
	if _, made := registry.Lookup("emulator"); !made {
		t.Fatal("no project")
	}
	book := policy.NewBook(policy.Rules{Directory: policy.NewDirectory(registry)})
	if _, err := book.Set(project, set(of(binding(role, "serviceAccount:"+traffic.Caller)))); err != nil {
		t.Error(err)
	}
	_, err := book.Set(project, set(of(binding(role, "serviceAccount:other@emulator.iam.gserviceaccount.com"))))
	grpctest.WantRefusal(t, err, codes.InvalidArgument, "Service account other@emulator.iam.gserviceaccount.com does not exist.")
}

func TestPrincipals(t *testing.T) {
	directory, _ := newDirectory(t)
	for _, name := range []string{"allUsers", "ada", "deleted:user:a@example.com?uid=1"} {
		if err := directory.Set(name, policy.Unknown); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := directory.Set("user:a@example.com", "asleep"); err == nil {
		t.Error("a state that is none: no error")
	}
	grpctest.Must(t, directory.Set("domain:invalid.example", policy.Known))
	grpctest.Must(t, directory.Set("group:Typo@example.com", policy.Unknown))
	want := map[string]policy.State{"domain:invalid.example": policy.Known, "group:Typo@example.com": policy.Unknown}
	if diff := cmp.Diff(want, directory.Principals()); diff != "" {
		t.Errorf("principals (-want +got):\n%s", diff)
	}
	other, _ := newDirectory(t)
	grpctest.Must(t, other.Load(directory.Principals()))
	if diff := cmp.Diff(want, other.Principals()); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	book := policy.NewBook(policy.Rules{Directory: other})
	_, err := book.Set(project, set(of(binding(role, "group:typo@example.com"))))
	grpctest.WantRefusal(t, err, codes.InvalidArgument, "Group typo@example.com does not exist.")
	if _, err := book.Set(project, set(of(binding(role, "user:ada@invalid.example")))); err != nil {
		t.Error(err)
	}
}
