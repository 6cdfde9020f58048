package engine

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// policiedKind is a fakeKind whose topics have an IAM policy, all of them the same.
type policiedKind struct {
	*fakeKind

	bindings []iampolicy.Binding
	audit    []iampolicy.AuditConfig
	// wantedAudit are the audit configs of each manifest.
	wantedAudit []v1alpha1.AuditConfig
	// reading, if set, fails each read of the policy; writing, if set, is asked before each write; an error refuses it.
	reading error
	// whileReading, if set, happens in the middle of each read of the policy.
	whileReading func()
	writing      func(iampolicy.Policy) error
	// storing, if set, is what a member is stored as; keeping, if set, is what is stored whatever is sent.
	storing func(member string) string
	// storingRole, if set, is what a role is stored as.
	storingRole func(role string) string
	keeping     []iampolicy.Binding
	// reads and writes count the calls, refused ones too.
	reads, writes int
	version       int
}

var _ kind.Policied[*v1alpha1.Topic] = (*policiedKind)(nil)

func (k *policiedKind) Policy(obj *v1alpha1.Topic) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
	return obj.Spec.IAM, k.wantedAudit
}

func (k *policiedKind) GetPolicy(context.Context, kind.Ref) (iampolicy.Policy, error) {
	k.reads++
	if k.whileReading != nil {
		k.whileReading()
	}
	return k.stored(), k.reading
}

func (k *policiedKind) SetPolicy(_ context.Context, _ kind.Ref, policy iampolicy.Policy) (iampolicy.Policy, error) {
	k.writes++
	if k.writing != nil {
		if err := k.writing(policy); err != nil {
			return iampolicy.Policy{}, err
		}
	}
	if string(policy.Etag) != strconv.Itoa(k.version) {
		return iampolicy.Policy{}, status.Error(codes.Aborted, "somebody else was first")
	}
	k.bindings, k.audit = k.normalized(policy.Bindings), k.normalizedAudit(policy.AuditConfigs)
	k.version++
	return k.stored(), nil
}

// normalized are bindings as they are stored.
func (k *policiedKind) normalized(sent []iampolicy.Binding) []iampolicy.Binding {
	if k.keeping != nil {
		return k.keeping
	}
	out := slices.Clone(sent)
	for i, binding := range out {
		if k.storing != nil {
			out[i].Members = k.storedMembers(binding.Members)
		}
		if k.storingRole != nil {
			out[i].Role = k.storingRole(binding.Role)
		}
	}
	return out
}

func (k *policiedKind) normalizedAudit(sent []iampolicy.AuditConfig) []iampolicy.AuditConfig {
	if k.storing == nil {
		return sent
	}
	var out []iampolicy.AuditConfig
	for _, config := range sent {
		stored := iampolicy.AuditConfig{Service: config.Service}
		for _, log := range config.Logs {
			stored.Logs = append(stored.Logs, iampolicy.AuditLog{Type: log.Type, Exempted: k.storedMembers(log.Exempted)})
		}
		out = append(out, stored)
	}
	return out
}

// storedMembers are members as they are stored, each once.
func (k *policiedKind) storedMembers(sent []string) []string {
	var out []string
	for _, member := range sent {
		if as := k.storing(member); !slices.Contains(out, as) {
			out = append(out, as)
		}
	}
	return out
}

func (k *policiedKind) stored() iampolicy.Policy {
	return iampolicy.Policy{Bindings: k.bindings, AuditConfigs: k.audit, Etag: []byte(strconv.Itoa(k.version))}
}

// members are those that are granted something.
func (k *policiedKind) members() []string {
	var out []string
	for _, binding := range k.bindings {
		out = append(out, binding.Members...)
	}
	return out
}

const (
	ada    = "user:ada@example.com"
	bob    = "user:bob@example.com"
	nobody = "user:nobody@example.com"
)

// refuseNobody is Google's answer to a policy with somebody in it who does not exist.
func refuseNobody(policy iampolicy.Policy) error {
	for _, binding := range policy.Bindings {
		if slices.Contains(binding.Members, nobody) {
			return status.Error(codes.InvalidArgument, "User nobody@example.com does not exist.")
		}
	}
	return nil
}

func grantTo(members ...v1alpha1.IAMMember) *v1alpha1.IAMPolicy {
	return &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive, Bindings: []v1alpha1.IAMBinding{{Role: "roles/pubsub.publisher", Members: members}}}
}

// policied is a reconciler of a topic that grants something.
func policied(t *testing.T, members ...v1alpha1.IAMMember) (*Reconciler, *policiedKind) {
	t.Helper()
	topic := shopTopic()
	topic.Spec.IAM = grantTo(members...)
	r, base := testReconciler(t, topic)
	topics := &policiedKind{fakeKind: base}
	r.use(kind.Of(topics))
	return r, topics
}
