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
