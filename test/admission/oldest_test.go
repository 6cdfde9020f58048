package admission

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/version"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/cel/environment"

	"github.com/holdfast-dev/holdfast/test/installed"
)

// oldest is the version that make test-older runs the tests on, the oldest that is supported.
const oldest = "1.34"

// TestTheOldestKubernetesKnowsWhatThePoliciesUse compiles each expression with the functions that CEL had there.
func TestTheOldestKubernetesKnowsWhatThePoliciesUse(t *testing.T) {
	functions := environment.MustBaseEnvSet(version.MustParseGeneric(oldest))
	for _, file := range installed.Guards {
		objects, err := installed.Objects("admission", file)
		if err != nil {
			t.Fatal(err)
		}
		for _, obj := range objects {
			if obj.GetKind() == "ValidatingAdmissionPolicy" {
				t.Run(obj.GetName(), func(t *testing.T) { compile(t, functions, obj) })
			}
		}
	}
}

func compile(t *testing.T, functions *environment.EnvSet, policy *unstructured.Unstructured) {
	t.Helper()
	compiler, err := plugincel.NewCompositedCompiler(functions)
	if err != nil {
		t.Fatal(err)
	}
	_, hasParams, _ := unstructured.NestedMap(policy.Object, "spec", "paramKind")
	known := plugincel.OptionalVariableDeclarations{HasParams: hasParams, HasAuthorizer: true}
	check := func(expression plugincel.ExpressionAccessor) {
		if result := compiler.CompileCELExpression(expression, known, environment.NewExpressions); result.Error != nil {
			t.Error(result.Error)
		}
	}
	each(policy, "matchConditions", func(m map[string]string) {
		check(&matchconditions.MatchCondition{Name: m["name"], Expression: m["expression"]})
	})
	each(policy, "variables", func(m map[string]string) {
		variable := &validating.Variable{Name: m["name"], Expression: m["expression"]}
		if result := compiler.CompileAndStoreVariable(variable, known, environment.NewExpressions); result.Error != nil {
			t.Error(result.Error)
		}
	})
	each(policy, "validations", func(m map[string]string) {
		check(&validating.ValidationCondition{Expression: m["expression"]})
		if m["messageExpression"] != "" {
			check(&validating.MessageExpressionCondition{MessageExpression: m["messageExpression"]})
		}
	})
	each(policy, "auditAnnotations", func(m map[string]string) {
		check(&validating.AuditAnnotationCondition{Key: m["key"], ValueExpression: m["valueExpression"]})
	})
}

// each hands over the strings of each element of a list in a policy's spec.
func each(policy *unstructured.Unstructured, list string, do func(map[string]string)) {
	elements, _, _ := unstructured.NestedSlice(policy.Object, "spec", list)
	for _, element := range elements {
		texts := map[string]string{}
		for key, value := range element.(map[string]any) {
			if text, ok := value.(string); ok {
				texts[key] = text
			}
		}
		do(texts)
	}
}
