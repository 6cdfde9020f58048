package policy_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/type/expr"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
)

const project = "my-project"

// newBook returns a book with the rules of projects.
func newBook(t testing.TB) (*policy.Book, *policy.Directory, accounts) {
	t.Helper()
	directory, known := newDirectory(t)
	return policy.NewBook(policy.Rules{Directory: directory, NoPublic: true, AuditConfigs: true}), directory, known
}

// TestWhatIsShown writes policies and compares what they become.
func TestWhatIsShown(t *testing.T) {
	for name, c := range map[string]struct{ sent, want *iampb.Policy }{
		"nothing": {of(), &iampb.Policy{Version: 1}},
		"the order that was sent": {
			of(binding("roles/viewer", "user:b@example.com", "user:a@example.com"), binding("roles/browser", "group:c@example.com")),
			&iampb.Policy{Version: 1, Bindings: []*iampb.Binding{
				binding("roles/viewer", "user:b@example.com", "user:a@example.com"), binding("roles/browser", "group:c@example.com"),
			}},
		},
		"duplicates are merged": {
			of(binding("roles/viewer", "user:a@example.com", "user:a@example.com"), binding("roles/viewer", "user:A@Example.com", "user:b@example.com")),
			&iampb.Policy{Version: 1, Bindings: []*iampb.Binding{binding("roles/viewer", "user:a@example.com", "user:b@example.com")}},
		},
		"one role under several conditions": {
			of(binding("roles/x.y", "user:a@example.com"), under("one", binding("roles/x.y", "user:a@example.com")), under("two", binding("roles/x.y", "user:a@example.com")), under("one", binding("roles/x.y", "user:b@example.com"))),
			of(binding("roles/x.y", "user:a@example.com"), under("one", binding("roles/x.y", "user:a@example.com", "user:b@example.com")), under("two", binding("roles/x.y", "user:a@example.com"))),
		},
		"a binding without members is none": {
			of(binding("roles/viewer"), binding("roles/browser", "domain:Example.com")),
			&iampb.Policy{Version: 1, Bindings: []*iampb.Binding{binding("roles/browser", "domain:example.com")}},
		},
		"letter case of an account": {
			of(binding("roles/viewer", "serviceAccount:Reader@my-project.iam.gserviceaccount.com")),
			&iampb.Policy{Version: 1, Bindings: []*iampb.Binding{binding("roles/viewer", "serviceAccount:"+reader)}},
		},
		"every kind of member": {
			of(binding("projects/my-project/roles/custom", "serviceAccount:my-project.svc.id.goog[ns/Name]", "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com",
				"serviceAccount:x@others-project.iam.gserviceaccount.com", "serviceAccount:1-compute@developer.gserviceaccount.com",
				"principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s",
				"principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*")),
			&iampb.Policy{Version: 1, Bindings: []*iampb.Binding{
				binding("projects/my-project/roles/custom", "serviceAccount:my-project.svc.id.goog[ns/Name]", "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com",
					"serviceAccount:x@others-project.iam.gserviceaccount.com", "serviceAccount:1-compute@developer.gserviceaccount.com",
					"principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s",
					"principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*"),
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			book, _, _ := newBook(t)
			answered, err := book.Set(project, set(c.sent))
			if err != nil {
				t.Fatal(err)
			}
			c.want.Etag = answered.GetEtag()
			if diff := cmp.Diff(c.want, answered, protocmp.Transform()); diff != "" {
				t.Errorf("answered (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want, book.Read(project), protocmp.Transform()); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	var tooMany, groups, domains []*iampb.Binding
	for i := range 1501 {
		tooMany = append(tooMany, binding(fmt.Sprintf("roles/x.r%d", i%7), fmt.Sprintf("user:u%d@example.com", i)))
	}
	for i := range 251 {
		groups = append(groups, binding("roles/viewer", fmt.Sprintf("group:g%d@example.com", i)))
		domains = append(domains, binding(fmt.Sprintf("roles/x.r%d", i), "domain:example.com"))
	}
	var variants []*iampb.Binding
	for i := range 21 {
		variants = append(variants, under(fmt.Sprint(i), binding("roles/x.y", "user:a@example.com")))
	}
	conditional := of(under("c", binding("roles/x.y", "user:a@example.com")))
	conditional.Version = 1
	untitled := under("", binding("roles/x.y", "user:a@example.com"))
	for name, c := range map[string]struct {
		sent    *iampb.Policy
		message string
	}{
		"no type":             {of(binding("roles/viewer", "ada@example.com")), `Policy members must be of the form "<type>:<value>".`},
		"no value":            {of(binding("roles/viewer", "user:")), `Policy members must be of the form "<type>:<value>".`},
		"an unknown type":     {of(binding("roles/viewer", "serviceaccount:"+reader)), "The member serviceaccount:" + reader + " is of an unknown type. Please set a valid type prefix for the member."},
		"no e-mail address":   {of(binding("roles/viewer", "user:ada")), "Invalid user (ada)."},
		"no account":          {of(binding("roles/viewer", "serviceAccount:projects/p/serviceAccounts/x")), "Invalid service account (projects/p/serviceaccounts/x)."},
		"no resource":         {of(binding("roles/viewer", "principal:ada")), "Invalid principal (principal:ada)."},
		"the team of another": {of(binding("roles/viewer", "projectOwner:my-project")), "The member projectOwner:my-project is of an unknown type. Please set a valid type prefix for the member."},
		"everybody":           {of(binding("roles/viewer", "allUsers")), "Request contains an invalid argument."},
		"nobody's account":    {of(binding("roles/viewer", "serviceAccount:typo@my-project.iam.gserviceaccount.com")), "Service account typo@my-project.iam.gserviceaccount.com does not exist."},
		"nobody's account in a domain": {
			of(binding("roles/viewer", "serviceAccount:typo@scoped.example.com.iam.gserviceaccount.com")),
			"Service account typo@scoped.example.com.iam.gserviceaccount.com does not exist.",
		},
		"an unknown user":    {of(binding("roles/viewer", "user:ada@invalid.example")), "User ada@invalid.example does not exist."},
		"an unknown group":   {of(binding("roles/viewer", "group:all@invalid.example")), "Group all@invalid.example does not exist."},
		"an unknown domain":  {of(binding("roles/viewer", "domain:invalid.example")), "Domain invalid.example does not exist."},
		"a deleted stranger": {of(binding("roles/viewer", "deleted:serviceAccount:"+reader+"?uid=7")), "Deleted member deleted:serviceAccount:" + reader + "?uid=7 cannot be added to a policy."},
		"no unique ID":       {of(binding("roles/viewer", "deleted:serviceAccount:"+reader)), "Invalid deleted member: deleted:serviceAccount:" + reader + "."},
		"no role":            {of(binding("viewer", "user:a@example.com")), `The role name must be in the form "roles/{role}", "organizations/{organization_id}/roles/{role}", or "projects/{project_id}/roles/{role}".`},
		"an unknown role":    {of(binding("roles/viewr", "user:a@example.com")), "Role roles/viewr is not supported for this resource."},
		"a hidden condition": {of(binding("roles/x.y_withcond_2b17cc25d2cd9e2c54d8", "user:a@example.com")), "Role roles/x.y_withcond_2b17cc25d2cd9e2c54d8 is not supported for this resource."},
		"version 2":          {&iampb.Policy{Version: 2}, "Invalid policy version: 2. Valid values are 0, 1 and 3."},
		"a condition in version 1": {
			conditional,
			"Policy version 1 does not support conditional role bindings: specify policy version 3. For more information, please refer to https://cloud.google.com/iam/docs/policies#versions",
		},
		"a condition on a basic role":       {of(under("c", binding("roles/viewer", "user:a@example.com"))), "Conditions can't be set on primitive roles"},
		"a condition without a title":       {of(untitled), "Condition title is required."},
		"a condition without an expression": {of(&iampb.Binding{Role: "roles/x.y", Members: []string{"user:a@example.com"}, Condition: &expr.Expr{Title: "t"}}), "Condition expression is required."},
		"a condition of a novel":            {of(&iampb.Binding{Role: "roles/x.y", Condition: &expr.Expr{Title: "t", Description: strings.Repeat("d", 257)}}), "Condition description is longer than 256 characters."},
		"a condition of 64 KiB and more":    {of(&iampb.Binding{Role: "roles/x.y", Condition: &expr.Expr{Title: "t", Expression: strings.Repeat("x", 64<<10+1)}}), "Condition expression is larger than 65536 bytes."},
		"a condition without an end":        {of(under(strings.Repeat("t", 101), binding("roles/x.y", "user:a@example.com"))), "Condition title is longer than 100 characters."},
		"1,501 members":                     {of(tooMany...), "The number of members in the policy (1,501) is larger than the maximum allowed size 1,500."},
		"251 groups":                        {of(groups...), "The number of groups in the policy (251) is larger than the maximum allowed size 250."},
		"a domain at 251 places":            {of(domains...), "The number of groups in the policy (251) is larger than the maximum allowed size 250."},
		"21 conditions of one grant":        {of(variants...), "The number of conditional role bindings for role roles/x.y and member user:a@example.com is larger than the maximum allowed size 20."},
	} {
		t.Run(name, func(t *testing.T) {
			book, _, _ := newBook(t)
			_, err := book.Set(project, set(c.sent))
			grpctest.WantRefusal(t, err, codes.InvalidArgument, c.message)
			if diff := cmp.Diff(policy.Empty(), book.Read(project), protocmp.Transform()); diff != "" {
				t.Errorf("the policy after the refusal (-want +got):\n%s", diff)
			}
		})
	}
	for name, sent := range map[string]*iampb.Policy{
		"1,500 members": of(tooMany[:1500]...), "250 groups": of(groups[:250]...), "20 conditions": of(variants[:20]...),
	} {
		book, _, _ := newBook(t)
		if _, err := book.Set(project, set(sent)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOneGroupInManyPlacesCountsOnce(t *testing.T) {
	book, _, _ := newBook(t)
	var many []*iampb.Binding
	for i := range 300 {
		many = append(many, binding(fmt.Sprintf("roles/x.r%d", i), "group:g@example.com"))
	}
	if _, err := book.Set(project, set(of(many...))); err != nil {
		t.Error(err)
	}
}

func TestOtherResources(t *testing.T) {
	directory, _ := newDirectory(t)
	topics := policy.NewBook(policy.Rules{Directory: directory, Roles: []string{"pubsub"}, NoConditions: true})
	buckets := policy.NewBook(policy.Rules{Directory: directory, Roles: []string{"storage"}, NoBasicRoles: true, TeamMembers: true})
	for name, c := range map[string]struct {
		book    *policy.Book
		sent    *iampb.Policy
		message string
	}{
		"a topic's own role":        {topics, of(binding("roles/pubsub.publisher", "allUsers")), ""},
		"a basic role on a topic":   {topics, of(binding("roles/editor", "user:a@example.com")), ""},
		"a role of another service": {topics, of(binding("roles/storage.admin", "user:a@example.com")), "Role roles/storage.admin is not supported for this resource."},
		"a condition on a topic":    {topics, of(under("c", binding("roles/pubsub.publisher", "user:a@example.com"))), "Conditions are not supported for this resource."},
		"a team on a bucket":        {buckets, of(binding("roles/storage.admin", "projectOwner:my-project")), ""},
		"a condition on a bucket":   {buckets, of(under("c", binding("roles/storage.objectViewer", "user:a@example.com"))), ""},
		"a basic role on a bucket":  {buckets, of(binding("roles/owner", "user:a@example.com")), "Role roles/owner is not supported for this resource."},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.book.Set("x", set(c.sent))
			if c.message == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			grpctest.WantRefusal(t, err, codes.InvalidArgument, c.message)
		})
	}
}

const concurrent = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."

func TestEtags(t *testing.T) {
	book, _, _ := newBook(t)
	first := book.Read(project)
	if diff := cmp.Diff(policy.Empty(), first, protocmp.Transform()); diff != "" {
		t.Errorf("never set (-want +got):\n%s", diff)
	}
	first.Bindings = []*iampb.Binding{binding("roles/viewer", "user:a@example.com")}
	second, err := book.Set(project, set(first))
	if err != nil {
		t.Fatal(err)
	}
	_, err = book.Set(project, set(first))
	grpctest.WantRefusal(t, err, codes.Aborted, concurrent)
	if err := book.Edit(project, func(p *iampb.Policy) { policy.Grant(p, "roles/viewer", "user:b@example.com") }); err != nil {
		t.Fatal(err)
	}
	_, err = book.Set(project, set(second))
	grpctest.WantRefusal(t, err, codes.Aborted, concurrent)
	if p := book.Read(project); !policy.Has(p, "roles/viewer", "user:a@example.com") || !policy.Has(p, "roles/viewer", "user:b@example.com") {
		t.Errorf("after an edit: %v", p)
	}
	if _, err := book.Set(project, set(of())); err != nil {
		t.Errorf("without an etag: %v", err)
	}
}

func TestVersions(t *testing.T) {
	book, _, _ := newBook(t)
	conditional, err := book.Set(project, set(of(under("c", binding("roles/x.y", "user:a@example.com")), binding("roles/viewer", "user:a@example.com"))))
	if err != nil {
		t.Fatal(err)
	}
	get := func(version int32) (*iampb.Policy, error) {
		return book.Get(project, &iampb.GetIamPolicyRequest{Options: &iampb.GetPolicyOptions{RequestedPolicyVersion: version}})
	}
	whole, err := get(3)
	if diff := cmp.Diff(conditional, whole, protocmp.Transform()); err != nil || diff != "" || whole.GetVersion() != 3 {
		t.Errorf("version 3: %v (-set +got):\n%s", err, diff)
	}
	for _, version := range []int32{0, 1} {
		hidden, err := get(version)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^roles/x\.y_withcond_[0-9a-f]{20}$`).MatchString(hidden.GetBindings()[0].GetRole()) ||
			hidden.GetBindings()[0].GetCondition() != nil || hidden.GetVersion() != 1 {
			t.Errorf("version %d: %v", version, hidden)
		}
	}
	_, err = get(2)
	grpctest.WantRefusal(t, err, codes.InvalidArgument, "Invalid policy version: 2. Valid values are 0, 1 and 3.")

	lower := &iampb.Policy{Version: 1, Etag: whole.GetEtag(), Bindings: []*iampb.Binding{binding("roles/viewer", "user:a@example.com")}}
	_, err = book.Set(project, set(lower))
	grpctest.WantRefusal(t, err, codes.InvalidArgument,
		"Specified policy version (1) cannot be less than the existing policy version (3). For more information, please refer to https://cloud.google.com/iam/docs/policies#versions")
	lower.Etag = nil
	if blind, err := book.Set(project, set(lower)); err != nil || policy.HasConditions(blind) {
		t.Errorf("without an etag the conditions are lost: %v, %v", blind, err)
	}
}

func TestMasks(t *testing.T) {
	book, _, _ := newBook(t)
	logged := &iampb.Policy{
		Bindings: []*iampb.Binding{binding("roles/viewer", "user:a@example.com")},
		AuditConfigs: []*iampb.AuditConfig{{Service: "allServices", AuditLogConfigs: []*iampb.AuditLogConfig{
			{LogType: iampb.AuditLogConfig_DATA_READ, ExemptedMembers: []string{"serviceAccount:" + reader}},
		}}},
	}
	masked := func(p *iampb.Policy, paths ...string) *iampb.SetIamPolicyRequest {
		return &iampb.SetIamPolicyRequest{Policy: p, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}}
	}
	for name, c := range map[string]struct {
		request           *iampb.SetIamPolicyRequest
		bindings, configs int
	}{
		"without a mask":      {set(logged), 1, 0},
		"audit configs alone": {masked(logged, "audit_configs", "etag"), 0, 1},
		"both":                {masked(logged, "bindings", "auditConfigs", "etag"), 1, 1},
	} {
		book, _, _ := newBook(t)
		answered, err := book.Set(project, c.request)
		if err != nil || len(answered.GetBindings()) != c.bindings || len(answered.GetAuditConfigs()) != c.configs {
			t.Errorf("%s: %v, %v", name, answered, err)
		}
	}
	if _, err := book.Set(project, masked(logged, "bindings", "audit_configs")); err != nil {
		t.Fatal(err)
	}
	if kept, err := book.Set(project, set(of())); err != nil || len(kept.GetAuditConfigs()) != 1 {
		t.Errorf("audit configs outside of the mask: %v, %v", kept, err)
	}
	_, err := book.Set(project, masked(of(), "rules"))
	grpctest.WantRefusal(t, err, codes.InvalidArgument, "Invalid update mask: rules is no field of a policy.")
	_, err = book.Set(project, masked(&iampb.Policy{AuditConfigs: []*iampb.AuditConfig{{Service: "s", AuditLogConfigs: []*iampb.AuditLogConfig{{}}}}}, "audit_configs"))
	grpctest.WantRefusal(t, err, codes.InvalidArgument, `Invalid audit config of service "s": the log type is missing.`)
	_, err = book.Set(project, masked(&iampb.Policy{AuditConfigs: []*iampb.AuditConfig{{}}}, "audit_configs"))
	grpctest.WantRefusal(t, err, codes.InvalidArgument, `Invalid audit config: service "" is missing or there twice.`)
}

func TestDumpAndLoad(t *testing.T) {
	book, _, _ := newBook(t)
	if _, err := book.Set(project, set(of(under("c", binding("roles/x.y", "serviceAccount:"+reader))))); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(book.Dump())
	if err != nil {
		t.Fatal(err)
	}
	var dump map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &dump); err != nil {
		t.Fatal(err)
	}
	other, _, known := newBook(t)
	if err := other.Load(dump); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(book.Read(project), other.Read(project), protocmp.Transform()); diff != "" {
		t.Errorf("(-dumped +loaded):\n%s", diff)
	}
	delete(known, reader)
	if !policy.Has(other.Read(project), "roles/x.y", "deleted:serviceAccount:"+reader+"?uid=11") {
		t.Errorf("who it was is forgotten: %v", other.Read(project))
	}
	other.Drop(project)
	if diff := cmp.Diff(policy.Empty(), other.Read(project), protocmp.Transform()); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
}
