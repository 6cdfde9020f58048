package admission

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// granting is a topic that grants to so many members, each with an address of so many characters, and of others for each tag.
func granting(members, length int, tag string) *v1alpha1.Topic {
	topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "large-" + tag}}
	binding := v1alpha1.IAMBinding{Role: "roles/pubsub.viewer"}
	for i := range members {
		name := fmt.Sprintf("user:%s%d", tag, i)
		name += strings.Repeat("x", max(0, length-len(name)-len("@example.com"))) + "@example.com"
		binding.Members = append(binding.Members, v1alpha1.IAMMember(name))
	}
	topic.Spec.IAM = &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive, Bindings: []v1alpha1.IAMBinding{binding}}
	return topic
}

// TestNoManifestIsTooLargeToReportOn: what is refused is refused when it is applied, with what to do about it.
func TestNoManifestIsTooLargeToReportOn(t *testing.T) {
	const refusal = "bytes are too many: topics may have 163840, or Holdfast could not report on it"
	expectRefusal(t, asUser(t, ada).Create(ctx, granting(1490, 500, "a")), refusal)
	expectRefusal(t, asUser(t, ada).Create(ctx, granting(400, 500, "b")), refusal)
	topic := granting(1490, 100, "c") // as many as Google allows, and longer than addresses are
	if err := asUser(t, ada).Create(ctx, topic); err != nil {
		t.Fatal(err)
	}
	topic.Spec.IAM.Bindings = granting(1490, 500, "d").Spec.IAM.Bindings
	expectRefusal(t, asUser(t, ada).Update(ctx, topic), refusal)
	topic.Spec.IAM.Bindings = granting(1490, 100, "e").Spec.IAM.Bindings
	if err := asUser(t, ada).Update(ctx, topic); err != nil {
		t.Error(err)
	}
}
