package main

import (
	"bytes"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/internal/gcp"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestParse(t *testing.T) {
	cases := map[string]struct {
		args []string
		env  func(string) string
		want func(*config)
	}{
		"nothing": {nil, environment(), func(*config) {}},
		"numbers": {
			[]string{"--bucket-workers=3", "--topic-workers", "4", "--service-account-workers=5", "--project-policy-workers=6", "-kube-api-qps=0.5", "--kube-api-burst=1", "--gcp-qps-per-project=7", "--gcp-qps-per-quota-project=8"},
			environment(),
			func(c *config) {
				c.bucketWorkers, c.topicWorkers, c.accountWorkers, c.policyWorkers, c.kubeAPIQPS, c.kubeAPIBurst = 3, 4, 5, 6, .5, 1
				c.limits.Project, c.limits.QuotaProject = 7, 8
			},
		},
		"serving": {
			[]string{"--metrics-bind-address=:8443", "--metrics-secure=false", "--health-probe-bind-address=127.0.0.1:0"},
			environment(),
			func(c *config) { c.metricsAddress, c.metricsSecure, c.healthAddress = ":8443", false, "127.0.0.1:0" },
		},
		"election": {
			[]string{"--leader-elect", "--leader-elect-namespace=ns", "--leader-elect-lease-duration=30s", "--leader-elect-renew-deadline=20s", "--leader-elect-retry-period=5s"},
			environment(),
			func(c *config) {
				c.election = election{true, "ns", 30 * time.Second, 20 * time.Second, 5 * time.Second}
			},
		},
		"logging": {
			[]string{"--log-level=debug", "--log-format=console"}, environment(),
			func(c *config) { c.logLevel, c.logFormat = "debug", "console" },
		},
		"the rest": {
			[]string{"--kubeconfig=k", "--owner-id=prod-1", "--sweep-interval=1m", "--gcp-identity=holdfast@p.iam.gserviceaccount.com", "--version"}, environment(),
			func(c *config) {
				c.kubeconfig, c.ownerID, c.sweepInterval, c.version = "k", "prod-1", time.Minute, true
				c.identity = "holdfast@p.iam.gserviceaccount.com"
			},
		},
		"emulators": {
			nil, environment("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1", "PUBSUB_EMULATOR_HOST", "127.0.0.1:2"),
			func(c *config) {
				c.endpoints.storageEmulator, c.endpoints.pubsubEmulator = "http://127.0.0.1:1", "127.0.0.1:2"
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parse(tc.args, tc.env)
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			tc.want(want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{}, election{}, endpoints{})); diff != "" {
				t.Errorf("parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	cases := map[string]struct {
		args []string
		env  func(string) string
		want string
	}{
		"unknown flag":      {[]string{"--bogus"}, environment(), "flag provided but not defined: --bogus"},
		"missing value":     {[]string{"--kubeconfig"}, environment(), "flag needs an argument: --kubeconfig"},
		"argument":          {[]string{"now"}, environment(), `unexpected argument "now": there are only flags`},
		"log level":         {[]string{"--log-level=loud"}, environment(), `invalid value "loud" for flag --log-level: want one of debug, info, error`},
		"log format":        {[]string{"--log-format=xml"}, environment(), `invalid value "xml" for flag --log-format: want one of json, console`},
		"boolean":           {[]string{"--leader-elect=maybe"}, environment(), `invalid boolean value "maybe" for --leader-elect: want true or false`},
		"no number":         {[]string{"--bucket-workers=x"}, environment(), `invalid value "x" for flag --bucket-workers: want a whole number from 1 to 1000`},
		"number too small":  {[]string{"--topic-workers=0"}, environment(), `invalid value "0" for flag --topic-workers: want a whole number from 1 to 1000`},
		"number too large":  {[]string{"--kube-api-burst=100000"}, environment(), `invalid value "100000" for flag --kube-api-burst: want a whole number from 1 to 20000`},
		"not a rate":        {[]string{"--kube-api-qps=NaN"}, environment(), `invalid value "NaN" for flag --kube-api-qps: want a number above 0, at most 10000`},
		"negative rate":     {[]string{"--gcp-qps-per-project=-1"}, environment(), `invalid value "-1" for flag --gcp-qps-per-project: want a number above 0, at most 10000`},
		"no unit":           {[]string{"--sweep-interval=10"}, environment(), `invalid value "10" for flag --sweep-interval: want a duration with its unit from 1s to 24h0m0s`},
		"duration too long": {[]string{"--sweep-interval=25h"}, environment(), `invalid value "25h" for flag --sweep-interval: want a duration with its unit from 1s to 24h0m0s`},
		"no port":           {[]string{"--metrics-bind-address=8443"}, environment(), `invalid value "8443" for flag --metrics-bind-address: want HOST:PORT such as :8443 or 127.0.0.1:8443, or 0 for none`},
		"port too large":    {[]string{"--health-probe-bind-address=:65536"}, environment(), `invalid value ":65536" for flag --health-probe-bind-address: want HOST:PORT such as :8443 or 127.0.0.1:8443, or 0 for none`},
		"owner":             {[]string{"--owner-id=Prod"}, environment(), `invalid value "Prod" for flag --owner-id: want 1 to 63 of a to z, 0 to 9, - and _`},
		"no e-mail":         {[]string{"--gcp-identity=serviceAccount:a@b.c"}, environment(), `invalid value "serviceAccount:a@b.c" for flag --gcp-identity: want an e-mail such as holdfast@my-project.iam.gserviceaccount.com`},
		"dashes in a value": {[]string{"--owner-id=for flag -x"}, environment(), `invalid value "for flag -x" for flag --owner-id: want 1 to 63 of a to z, 0 to 9, - and _`},
		"deadline":          {[]string{"--leader-elect-renew-deadline=45s"}, environment(), "--leader-elect-renew-deadline 45s: want less than --leader-elect-lease-duration, which is 45s"},
		"period":            {[]string{"--leader-elect-retry-period=20s"}, environment(), "--leader-elect-retry-period 20s: want at most half of --leader-elect-renew-deadline, which is 35s"},
		"http":              {[]string{"--storage-endpoint=http://e:1"}, environment(), `invalid value "http://e:1" for flag --storage-endpoint: http has no TLS; want HOST:PORT or https://HOST:PORT, or add --gcp-insecure`},
		"https, insecure":   {[]string{"--gcp-insecure", "--storage-endpoint=https://e:1"}, environment(), `invalid value "https://e:1" for flag --storage-endpoint: https has TLS; want HOST:PORT or http://HOST:PORT`},
		"gRPC with a path":  {[]string{"--pubsub-endpoint=https://e:1/v1"}, environment(), `invalid value "https://e:1/v1" for flag --pubsub-endpoint: gRPC has no path; want HOST:PORT`},
		"Google, insecure":  {[]string{"--gcp-insecure", "--storage-endpoint=e:1", "--pubsub-endpoint=e:1"}, environment(), "--gcp-insecure: want --iam-endpoint as well, because Google's own has TLS"},
		"emulator":          {nil, environment("PUBSUB_EMULATOR_HOST", "e:x"), `invalid value "e:x" for the environment's $PUBSUB_EMULATOR_HOST: invalid port ":x" after host; want HOST:PORT or http://HOST:PORT`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := parse(tc.args, tc.env)
			if err == nil || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestEndpoints(t *testing.T) {
	emulator := gcp.Endpoint{Address: "emulator:1", Insecure: true}
	cases := map[string]struct {
		endpoints endpoints
		want      gcp.Options
	}{
		"Google's own": {endpoints{}, gcp.Options{}},
		"one elsewhere": {
			endpoints{storage: "https://private.example.com/storage/v1/"},
			gcp.Options{Storage: gcp.Endpoint{Address: "private.example.com:443", Path: "/storage/v1/"}},
		},
		"emulators by flag": {
			endpoints{storage: "http://emulator:1", pubsub: "emulator:1", iam: "emulator:1", resourceManager: "emulator:1", insecure: true},
			gcp.Options{Storage: emulator, PubSub: emulator, IAM: emulator, ResourceManager: emulator},
		},
		"emulators by environment": {
			endpoints{storageEmulator: "emulator:1", pubsubEmulator: "http://emulator:1"},
			gcp.Options{Storage: emulator, PubSub: emulator},
		},
		"the flag wins": {
			endpoints{storage: "elsewhere", storageEmulator: "emulator:1"},
			gcp.Options{Storage: gcp.Endpoint{Address: "elsewhere:443"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := tc.endpoints.options()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreUnexported(gcp.Options{})); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUsageNamesEveryFlag(t *testing.T) {
	var usage bytes.Buffer
	printUsage(&usage)
	defaults().flags().VisitAll(func(f *flag.Flag) {
		if !strings.Contains(usage.String(), "  --"+f.Name) || !strings.Contains(usage.String(), f.Usage) {
			t.Errorf("--%s is not in the usage:\n%s", f.Name, usage.String())
		}
		if f.Usage == "" || !strings.HasSuffix(f.Usage, ".") {
			t.Errorf("--%s: the usage is not a sentence: %q", f.Name, f.Usage)
		}
	})
}
