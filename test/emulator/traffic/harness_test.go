package traffic

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// server is a service that counts what it carries out. Its calls are named
// by the path: /METHOD/PROJECT/RESOURCE.
type server struct {
	*Control
	url      string
	executed chan string
	now      time.Time
}

func newServer(t *testing.T, refuse ErrorBody) *server {
	t.Helper()
	s := &server{executed: make(chan string, 100), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s.Control = New(WithClock(func() time.Time { return s.now }))
	classify := func(r *http.Request) Call {
		parts := strings.Split(r.URL.Path, "/")
		if len(parts) < 4 {
			return Call{}
		}
		return Call{Service: "storage", Method: parts[1], Project: parts[2], Resource: parts[3]}
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.executed <- string(body)
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte("done"))
	})
	listening := httptest.NewServer(s.Middleware(classify, refuse)(handler))
	t.Cleanup(func() {
		s.Close()
		listening.Close()
	})
	s.url = listening.URL
	return s
}

// answer is what came back of a call.
type answer struct {
	status     int
	retryAfter string
	body       string
}

func (s *server) post(t *testing.T, path, body string) (answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header.Get("Retry-After"), string(content)}, err
}

func (s *server) status(t *testing.T, path string) int {
	t.Helper()
	a, err := s.post(t, path, "")
	if err != nil {
		t.Fatal(err)
	}
	return a.status
}
