package iampolicy

import "testing"

func TestConditionNormal(t *testing.T) {
	a := Condition{Title: " expires  soon\n", Description: "by\n  then", Expression: "request.time < timestamp('2027-01-01T00:00:00Z')\n"}
	b := Condition{Title: "expires soon", Description: "by then ", Expression: "request.time<timestamp( '2027-01-01T00:00:00Z' )"}
	if a.Normal() != b.Normal() || a.digest() == b.digest() || a.Normal().digest() != b.Normal().digest() {
		t.Errorf("%+v and %+v differ in more than white space", a.Normal(), b.Normal())
	}
	for name, other := range map[string]Condition{
		"title":       {Title: "expires  Soon", Description: b.Description, Expression: b.Expression},
		"description": {Title: b.Title, Expression: b.Expression},
		"expression":  {Title: b.Title, Description: b.Description, Expression: b.Expression + "||true"},
	} {
		if a.Normal() == other.Normal() {
			t.Errorf("another %s makes no difference", name)
		}
	}
	if (Condition{}).Normal() != (Condition{}) {
		t.Error("no condition became one")
	}
}

func TestTimeBound(t *testing.T) {
	for expression, want := range map[string]bool{
		`request.time < timestamp("2027-01-01T00:00:00Z")`:               true,
		"resource.type == \"x\" &&\n request\n.time.getHours('UTC') > 8": true,
		`resource.name == "request"`:                                     false,
		``:                                                               false,
	} {
		if got := (Condition{Title: "t", Expression: expression}).Normal().timeBound(); got != want {
			t.Errorf("%s: %v, want %v", expression, got, want)
		}
	}
}
