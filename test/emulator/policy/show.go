package policy

import (
	"crypto/sha256"
	"encoding/hex"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/type/expr"
	"google.golang.org/protobuf/proto"
)

// hiddenCondition is in the name of a role where a condition is not shown.
const hiddenCondition = "_withcond_"

// Show returns a policy as a reader sees it who asked for a version. Below
// version 3 conditions are not shown, only that there are some.
func (d *Directory) Show(kept *iampb.Policy, requested int32) (*iampb.Policy, error) {
	if err := checkVersion(requested); err != nil {
		return nil, err
	}
	shown := d.ShowAll(kept)
	if requested < conditional && HasConditions(shown) {
		shown.Version = 1
		for _, b := range shown.GetBindings() {
			if b.GetCondition() != nil {
				b.Role += hiddenCondition + digest(b.GetCondition())
				b.Condition = nil
			}
		}
	}
	return shown, nil
}

// CheckRequested refuses to show a policy with conditions in a version that
// has none, as services do that do not hide conditions.
func CheckRequested(kept *iampb.Policy, requested int32) error {
	if err := checkVersion(requested); err != nil {
		return err
	}
	if requested < conditional && HasConditions(kept) {
		return versionTooLow("Requested", requested)
	}
	return nil
}

// ShowAll returns a policy with all that it has.
func (d *Directory) ShowAll(kept *iampb.Policy) *iampb.Policy {
	shown := proto.CloneOf(kept)
	for _, b := range shown.GetBindings() {
		d.showEach(b.GetMembers())
	}
	for _, config := range shown.GetAuditConfigs() {
		for _, log := range config.GetAuditLogConfigs() {
			d.showEach(log.GetExemptedMembers())
		}
	}
	return shown
}

func (d *Directory) showEach(members []string) {
	for i, form := range members {
		members[i] = d.show(form)
	}
}

// digest is what stands for a condition where it is not shown: twenty
// hexadecimal digits.
func digest(condition *expr.Expr) string {
	sum := sha256.Sum256([]byte(condition.GetTitle() + "\x00" + condition.GetDescription() + "\x00" + condition.GetExpression()))
	return hex.EncodeToString(sum[:10])
}
