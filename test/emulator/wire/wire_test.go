package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	conversation, err := Parse(`POST https://storage.googleapis.com/storage/v1/b?project=p
Content-Type: application/json

{
  "name": "n"
}

200 OK
Content-Type: application/json; charset=UTF-8

{
  "id": "n"
}

---

DELETE https://storage.googleapis.com/storage/v1/b/n

204 No Content
Content-Type: application/json
`)
	if err != nil {
		t.Fatal(err)
	}
	type short struct {
		Name, Body, ContentType, Answer string
		Status                          int
	}
	var got []short
	for _, x := range conversation {
		got = append(got, short{x.Name(), x.Body, x.Header.Get("Content-Type"), x.Answer, x.Status})
	}
	expected := []short{
		{"POST /storage/v1/b", "{\n  \"name\": \"n\"\n}", "application/json", "{\n  \"id\": \"n\"\n}", 200},
		{"DELETE /storage/v1/b/n", "", "", "", 204},
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no status line": "GET https://example.com/\n\n{}",
		"no URL":         "GET\n\n200 OK",
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		recorded, actual string
		want             []Difference
	}{
		"order does not matter":          {`{"a": 1, "b": 2}`, `{"b": 2, "a": 1}`, nil},
		"a time stands for any time":     {`{"t": "2024-04-01T12:34:56.123456Z"}`, `{"t": "2026-01-02T03:04:05.678Z"}`, nil},
		"but not for anything":           {`{"t": "2024-04-01T12:34:56.123456Z"}`, `{"t": "now"}`, []Difference{{"/t", `"2024-04-01T12:34:56.123456Z"`, `"now"`}}},
		"nor for another type":           {`{"g": "12345678901234"}`, `{"g": 17}`, []Difference{{"/g", `"12345678901234"`, "17"}}},
		"every difference is told":       {`{"a": {"b": 1}, "c": [1]}`, `{"a": {"b": 2}, "d": 0}`, []Difference{{"/a/b", "1", "2"}, {"/c", "[1]", nothing}, {"/d", nothing, "0"}}},
		"lists have an order":            {`{"c": [1, 2]}`, `{"c": [2]}`, []Difference{{"/c/0", "1", "2"}, {"/c/1", "2", nothing}}},
		"an empty body is not an object": {``, `{}`, []Difference{{"body", nothing, "{}"}}},
		"two empty bodies":               {``, ``, nil},
		"error details are not recorded": {
			`{"error": {"code": 409}}`, `{"error": {"code": 409, "details": [{"a": 1}]}}`, nil,
		},
		"but others are":                  {`{}`, `{"details": [1]}`, []Difference{{"/details", nothing, "[1]"}}},
		"any number of a project":         {`{"projectNumber": "2763459391", "name": "projects/27"}`, `{"projectNumber": "17", "name": "projects/81"}`, nil},
		"but its ID":                      {`{"name": "projects/a"}`, `{"name": "projects/8"}`, []Difference{{"/name", `"projects/a"`, `"projects/8"`}}},
		"metagenerations are no wildcard": {`{"metageneration": "2"}`, `{"metageneration": "1"}`, []Difference{{"/metageneration", `"2"`, `"1"`}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Compare(c.recorded, c.actual, map[string]string{})); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlaceholdersAreLearned(t *testing.T) {
	learned := map[string]string{"projectId": "p"}
	for _, body := range []struct {
		recorded, actual string
		want             []Difference
	}{
		{`{"name": "operations/${operationID}", "etag": "abcdef0123A="}`, `{"name": "operations/cp.17", "etag": "BwU="}`, nil},
		{`{"name": "operations/${operationID}"}`, `{"name": "operations/cp.18"}`, []Difference{{"/name", `"operations/${operationID}"`, `"operations/cp.18"`}}},
		{`{"number": "${number}"}`, `{"number": 17}`, []Difference{{"/number", `"${number}"`, "17"}}},
	} {
		if diff := cmp.Diff(body.want, Compare(body.recorded, body.actual, learned)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body.recorded, diff)
		}
	}
	if diff := cmp.Diff(map[string]string{"projectId": "p", "operationID": "cp.17", recordedEtag: "BwU="}, learned); diff != "" {
		t.Errorf("learned (-want +got):\n%s", diff)
	}
	conversation, err := Parse("POST https://example.com/${operationID}\n\n{\"etag\": \"abcdef0123A=\"}\n\n200 OK\n\n${projectId}")
	if err != nil {
		t.Fatal(err)
	}
	x, err := conversation[0].With(learned)
	if diff := cmp.Diff([]string{"/cp.17", `{"etag": "BwU="}`, "p"}, []string{x.URL.Path, x.Body, x.Answer}); err != nil || diff != "" {
		t.Errorf("with what was learned: %v (-want +got):\n%s", err, diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("GET https://example.com/\n\n200 OK\n\n{}")
	f.Add("\n---\n")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = Parse(text) })
}
