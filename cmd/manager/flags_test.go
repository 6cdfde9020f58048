package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
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

// parse returns the config that the manager would start with.
func parse(t *testing.T, args []string, getenv func(string) string) (*config, error) {
	t.Helper()
	var got *config
	cmd := newCommand(kinds.All(nil), getenv, func(c *config) error {
		got = c
		return nil
	})
	cmd.SetArgs(append([]string{}, args...)) // nil would be those of the test binary
	err := cmd.Execute()
	return got, err
}

// defaults are what the manager starts with if nothing is set.
func defaults() *config {
	return &config{
		kubeAPIBurst:  200,
		workers:       map[string]*int{"Bucket": new(10), "Topic": new(10), "ServiceAccount": new(10), "ProjectPolicy": new(10)},
		sweepInterval: 10 * time.Minute, policySweepInterval: time.Hour,
		quotaShare:     0.8,
		metricsAddress: "0", metricsSecure: true,
		healthAddress: ":8081", pprofAddress: "0", plans: plans{address: "0"},
		election: election{leaseDuration: 45 * time.Second, renewDeadline: 35 * time.Second, retryPeriod: 4 * time.Second},
		logLevel: "info", logFormat: "json",
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
			[]string{"--bucket-workers=3", "--topic-workers", "4", "--service-account-workers=5", "--project-policy-workers=6", "--kube-api-qps=0.5", "--kube-api-burst=1", "--gcp-quota-share=2.5"},
			environment(),
			func(c *config) {
				c.workers = map[string]*int{"Bucket": new(3), "Topic": new(4), "ServiceAccount": new(5), "ProjectPolicy": new(6)}
				c.kubeAPIQPS, c.kubeAPIBurst = .5, 1
				c.quotaShare = 2.5
			},
		},
		"serving": {
			[]string{"--metrics-bind-address=:8443", "--metrics-secure=false", "--health-probe-bind-address=127.0.0.1:0"},
			environment(),
			func(c *config) { c.metricsAddress, c.metricsSecure, c.healthAddress = ":8443", false, "127.0.0.1:0" },
		},
		"profiles": {
			[]string{"--pprof-address=[::1]:6060"}, environment(), func(c *config) { c.pprofAddress = "[::1]:6060" },
		},
		"plans": {
			[]string{"--plan-address=:9443", "--plan-tls-cert-file=tls.crt", "--plan-tls-key-file=tls.key", "--plan-auth-config=auth.yaml"}, environment(),
			func(c *config) { c.plans = plans{":9443", "tls.crt", "tls.key", "auth.yaml"} },
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
			[]string{"--kubeconfig=k", "--owner-id=prod-1", "--shard=eu-1", "--sweep-interval=1m", "--gcp-identity=holdfast@p.iam.gserviceaccount.com", "--quota-project=my-operations"}, environment(),
			func(c *config) {
				c.quotaProject = "my-operations"
				c.kubeconfig, c.ownerID, c.shard, c.sweepInterval = "k", "prod-1", "eu-1", time.Minute
				c.identity = "holdfast@p.iam.gserviceaccount.com"
			},
		},
		"assets": {
			[]string{"--asset-scope=organizations/123", "--asset-endpoint=assets:1"}, environment(),
			func(c *config) { c.assetScope, c.endpoints.Asset = "organizations/123", "assets:1" },
		},
		"emulators": {
			nil, environment("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1", "PUBSUB_EMULATOR_HOST", "127.0.0.1:2"),
			func(c *config) {
				c.endpoints.StorageEmulator, c.endpoints.PubSubEmulator = "http://127.0.0.1:1", "127.0.0.1:2"
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parse(t, tc.args, tc.env)
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			tc.want(want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{}, election{}, plans{})); diff != "" {
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
		"unknown flag":  {[]string{"--bogus"}, environment(), "unknown flag: --bogus"},
		"one dash":      {[]string{"-leader-elect"}, environment(), "unknown shorthand flag: 'l' in -leader-elect"},
		"missing value": {[]string{"--kubeconfig"}, environment(), "flag needs an argument: --kubeconfig"},
		"argument":      {[]string{"now"}, environment(), `unexpected argument "now": manager takes only flags`},
		"plans without TLS": {
			[]string{"--plan-address=:9443", "--plan-tls-cert-file=tls.crt"}, environment(),
			"--plan-address requires --plan-tls-cert-file and --plan-tls-key-file: tokens are shown over TLS alone",
		},
		"plans nowhere": {
			[]string{"--plan-auth-config=auth.yaml"}, environment(),
			"--plan-tls-cert-file, --plan-tls-key-file and --plan-auth-config serve nothing without --plan-address",
		},
		"log level":          {[]string{"--log-level=loud"}, environment(), `invalid argument "loud" for "--log-level" flag: must be one of debug, info, error`},
		"log format":         {[]string{"--log-format=xml"}, environment(), `invalid argument "xml" for "--log-format" flag: must be one of json, console`},
		"boolean":            {[]string{"--leader-elect=maybe"}, environment(), `invalid argument "maybe" for "--leader-elect" flag: must be true or false`},
		"no number":          {[]string{"--bucket-workers=x"}, environment(), `invalid argument "x" for "--bucket-workers" flag: must be a whole number from 1 to 1000`},
		"spaced boolean":     {[]string{"--leader-elect", "true"}, environment(), `unexpected argument "true": manager takes only flags`},
		"number too small":   {[]string{"--topic-workers=0"}, environment(), `invalid argument "0" for "--topic-workers" flag: must be a whole number from 1 to 1000`},
		"number too large":   {[]string{"--kube-api-burst=100000"}, environment(), `invalid argument "100000" for "--kube-api-burst" flag: must be a whole number from 1 to 20000`},
		"not a rate":         {[]string{"--kube-api-qps=NaN"}, environment(), `invalid argument "NaN" for "--kube-api-qps" flag: must be a number from 0, which is no limit, to 10000`},
		"shard":              {[]string{"--shard=EU"}, environment(), `invalid argument "EU" for "--shard" flag: must be 1 to 40 of a to z, 0 to 9 and -, as a DNS label has them`},
		"negative rate":      {[]string{"--gcp-quota-share=-1"}, environment(), `invalid argument "-1" for "--gcp-quota-share" flag: must be a number above 0, at most 1000`},
		"no unit":            {[]string{"--sweep-interval=10"}, environment(), `invalid argument "10" for "--sweep-interval" flag: must be a duration with its unit, from 1s to 24h0m0s`},
		"duration too short": {[]string{"--sweep-interval=999ms"}, environment(), `invalid argument "999ms" for "--sweep-interval" flag: must be a duration with its unit, from 1s to 24h0m0s`},
		"duration too long":  {[]string{"--sweep-interval=25h"}, environment(), `invalid argument "25h" for "--sweep-interval" flag: must be a duration with its unit, from 1s to 24h0m0s`},
		"negative limit":     {[]string{"--kube-api-qps=-1"}, environment(), `invalid argument "-1" for "--kube-api-qps" flag: must be a number from 0, which is no limit, to 10000`},
		"no port":            {[]string{"--metrics-bind-address=8443"}, environment(), `invalid argument "8443" for "--metrics-bind-address" flag: must be HOST:PORT such as :8443 or 127.0.0.1:8443, or 0 for none`},
		"port too large":     {[]string{"--health-probe-bind-address=:65536"}, environment(), `invalid argument ":65536" for "--health-probe-bind-address" flag: must be HOST:PORT such as :8443 or 127.0.0.1:8443, or 0 for none`},
		"owner":              {[]string{"--owner-id=Prod"}, environment(), `invalid argument "Prod" for "--owner-id" flag: must be 1 to 63 of a to z, 0 to 9, - and _`},
		"no address":         {[]string{"--gcp-identity=serviceAccount:a@b.c"}, environment(), `invalid argument "serviceAccount:a@b.c" for "--gcp-identity" flag: must be an email address such as holdfast@my-project.iam.gserviceaccount.com`},
		"deadline":           {[]string{"--leader-elect-renew-deadline=45s"}, environment(), "--leader-elect-renew-deadline is 45s: must be less than --leader-elect-lease-duration, which is 45s"},
		"period":             {[]string{"--leader-elect-retry-period=20s"}, environment(), "--leader-elect-retry-period is 20s: must be at most half of --leader-elect-renew-deadline, which is 35s"},
		"http":               {[]string{"--storage-endpoint=http://e:1"}, environment(), `invalid value "http://e:1" for --storage-endpoint: http has no TLS; must be HOST:PORT or https://HOST:PORT, unless --gcp-insecure is set`},
		"https, insecure":    {[]string{"--gcp-insecure", "--storage-endpoint=https://e:1"}, environment(), `invalid value "https://e:1" for --storage-endpoint: https has TLS; must be HOST:PORT or http://HOST:PORT`},
		"gRPC with a path":   {[]string{"--pubsub-endpoint=https://e:1/v1"}, environment(), `invalid value "https://e:1/v1" for --pubsub-endpoint: gRPC has no path; must be HOST:PORT`},
		"Google, insecure":   {[]string{"--gcp-insecure", "--storage-endpoint=e:1", "--pubsub-endpoint=e:1"}, environment(), "--gcp-insecure requires --iam-endpoint, because Google's own endpoint has TLS"},
		"no scope":           {[]string{"--asset-scope=organizations/example.com"}, environment(), `invalid argument "organizations/example.com" for "--asset-scope" flag: must be organizations/NUMBER, folders/NUMBER or projects/PROJECT_ID`},
		"no project":         {[]string{"--quota-project=projects/my-operations"}, environment(), `invalid argument "projects/my-operations" for "--quota-project" flag: must be a project ID such as my-operations`},
		"a scope by name":    {[]string{"--asset-scope=my-project"}, environment(), `invalid argument "my-project" for "--asset-scope" flag: must be organizations/NUMBER, folders/NUMBER or projects/PROJECT_ID`},
		"assets, insecure":   {[]string{"--gcp-insecure", "--storage-endpoint=e:1", "--pubsub-endpoint=e:1", "--iam-endpoint=e:1", "--resourcemanager-endpoint=e:1", "--asset-scope=folders/1"}, environment(), "--gcp-insecure requires --asset-endpoint, because Google's own endpoint has TLS"},
		"emulator":           {nil, environment("PUBSUB_EMULATOR_HOST", "e:x"), `invalid value "e:x" for $PUBSUB_EMULATOR_HOST: invalid port ":x" after host; must be HOST:PORT or http://HOST:PORT`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, tc.args, tc.env)
			if err == nil || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

// TestProfilesAreForThisMachineAlone refuses every address that others could reach, and every name, whatever it stands for today.
func TestProfilesAreForThisMachineAlone(t *testing.T) {
	for address, want := range map[string]bool{
		"0": true, "127.0.0.1:6060": true, "127.8.8.8:0": true, "[::1]:6060": true,
		":6060": false, "0.0.0.0:6060": false, "[::]:6060": false, "10.0.0.1:6060": false, "[fe80::1]:6060": false, "[::ffff:10.0.0.1]:6060": false,
		"localhost:6060": false, "127.0.0.1.example.com:6060": false, "127.0.0.1": false, "127.0.0.1:http": false, "127.0.0.1:65536": false,
		"127.1:6060": false, "2130706433:6060": false, "": false,
	} {
		_, err := parse(t, []string{"--pprof-address=" + address}, environment())
		refusal := fmt.Sprintf(`invalid argument %q for "--pprof-address" flag: `, address) +
			"must be a loopback address with its port such as 127.0.0.1:6060 or [::1]:6060, or 0 for none"
		if want && err != nil || !want && (err == nil || err.Error() != refusal) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestTheAPIServerAloneLimitsRequests(t *testing.T) {
	for args, want := range map[string]float32{"--kube-api-burst=1": -1, "--kube-api-qps=0": -1, "--kube-api-qps=2.5": 2.5} {
		c, err := parse(t, []string{args}, environment())
		if err != nil {
			t.Fatal(err)
		}
		if got := tuned(c, &rest.Config{}).QPS; got != want {
			t.Errorf("%s: %v requests a second, want %v", args, got, want)
		}
	}
}

func TestHelp(t *testing.T) {
	var help bytes.Buffer
	all := []kind.Kind{{Traits: kind.Traits{Kind: "Bucket", Name: "bucket"}}, {Traits: kind.Traits{Kind: "ProjectPolicy", Name: "project policy"}}}
	cmd := newCommand(all, environment(), func(*config) error {
		t.Error("started")
		return nil
	})
	cmd.SetOut(&help)
	cmd.SetArgs([]string{"--help"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	shown := strings.Join(strings.Fields(help.String()), " ") // without its line breaks
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		_, usage := pflag.UnquoteUsage(f)
		if !strings.Contains(shown, "--"+f.Name+" ") || !strings.Contains(shown, usage) {
			t.Errorf("--%s is not in the help:\n%s", f.Name, help.String())
		}
		if !strings.HasSuffix(usage, ".") {
			t.Errorf("--%s: not a sentence: %q", f.Name, usage)
		}
	})
	for _, want := range []string{
		"Leader election flags:",
		"--bucket-workers int Number of objects of the kind Bucket to reconcile concurrently. (default 10)",
		"--project-policy-workers int Number of objects of the kind ProjectPolicy to reconcile concurrently. (default 10)",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in the help:\n%s", want, help.String())
		}
	}
}
