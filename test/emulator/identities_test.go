package emulator

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	admin "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

const (
	readerEmail  = "reader@my-project.iam.gserviceaccount.com"
	readerMember = "serviceAccount:" + readerEmail
	oneAccount   = "/v1/projects/my-project/serviceAccounts/" + readerEmail
)

// newCloud returns a cloud with a bucket, a topic, and an account that is
// granted something on both of them, on its project and on itself.
func newCloud(t *testing.T) (e *Emulator, uid string) {
	t.Helper()
	e = StartTest(t)
	must(t, e, "POST", newBucket, `{"name": "admin-logs"}`)
	must(t, e, "PUT", oneTopic, `{}`)
	created := must(t, e, "POST", "/v1/projects/my-project/serviceAccounts", `{"accountId": "reader"}`).(map[string]any)
	must(t, e, "PUT", "/storage/v1/b/admin-logs/iam", `{"bindings": [{"role": "roles/storage.objectViewer", "members": ["`+readerMember+`"]}]}`)
	must(t, e, "POST", oneTopic+":setIamPolicy", `{"policy": {"bindings": [{"role": "roles/pubsub.publisher", "members": ["`+readerMember+`"]}]}}`)
	must(t, e, "POST", oneAccount+":setIamPolicy", `{"policy": {"bindings": [{"role": "roles/iam.serviceAccountUser", "members": ["`+readerMember+`"]}]}}`)
	must(t, e, "POST", "/v3/projects/my-project:setIamPolicy", `{"policy": {"bindings": [{"role": "roles/viewer", "members": ["`+readerMember+`"]}]}}`)
	return e, created["uniqueId"].(string)
}

// grantees returns the members of each policy, by its holder.
func grantees(t *testing.T, e *Emulator, uid string) map[string][]string {
	t.Helper()
	bucket, err := e.Storage.Policy("admin-logs")
	if err != nil {
		t.Fatal(err)
	}
	topic, err := e.PubSub.Policy("projects/my-project/topics/events")
	if err != nil {
		t.Fatal(err)
	}
	account, _ := e.IAM.Policy(uid)
	all := map[string][]string{}
	for holder, p := range map[string]*iampb.Policy{
		"bucket": bucket, "topic": topic, "account": account, "project": e.ResourceManager.Policy("my-project"),
	} {
		for _, b := range p.GetBindings() {
			all[holder] = append(all[holder], b.GetMembers()...)
		}
	}
	return all
}

