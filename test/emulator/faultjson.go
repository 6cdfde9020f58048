package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// faultJSON is a fault as the emulator's own API has it, with durations such
// as "500ms".
type faultJSON struct {
	ID         string       `json:"id,omitempty"`
	Match      traffic.Call `json:"match"`
	Times      int          `json:"times,omitempty"`
	Left       int          `json:"left,omitempty"`
	Latency    string       `json:"latency,omitempty"`
	Status     int          `json:"status,omitempty"`
	Reason     string       `json:"reason,omitempty"`
	Message    string       `json:"message,omitempty"`
	RetryAfter string       `json:"retryAfter,omitempty"`
	// Details are what a refusal says for programs.
	Details   *traffic.Details `json:"details,omitempty"`
	LoseReply bool             `json:"loseReply,omitempty"`
	Outage    bool             `json:"outage,omitempty"`
}

func toFaultJSON(f traffic.Injected) faultJSON {
	return faultJSON{
		ID: f.ID, Match: f.Match, Times: f.Times, Left: f.Left, Latency: duration(f.Latency), Status: f.Status,
		Reason: f.Reason, Message: f.Message, RetryAfter: duration(f.RetryAfter), LoseReply: f.LoseReply,
		Outage: f.Outage, Details: f.Details,
	}
}

func duration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func (f faultJSON) fault() (traffic.Fault, error) {
	latency, err := parseDuration("latency", f.Latency)
	if err != nil {
		return traffic.Fault{}, err
	}
	retryAfter, err := parseDuration("retryAfter", f.RetryAfter)
	if err != nil {
		return traffic.Fault{}, err
	}
	if f.Status != 0 && (f.Status < http.StatusBadRequest || f.Status > 599) {
		return traffic.Fault{}, fmt.Errorf("status %d: want an HTTP error, 400 to 599", f.Status)
	}
	if latency == 0 && f.Status == 0 && !f.LoseReply && !f.Outage {
		return traffic.Fault{}, errors.New("a fault needs one of latency, status, loseReply and outage")
	}
	return traffic.Fault{
		Match: f.Match, Times: f.Times, Latency: latency, Status: f.Status, Reason: f.Reason, Message: f.Message,
		RetryAfter: retryAfter, LoseReply: f.LoseReply, Outage: f.Outage, Details: f.Details,
	}, nil
}

func parseDuration(field, value string) (time.Duration, error) {
	if value == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s %q: want a duration such as \"500ms\" or \"2s\"", field, value)
	}
	return d, nil
}
