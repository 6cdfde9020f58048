package asset

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// settings is what can be set, as JSON.
type settings struct {
	// Staleness is a duration such as "5m".
	Staleness string `json:"staleness"`
	Frozen    bool   `json:"frozen"`
}

// Console answers GET and PUT of /v1/settings, and POST of /v1/view:refresh.
func (s *Service) Console() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/settings", func(w http.ResponseWriter, _ *http.Request) { s.writeSettings(w) })
	mux.HandleFunc("PUT /v1/settings", func(w http.ResponseWriter, r *http.Request) {
		if err := s.set(r); err != nil {
			traffic.WriteRPCError(w, err)
			return
		}
		s.writeSettings(w)
	})
	mux.HandleFunc("POST /v1/view:refresh", func(w http.ResponseWriter, _ *http.Request) {
		s.Refresh()
		s.writeSettings(w)
	})
	return mux
}

func (s *Service) set(r *http.Request) error {
	sent := s.settings()
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		return invalid("Reading the settings: %v", err)
	}
	staleness, err := time.ParseDuration(sent.Staleness)
	if err != nil || staleness < 0 {
		return invalid("Reading the settings: staleness %q: want a duration such as 5m", sent.Staleness)
	}
	s.SetStaleness(staleness)
	switch before := s.settings(); {
	case sent.Frozen && !before.Frozen:
		s.Freeze()
	case !sent.Frozen && before.Frozen:
		s.Thaw()
	}
	return nil
}

func (s *Service) settings() settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return settings{s.staleness.String(), s.frozen}
}

func (s *Service) writeSettings(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(s.settings()) // a client that has gone away needs no answer
}
