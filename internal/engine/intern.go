package engine

import (
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// shareTexts has an object share, with all others, the texts that most objects have in common: each that comes from the API server has a copy of
// its own of every one, which is a fifth of what an object takes.
func shareTexts(obj v1alpha1.Object) {
	obj.SetNamespace(oneCopy(obj.GetNamespace()))
	shareAll(obj.GetFinalizers())
	status := obj.GetCommonStatus()
	status.Project = oneCopy(status.Project)
	shareAll(status.AppliedFields)
	for i := range status.Conditions {
		c := &status.Conditions[i]
		c.Type, c.Reason, c.Message = oneCopy(c.Type), oneCopy(c.Reason), oneCopy(c.Message)
		c.Status = metav1.ConditionStatus(oneCopy(string(c.Status)))
	}
}

func shareAll(texts []string) {
	for i, text := range texts {
		texts[i] = oneCopy(text)
	}
}

// oneCopy is the one copy of a text, which is forgotten when nobody has it any more.
func oneCopy(text string) string { return unique.Make(text).Value() }
