package bucket

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEmptyOnTheWire(t *testing.T) {
	impl, cloud := newCloud(t)
	cloud.bucket = object{"name": "logs", "metageneration": "1"}
	cloud.objects = []object{
		{"name": "a", "generation": "11"}, {"name": "a", "generation": "12"}, {"name": "b/c d", "generation": "13"},
	}
	live := &Live{Name: "logs", Metageneration: 1}
	steps := []struct {
		deleted  int
		more     bool
		requests []string
	}{
		{2, true, []string{
			"GET /b/logs/o?maxResults=2&fields&versions", "DELETE /b/logs/o/a?generation=11", "DELETE /b/logs/o/a?generation=12",
		}},
		{1, false, []string{"GET /b/logs/o?maxResults=2&fields&versions", "DELETE /b/logs/o/b/c d?generation=13"}},
	}
	for _, step := range steps {
		cloud.requests = nil
		deleted, more, err := impl.Empty(t.Context(), ref, live, 2)
		if deleted != step.deleted || more != step.more || err != nil {
			t.Errorf("deleted %d, more %v, error %v; want %d, %v", deleted, more, err, step.deleted, step.more)
		}
		if diff := cmp.Diff(step.requests, brief(cloud.requests)); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	}
}

// brief shortens the query of a list.
func brief(requests []request) []string {
	var out []string
	for _, r := range requests {
		path, query, _ := strings.Cut(r.URL, "?")
		if strings.HasSuffix(path, "/o") && strings.Contains(query, "versions=true") && strings.Contains(query, "fields=") {
			query = "maxResults=2&fields&versions"
		}
		out = append(out, r.Method+" "+path+"?"+query)
	}
	return out
}

// What is in the way of deleting one object stops the batch, and says how far it came.
func TestEmptyStops(t *testing.T) {
	cases := map[string]struct {
		status int
		body   string
		method string
		want   string
	}{
		"a hold": {
			status: http.StatusForbidden, body: `{"error":{"code":403,"message":"Object 'logs/b' is under active Event-Based hold."}}`, method: "DELETE",
			want: `deleting generation 12 of object "b" in bucket "logs"`,
		},
		"no right to list": {
			status: http.StatusForbidden, body: `{"error":{"code":403,"message":"denied"}}`, method: "GET",
			want: `listing the objects of bucket "logs"`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			impl, cloud := newCloud(t)
			cloud.bucket = object{"name": "logs", "metageneration": "1"}
			cloud.objects = []object{{"name": "a", "generation": "11"}, {"name": "b", "generation": "12"}}
			cloud.fail = func(r request) (int, string) {
				if r.Method == tc.method && !strings.Contains(r.URL, "/o/a") {
					return tc.status, tc.body
				}
				return 0, ""
			}
			deleted, more, err := impl.Empty(t.Context(), ref, &Live{}, 10)
			if want := 2 - len(cloud.objects); deleted != want || !more || err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("deleted %d, more %v, error %v; want %d, more, and %q", deleted, more, err, want, tc.want)
			}
		})
	}
}

// An object that is gone already counts as deleted.
func TestEmptyRaces(t *testing.T) {
	impl, cloud := newCloud(t)
	cloud.bucket = object{"name": "logs", "metageneration": "1"}
	cloud.objects = []object{{"name": "a", "generation": "11"}}
	cloud.fail = func(r request) (int, string) {
		if r.Method == http.MethodDelete {
			return http.StatusNotFound, `{"error":{"code":404,"message":"No such object: logs/a","errors":[{"reason":"notFound"}]}}`
		}
		return 0, ""
	}
	if deleted, more, err := impl.Empty(t.Context(), ref, &Live{}, 10); deleted != 1 || more || err != nil {
		t.Errorf("deleted %d, more %v, error %v; want 1 and no more", deleted, more, err)
	}
}
