package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestNoTextForgesALogLine: neither what people write in annotations nor what Google answers, in any place of a line and in either format.
func TestNoTextForgesALogLine(t *testing.T) {
	const forged = "INC-1\n2026-01-01T00:00:00Z\tINFO\taudit\tada closed the glass\r\x1b[2K\u202eneddih\u2028\x00"
	for _, format := range []string{"json", "console"} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			log := newLogger(&config{logFormat: format, logLevel: "debug"}, &out)
			log.WithName("audit").WithValues("reason", forged).Info("ada broke the glass: "+forged, "error", errors.New(forged), forged, "key",
				"object", client.ObjectKey{Namespace: "shop", Name: forged}, "list", []string{forged})
			log.Error(errors.New(forged), forged)
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if len(lines) != 2 {
				t.Errorf("%d lines, want 2:\n%q", len(lines), lines)
			}
			if strings.ContainsAny(out.String(), "\r\x1b\u202e\u2028\x00") {
				t.Errorf("raw in the log:\n%q", out.String())
			}
			if format == "console" && strings.Contains(out.String(), "\tINFO\taudit\tada closed") {
				t.Errorf("a forged column:\n%q", out.String())
			}
			if !strings.Contains(out.String(), `202eneddih`) {
				t.Errorf("what was said is not there:\n%q", out.String())
			}
		})
	}
}
