package diff

import "testing"

// What a live resource lacks is at its default: asking for the default changes nothing, nor does giving it up.
func TestAbsentIsDefault(t *testing.T) {
	live := thingSpec{Location: "US"}
	for name, desired := range map[string]thingSpec{
		"asked for": {Class: "STANDARD", Pays: new(false)},
		"given up":  {},
	} {
		t.Run(name, func(t *testing.T) {
			got := Compare(&thing{Spec: desired}, &thing{Spec: live}, []string{"spec.class", "spec.pays"}, thingFields)
			if len(got.Changes) > 0 {
				t.Errorf("changes %v; want none", got.Changes)
			}
		})
	}
	got := Compare(&thing{Spec: thingSpec{Class: "NEARLINE", Pays: new(true)}}, &thing{Spec: live}, nil, thingFields)
	if len(got.Changes) != 2 {
		t.Errorf("changes %v; want those to what is not the default", got.Changes)
	}
}

// TestAStructAsAWholeLosesWhatItsFieldsLose also where the value that there is was never set.
func TestAStructAsAWholeLosesWhatItsFieldsLose(t *testing.T) {
	lowers := func(c Change) string {
		if c.To < c.From {
			return c.Path + " from " + c.From
		}
		return ""
	}
	fields := Fields{"spec.a.b": {Loses: lowers}, "spec.a.c.d": {Loses: lowers, Default: "5"}, "spec.ab": {Loses: lowers}}
	for name, tc := range map[string]struct {
		change Change
		want   string
	}{
		"one field":            {Change{"spec.a.b", "2", "1"}, "spec.a.b from 2"},
		"from the default":     {Change{"spec.a.c.d", "", "1"}, "spec.a.c.d from 5"},
		"to the default":       {Change{"spec.a.c.d", "9", ""}, "spec.a.c.d from 9"},
		"to a higher default":  {Change{"spec.a.c.d", "1", ""}, ""},
		"the struct":           {Change{"spec.a", `{"b":2,"c":{"d":9}}`, "{}"}, "spec.a.b from 2; spec.a.c.d from 9"},
		"the struct, one kept": {Change{"spec.a", `{"b":2,"c":{"d":9}}`, `{"b":2}`}, "spec.a.c.d from 9"},
		"a struct that is new": {Change{"spec.a", "", `{"b":2,"c":{"d":9}}`}, ""},
		"another field":        {Change{"spec.x", "2", "1"}, ""},
		"what is no JSON":      {Change{"spec.a", "x", ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fields.Loses(tc.change); got != tc.want {
				t.Errorf("it loses %q, want %q", got, tc.want)
			}
		})
	}
}