func wantGrantees(t *testing.T, e *Emulator, uid, when, member string) {
	t.Helper()
	want := map[string][]string{"bucket": {member}, "topic": {member}, "account": {member}, "project": {member}}
	if diff := cmp.Diff(want, grantees(t, e, uid)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// TestDeletedAccountInAllPolicies: deleting an account marks it wherever it
// is named, and undeleting it takes the mark away.
func TestDeletedAccountInAllPolicies(t *testing.T) {
	e, uid := newCloud(t)
	deleted := "deleted:" + readerMember + "?uid=" + uid
	wantGrantees(t, e, uid, "at first", readerMember)
	must(t, e, "DELETE", oneAccount, "")
	wantGrantees(t, e, uid, "deleted", deleted)
	if _, overREST := call(t, e, "GET", "/storage/v1/b/admin-logs/iam", ""); !strings.Contains(overREST, deleted) {
		t.Errorf("the bucket's policy over REST: %s", overREST)
	}
	for _, edit := range []func(func(*iampb.Policy)) error{
		func(edit func(*iampb.Policy)) error { return e.Storage.EditPolicy("admin-logs", edit) },
		func(edit func(*iampb.Policy)) error {
			return e.PubSub.EditPolicy("projects/my-project/topics/events", edit)
		},
		func(edit func(*iampb.Policy)) error { return e.IAM.EditPolicy(uid, edit) },
		func(edit func(*iampb.Policy)) error { return e.ResourceManager.EditPolicy("my-project", edit) },
	} {
		if err := edit(func(*iampb.Policy) {}); err != nil {
			t.Errorf("writing a policy with a deleted member as it is: %v", err)
		}
	}
	wantGrantees(t, e, uid, "deleted, and written again", deleted)
	must(t, e, "POST", "/v1/projects/my-project/serviceAccounts", `{"accountId": "reader"}`)
	wantGrantees(t, e, uid, "another one of the same name", deleted)
	must(t, e, "DELETE", oneAccount, "")
	must(t, e, "POST", "/v1/projects/my-project/serviceAccounts/"+uid+":undelete", "{}")
	wantGrantees(t, e, uid, "undeleted", readerMember)
}

func TestIdentitiesOutliveTheState(t *testing.T) {
	e, uid := newCloud(t)
	must(t, e, "PUT", "/emulator/principals", `{"principal": "user:Gone@example.com", "state": "unknown"}`)
	must(t, e, "PUT", "/emulator/aliases", `{"alias": "group:all@example.com", "primary": "group:everybody@example.com"}`)
	must(t, e, "DELETE", oneAccount, "")
	_, dump := call(t, e, "GET", "/emulator/state", "")
	other := StartTest(t)
	must(t, other, "PUT", "/emulator/state", dump)
	wantGrantees(t, other, uid, "loaded", "deleted:"+readerMember+"?uid="+uid)
	if diff := cmp.Diff(e.ResourceManager.Policy("my-project"), other.ResourceManager.Policy("my-project"), protocmp.Transform()); diff != "" {
		t.Errorf("the project's policy (-dumped +loaded):\n%s", diff)
	}
	aliases := map[string]string{"group:all@example.com": "group:everybody@example.com"}
	if diff := cmp.Diff(aliases, other.Directory.Aliases()); diff != "" {
		t.Errorf("aliases (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(e.Directory.Principals(), other.Directory.Principals()); diff != "" {
		t.Errorf("principals (-dumped +loaded):\n%s", diff)
	}
	must(t, other, "POST", "/v1/projects/my-project/serviceAccounts/"+uid+":undelete", "{}")
	again := must(t, other, "POST", "/v1/projects/my-project/serviceAccounts", `{"accountId": "writer"}`).(map[string]any)
	if again["uniqueId"] == uid {
		t.Error("a unique ID was given twice")
	}
}

// TestIdentitiesInTheConsole goes over all that somebody in the console can do
// to accounts and policies.
func TestIdentitiesInTheConsole(t *testing.T) {
	e := StartTest(t)
	must(t, e, "POST", "/emulator/faults", `{"status": 503}`)
	must(t, e, "PUT", "/emulator/pubsub/projects/my-project/topics/events", `{}`)
	const accounts = "/emulator/iam/projects/my-project/serviceAccounts"
	const path = accounts + "/" + readerEmail
	created := must(t, e, "POST", accounts, `{"accountId": "reader", "serviceAccount": {"displayName": "R"}}`).(map[string]any)
	uid := created["uniqueId"].(string)
	patched := must(t, e, "PATCH", path, `{"description": "by the console", "disabled": true}`).(map[string]any)
	want := map[string]any{
		"name": "projects/my-project/serviceAccounts/" + readerEmail, "projectId": "my-project", "uniqueId": uid,
		"email": readerEmail, "displayName": "R", "description": "by the console", "disabled": true,
		"oauth2ClientId": uid, "etag": created["etag"],
	}
	if diff := cmp.Diff(want, patched); diff != "" {
		t.Errorf("patched (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"accounts": []any{want}}, must(t, e, "GET", accounts, "")); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}

	for holder, role := range map[string]string{
		"/emulator/resourcemanager/projects/my-project": "roles/viewer", path: "roles/iam.serviceAccountUser",
		"/emulator/pubsub/projects/my-project/topics/events": "roles/pubsub.editor",
	} {
		grant := `{"role": "` + role + `", "member": "` + readerMember + `"}`
		must(t, e, "POST", holder+"/policy:grant", grant)
		must(t, e, "POST", holder+"/policy:grant", `{"role": "`+role+`", "member": "user:eve@example.com"}`)
		p := must(t, e, "POST", holder+"/policy:revoke", grant).(map[string]any)
		bindings := []any{map[string]any{"role": role, "members": []any{"user:eve@example.com"}}}
		if diff := cmp.Diff(bindings, p["bindings"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", holder, diff)
		}
		must(t, e, "PUT", holder+"/policy", `{}`)
		if p := must(t, e, "GET", holder+"/policy", "").(map[string]any); p["bindings"] != nil || p["etag"] == "" {
			t.Errorf("%s, emptied: %v", holder, p)
		}
	}

	must(t, e, "DELETE", path, "")
	must(t, e, "POST", accounts+"/"+uid+":undelete", "")
	settings := must(t, e, "PUT", "/emulator/iam/settings", `{"visibilityDelay": "1h"}`)
	if diff := cmp.Diff(map[string]any{"quota": 100.0, "visibilityDelay": "1h0m0s"}, settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	settings = must(t, e, "PUT", "/emulator/iam/settings", `{"sightings": [true, false]}`)
	want = map[string]any{"quota": 100.0, "visibilityDelay": "1h0m0s", "sightings": []any{true, false}}
	if diff := cmp.Diff(want, settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if seen := must(t, e, "GET", accounts, "").(map[string]any)["accounts"]; len(seen.([]any)) != 0 {
		t.Errorf("seen too early: %v", seen)
	}
	if counts := must(t, e, "GET", "/emulator/counts", "").(map[string]any); len(counts) != 0 {
		t.Errorf("counted: %v", counts)
	}
	for _, wrong := range []struct{ verb, path, body string }{
		{"GET", accounts + "/nobody@my-project.iam.gserviceaccount.com", ""},
		{"POST", accounts, `{"accountId": "x"}`},
		{"POST", accounts, `[]`},
		{"POST", path, ""},
		{"PATCH", path, `[]`},
		{"PATCH", path, `{"displayName": "` + strings.Repeat("x", 101) + `"}`},
		{"PUT", "/emulator/iam/settings", `{"visibilityDelay": "soon"}`},
		{"PUT", "/emulator/iam/settings", `{"quota": -1}`},
		{"GET", accounts + "/nobody@my-project.iam.gserviceaccount.com/policy", ""},
		{"PUT", path + "/policy", `{"bindings": [{"role": "viewer"}]}`},
		{"PUT", path + "/policy", `[]`},
		{"POST", path + "/policy:grant", `[]`},
		{"GET", "/emulator/resourcemanager/projects/No Project/policy", ""},
		{"PUT", "/emulator/principals", `{"principal": "user:eve@example.com", "state": "asleep"}`},
		{"PUT", "/emulator/principals", `{"who": "user:eve@example.com"}`},
		{"PUT", "/emulator/aliases", `{"alias": "user:eve@example.com"}`},
	} {
		if status, answer := call(t, e, wrong.verb, strings.ReplaceAll(wrong.path, " ", "%20"), wrong.body); status < http.StatusBadRequest {
			t.Errorf("%s %s %s: %d %s", wrong.verb, wrong.path, wrong.body, status, answer)
		}
	}
}

// TestTrafficOfIAM: what goes wrong with other services' calls goes wrong
// with those of IAM too.
func TestTrafficOfIAM(t *testing.T) {
	e := StartTest(t)
	client := grpctest.Open(t, admin.NewIamClient, grpctest.Endpoints{Addr: e.GRPCAddr()}.GRPC())
	create := func(ctx context.Context) codes.Code {
		_, err := client.CreateServiceAccount(ctx, &adminpb.CreateServiceAccountRequest{Name: "projects/my-project", AccountId: "reader"})
		return status.Code(err)
	}
	one := traffic.Call{Service: "iam", Method: "IAM.CreateServiceAccount", Project: "my-project", Resource: "reader"}
	e.Traffic.Inject(traffic.Fault{Match: one, Times: 1, Status: http.StatusTooManyRequests})
	e.Traffic.Inject(traffic.Fault{Match: one, Times: 1, Outage: true})
	e.Traffic.Inject(traffic.Fault{Match: one, Times: 1, LoseReply: true, Latency: time.Millisecond})
	want := []codes.Code{codes.ResourceExhausted, codes.Unavailable, codes.Unavailable, codes.AlreadyExists}
	if diff := cmp.Diff(want, []codes.Code{create(t.Context()), create(t.Context()), create(t.Context()), create(t.Context())}); diff != "" {
		t.Errorf("refused, cut off, lost, there (-want +got):\n%s", diff)
	}
	if n := e.Traffic.Count(one); n != 3 {
		t.Errorf("counted %d times, want all but the one that never arrived", n)
	}
	held := e.Traffic.Pause(traffic.Call{Method: "IAM.DeleteServiceAccount"})
	done := make(chan error, 1)
	go func() {
		done <- client.DeleteServiceAccount(t.Context(), &adminpb.DeleteServiceAccountRequest{Name: "projects/my-project/serviceAccounts/" + readerEmail})
	}()
	<-held.Reached()
	if _, there := e.IAM.Account(readerEmail); !there {
		t.Error("a call that is held was carried out")
	}
	held.Release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	e.Traffic.SetQuota("iam", "emulator", 1)
	if code := create(t.Context()); code != codes.OK {
		t.Errorf("within the caller's quota: %v", code)
	}
	if code := create(t.Context()); code != codes.ResourceExhausted {
		t.Errorf("beyond it: %v", code)
	}
}

// TestUnknownPrincipals: who is unknown can be said at any time.
func TestUnknownPrincipals(t *testing.T) {
	e := StartTest(t)
	grant := func() error {
		return e.ResourceManager.EditPolicy("my-project", func(p *iampb.Policy) { policy.Grant(p, "roles/viewer", "user:eve@example.com") })
	}
	must(t, e, "PUT", "/emulator/principals", `{"principal": "user:eve@example.com", "state": "unknown"}`)
	if err := grant(); status.Convert(err).Message() != "User eve@example.com does not exist." {
		t.Errorf("granting to nobody: %v", err)
	}
	must(t, e, "PUT", "/emulator/principals", `{"principal": "user:eve@example.com", "state": "known"}`)
	if err := grant(); err != nil {
		t.Error(err)
	}
}
