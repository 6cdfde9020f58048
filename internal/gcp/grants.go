package gcp

// NameRoles adds to the refusal of a write for a condition that limits which roles the caller may grant and revoke which ones they are: Google does
// not say. Of any other error it says nothing.
func NameRoles(err error, roles func() string) error {
	refusal := Classify(err)
	if refusal == nil || refusal.Denial != deniedGrants.say(nil) {
		return err
	}
	named := *refusal
	named.Roles, named.Err = roles(), err
	return &named
}
