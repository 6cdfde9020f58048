package kind

import "testing"

func TestValidate(t *testing.T) {
	valid := Method{Service: ServiceStorage, Name: "buckets.get", Step: StepObserve, Scope: ScopeProject, Permissions: []string{"storage.buckets.get"}}
	cases := map[string]struct {
		edit func(*Method)
		want string
	}{
		"valid":                        {func(*Method) {}, ""},
		"no permission, with a reason": {func(m *Method) { m.Permissions, m.NoPermissions = nil, "anybody may" }, ""},
		"no service":                   {func(m *Method) { m.Service = "" }, "method  buckets.get: no service"},
		"no name":                      {func(m *Method) { m.Name = "" }, "method storage : no name"},
		"no step":                      {func(m *Method) { m.Step = "" }, `method storage buckets.get: no known step, but ""`},
		"an unknown step":              {func(m *Method) { m.Step = "dance" }, `method storage buckets.get: no known step, but "dance"`},
		"no scope":                     {func(m *Method) { m.Scope = "" }, `method storage buckets.get: no known scope, but ""`},
		"an unknown scope":             {func(m *Method) { m.Scope = "world" }, `method storage buckets.get: no known scope, but "world"`},
		"an empty permission": {
			func(m *Method) { m.Permissions = []string{""} }, "method storage buckets.get: an empty permission",
		},
		"neither permission nor reason": {
			func(m *Method) { m.Permissions = nil },
			"method storage buckets.get: want either Permissions or a reason in NoPermissions",
		},
		"permission and reason": {
			func(m *Method) { m.NoPermissions = "anybody may" },
			"method storage buckets.get: want either Permissions or a reason in NoPermissions",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := valid
			tc.edit(&m)
			got := ""
			if err := m.Validate(); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
