package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// request makes a request to the emulated cloud that must succeed.
func (w *world) request(method, path, body string) {
	w.t.Helper()
	w.requestAs("", method, path, body)
}

// requestAs does so with a token, unless it is empty.
func (w *world) requestAs(token, method, path, body string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.cloud.URL()+path, strings.NewReader(body))
	w.must(err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	w.must(err)
	answer, err := io.ReadAll(response.Body)
	w.must(errors.Join(err, response.Body.Close()))
	if response.StatusCode >= http.StatusMultipleChoices {
		w.t.Fatalf("%s %s: %s: %s", method, path, response.Status, answer)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// encoded is a value as JSON.
func encoded(w *world, value any) string {
	w.t.Helper()
	text, err := json.Marshal(value)
	w.must(err)
	return string(text)
}
