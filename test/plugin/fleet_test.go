package plugin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// as runs the plugin as somebody.
func (w *world) as(user string, args ...string) result {
	w.t.Helper()
	return w.finish(w.command(append(args, "--as", user)...))
}

// answering runs the plugin as somebody who answers its question.
func (w *world) answering(answer, user string, args ...string) result {
	w.t.Helper()
	cmd := w.command(append(args, "--as", user)...)
	cmd.Stdin = strings.NewReader(answer)
	return w.finish(cmd)
}

// ends checks how the plugin ended and that both outputs have certain parts.
func (w *world) ends(got result, code int, stdout, stderr string) {
	w.t.Helper()
	if got.code != code || !strings.Contains(got.stdout, stdout) || !strings.Contains(got.stderr, stderr) {
		w.t.Errorf("code %d, stdout:\n%s\nstderr:\n%s\nwant code %d, %q, %q", got.code, got.stdout, got.stderr, code, stdout, stderr)
	}
	if printed := got.stdout + got.stderr; strings.ContainsAny(printed, "\x1b\r") {
		w.t.Errorf("colours or progress in a pipe: %q", printed)
	}
}

// topic is a manifest whose team is a label that the manifest sets.
func topic(name string, changes ...func(*v1alpha1.Topic)) *v1alpha1.Topic {
	t := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "shop"}}}
	t.Spec.Labels = v1alpha1.Labels{"team": "shop"}
	for _, change := range changes {
		change(t)
	}
	return t
}

func (w *world) topicName(name string) string { return "projects/" + w.project + "/topics/" + name }

// liveTopic makes a topic in Google Cloud that belongs to a team.
func (w *world) liveTopic(name, team string) {
	w.t.Helper()
	w.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: w.topicName(name), Labels: map[string]string{"team": team}}))
}

// team changes the team of a topic in Google Cloud.
func (w *world) team(name, team string) {
	w.t.Helper()
	w.must(w.cloud.PubSub.EditTopic(w.topicName(name), func(live *pubsubpb.Topic) { live.Labels["team"] = team }))
}

// liveTeam is the team of a topic in Google Cloud.
func (w *world) liveTeam(name string) string {
	live, _ := w.cloud.PubSub.Topic(w.topicName(name))
	return live.GetLabels()["team"]
}

// ages differ from run to run, and with them the widths of columns.
var ages = regexp.MustCompile(`\b\d+(m\d+)?[smh] *|  +`)

// steady is what was printed without what differs from run to run.
func steady(printed string) string {
	return ages.ReplaceAllStringFunc(printed, func(found string) string {
		if strings.TrimSpace(found) == "" {
			return "  "
		}
		return "AGE  "
	})
}

// front is an HTTP server before the API server that lets through whoever comes as its administrator, and knows what is asked.
type front struct {
	*httptest.Server

	mu       sync.Mutex
	requests []string
}

// newFront starts one, and returns a kubeconfig for it.
func (w *world) newFront() (f *front, kubeconfig string) {
	w.t.Helper()
	target, err := url.Parse(kubeConfig.Host)
	w.must(err)
	transport, err := rest.TransportFor(installed.As(kubeConfig, ""))
	w.must(err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport, proxy.FlushInterval = transport, -1
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {} // a connection that the test ends
	f = &front{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery)
		f.mu.Unlock()
		proxy.ServeHTTP(out, r)
	}))
	w.t.Cleanup(func() { f.CloseClientConnections(); f.Close() })
	kubeconfig = filepath.Join(w.folder, "front")
	w.must(os.WriteFile(kubeconfig, fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Config","current-context":"front",
		"clusters":[{"name":"front","cluster":{"server":%q}}],"contexts":[{"name":"front","context":{"cluster":"front"}}]}`, f.URL), 0o600))
	return f, kubeconfig
}

// asked are the requests that have all of the parts.
func (f *front) asked(parts ...string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
next:
	for _, request := range f.requests {
		for _, part := range parts {
			if !strings.Contains(request, part) {
				continue next
			}
		}
		out = append(out, request)
	}
	return out
}

// running is the plugin while it runs.
type running struct {
	*exec.Cmd

	t      *testing.T
	mu     sync.Mutex
	stdout bytes.Buffer
	stderr bytes.Buffer
}

// start starts the plugin. It is killed when the test ends, if it runs by then.
func (w *world) startPlugin(cmd *exec.Cmd) *running {
	w.t.Helper()
	r := &running{Cmd: cmd, t: w.t}
	cmd.Stdout, cmd.Stderr = r.writer(&r.stdout), r.writer(&r.stderr)
	w.must(cmd.Start())
	return r
}

func (r *running) writer(into *bytes.Buffer) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return into.Write(p)
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (r *running) printed() (stdout, stderr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stdout.String(), r.stderr.String()
}

// prints waits until the plugin has printed something.
func (w *world) prints(r *running, what string) {
	w.t.Helper()
	w.eventually("the plugin to print "+what, func() (bool, string) {
		stdout, stderr := r.printed()
		return strings.Contains(stdout+stderr, what), stdout + stderr
	})
}

// interrupted sends an interrupt and returns the exit code, which has to come soon.
func (w *world) interrupted(r *running) int {
	w.t.Helper()
	w.must(r.Process.Signal(syscall.SIGINT))
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	ended := make(chan struct{})
	go func() { _ = r.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		w.t.Fatal("it did not end within five seconds of an interrupt")
	}
	return r.ProcessState.ExitCode()
}
