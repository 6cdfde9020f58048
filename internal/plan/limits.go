package plan

import (
	"cmp"
	"fmt"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// management is what the manifest's spec.management comes to in its Namespace.
func (s subject) management() v1alpha1.Management {
	return s.env.Limits.Management(s.spec().Management)
}

// managementIs says what management is, and by whom.
func (s subject) managementIs() string {
	if s.management() == s.spec().Management {
		return fmt.Sprintf("spec.management is %s", s.management())
	}
	return fmt.Sprintf("management is %s, by the annotation %s of the Namespace", s.management(), v1alpha1.LeastManagementAnnotation)
}

// restricted says what management is where nothing is ever written, or where it is not what the manifest says; empty otherwise.
func (s subject) restricted() string {
	if s.management() != v1alpha1.ManagementObserve && s.management() == cmp.Or(s.spec().Management, v1alpha1.ManagementManage) {
		return ""
	}
	return s.managementIs()
}

// limitRemovals sets how many members may be removed without approval: as many as the manifest says, and no more than its Namespace does.
func (s subject) limitRemovals(in *iampolicy.Input, spec *v1alpha1.IAMPolicy) {
	in.MaxRemovals = iampolicy.DefaultMaxRemovals
	if spec != nil && spec.Safety != nil && spec.Safety.MaxRemovals != nil {
		in.MaxRemovals = int(*spec.Safety.MaxRemovals)
	}
	if most, limited := s.env.Limits.Removals(); limited && most < in.MaxRemovals {
		in.MaxRemovals, in.LimitedBy = most, "the annotation "+v1alpha1.MaxRemovalsAnnotation+" of the Namespace"
	}
}

// revokesTooMany says so where deleting the manifest revokes more than its Namespace lets a plan remove; empty otherwise.
func (s subject) revokesTooMany() string {
	most, limited := s.env.Limits.Removals()
	if revoked := len(s.so.Policy.Plan.Revoke); limited && revoked > most {
		return fmt.Sprintf("the annotation %s of the Namespace is %d, and this revokes %d grants", v1alpha1.MaxRemovalsAnnotation, most, revoked)
	}
	return ""
}
