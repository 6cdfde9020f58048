package iampolicy

import "errors"

// Version is that of policies that may have conditions. Google requires it in every read and write of one that has some, and
// accepts it for those that have none.
const Version = 3

// ErrUnread refuses to write a policy that was never read: without an etag it would overwrite whatever is there.
var ErrUnread = errors.New("the policy was not read first")

// Binding grants a role to members.
type Binding struct {
	Role      string
	Members   []string
	Condition Condition
}

// AuditConfig says which accesses to a service's data are logged.
type AuditConfig struct {
	// Service is such as storage.googleapis.com, or allServices.
	Service string
	// Logs are the types of access that are logged.
	Logs []AuditLog
}

// AuditLog is one type of access that is logged.
type AuditLog struct {
	// Type is ADMIN_READ, DATA_READ or DATA_WRITE.
	Type string
	// Exempted are the members whose accesses are not logged.
	Exempted []string
}

// Policy is a resource's IAM policy as it was read, or as it should be written.
type Policy struct {
	// Bindings are the grants. Several may be of one role and condition.
	Bindings []Binding
	// AuditConfigs say what is logged.
	AuditConfigs []AuditConfig
	// Etag identifies the version that was read. Google returns one with every policy.
	Etag []byte
	// Source is what a client library needs back in order to write the policy. It is passed on and never inspected.
	Source any
}
