package traffic

import (
	"testing"
)

func TestMatches(t *testing.T) {
	call := Call{Service: "storage", Method: "buckets.get", Project: "p", Resource: "b"}
	for name, c := range map[string]struct {
		pattern Call
		want    bool
	}{
		"anything":         {Call{}, true},
		"the same":         {call, true},
		"its service":      {Call{Service: "storage"}, true},
		"another service":  {Call{Service: "pubsub"}, false},
		"another method":   {Call{Method: "buckets.list"}, false},
		"another project":  {Call{Method: "buckets.get", Project: "q"}, false},
		"another resource": {Call{Resource: "c"}, false},
	} {
		if got := call.Matches(c.pattern); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestIsWrite(t *testing.T) {
	for method, want := range map[string]bool{
		"buckets.get": false, "buckets.list": false, "buckets.getIamPolicy": false, "buckets.testIamPermissions": false,
		"Publisher.GetTopic": false, "Publisher.ListTopics": false, "SchemaService.ValidateSchema": false,
		"Projects.SearchProjects": false,
		"buckets.insert":          true, "buckets.patch": true, "buckets.lockRetentionPolicy": true, "objects.delete": true,
		"Publisher.CreateTopic": true, "Publisher.UpdateTopic": true, "Projects.SetIamPolicy": true,
	} {
		if got := (Call{Method: method}).IsWrite(); got != want {
			t.Errorf("%s: %v", method, got)
		}
	}
}
