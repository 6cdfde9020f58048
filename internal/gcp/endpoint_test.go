package gcp

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseEndpoint(t *testing.T) {
	cases := map[string]struct {
		text     string
		insecure bool
		want     Endpoint
		err      string
	}{
		"host":                      {text: "storage.example.com", want: Endpoint{Address: "storage.example.com:443"}},
		"host and port":             {text: "127.0.0.1:8080", want: Endpoint{Address: "127.0.0.1:8080"}},
		"host and port, insecure":   {text: "127.0.0.1:8080", insecure: true, want: Endpoint{Address: "127.0.0.1:8080", Insecure: true}},
		"host, insecure":            {text: "emulator", insecure: true, want: Endpoint{Address: "emulator:80", Insecure: true}},
		"IPv6":                      {text: "[::1]:8080", want: Endpoint{Address: "[::1]:8080"}},
		"URL":                       {text: "https://storage.example.com/", want: Endpoint{Address: "storage.example.com:443"}},
		"URL with a path":           {text: "https://example.com/gcs/storage/v1", want: Endpoint{Address: "example.com:443", Path: "/gcs/storage/v1/"}},
		"URL, insecure":             {text: "http://127.0.0.1:8080", insecure: true, want: Endpoint{Address: "127.0.0.1:8080", Insecure: true}},
		"http, but secure":          {text: "http://127.0.0.1:8080", err: "http has no TLS"},
		"https, but insecure":       {text: "https://127.0.0.1:8080", insecure: true, err: "https has TLS"},
		"other scheme":              {text: "dns:///pubsub.googleapis.com", err: `scheme "dns" is neither http nor https`},
		"no host":                   {text: ":8080", err: "no host"},
		"empty":                     {text: "", err: "no host"},
		"credentials":               {text: "https://ann:secret@example.com", err: "more than scheme, host, port and path"},
		"query":                     {text: "https://example.com?alt=json", err: "more than scheme, host, port and path"},
		"not an address":            {text: "127.0.0.1:port", err: `invalid port ":port" after host`},
		"not an address either":     {text: "a b", err: `invalid character " " in host name`},
		"no secret in the sentence": {text: "https://ann:sec ret@example.com", err: "net/url: invalid userinfo"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseEndpoint(tc.text, tc.insecure)
			message := ""
			if err != nil {
				message = err.Error()
			}
			if message != tc.err {
				t.Errorf("error %q, want %q", message, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("ParseEndpoint (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEndpointDefaults(t *testing.T) {
	cases := map[string]struct {
		endpoint Endpoint
		want     string
	}{
		"Google's own":      {Endpoint{}, "https://storage.googleapis.com:443/storage/v1/"},
		"another host":      {Endpoint{Address: "127.0.0.1:1", Insecure: true}, "http://127.0.0.1:1/storage/v1/"},
		"another root also": {Endpoint{Address: "127.0.0.1:1", Path: "/gcs/"}, "https://127.0.0.1:1/gcs/"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.endpoint.or(googleStorage).url(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
