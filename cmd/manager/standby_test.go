package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator"
)

// The election of these tests is quick, in the proportions of the default one.
const (
	testLease, testRenewal, testRetry = 12 * time.Second, 8 * time.Second, time.Second
	// handling is what a takeover may take besides: the process is one of many on a busy machine.
	handling = 10 * time.Second
)

// replica is one of several managers.
type replica struct {
	*exec.Cmd

	ended chan struct{}
	log   log
}

// replica starts a manager that reaches the API server by a kubeconfig, and waits until it is ready, leading or not.
func (i *installation) replica(t *testing.T, kubeconfig string, cloud *emulator.Emulator) *replica {
	t.Helper()
	health := freeAddress(t)
	r := &replica{ended: make(chan struct{}), Cmd: program(t.Context(),
		"--kubeconfig", kubeconfig, "--leader-elect", "--leader-elect-namespace=holdfast-system", "--sweep-interval=1s",
		"--leader-elect-lease-duration", testLease.String(), "--leader-elect-renew-deadline", testRenewal.String(), "--leader-elect-retry-period", testRetry.String(),
		"--gcp-insecure", "--gcp-quota-share=1000", "--storage-endpoint", cloud.StorageEndpoint(),
		"--pubsub-endpoint", cloud.GRPCAddr(), "--iam-endpoint", cloud.GRPCAddr(), "--resourcemanager-endpoint", cloud.GRPCAddr(),
		"--health-probe-bind-address", health,
	)}
	r.Stderr = &r.log
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.Wait() // its state says more
		close(r.ended)
	}()
	t.Cleanup(func() {
		_ = r.Process.Kill()
		<-r.ended
		if t.Failed() {
			t.Logf("a manager said:\n%s", r.log.String())
		}
	})
	eventually(t, "the replica is ready", func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+health+"/readyz", http.NoBody)
		if err != nil {
			return false, err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil
		}
		return answer.StatusCode == http.StatusOK, answer.Body.Close()
	})
	return r
}

// line is a way to the API server that can be cut: what is on it then neither arrives nor fails.
type line struct {
	address string
	cut     chan struct{}
	once    sync.Once
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	l := &line{address: listener.Addr().String(), cut: make(chan struct{})}
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			t.Cleanup(func() { _, _ = in.Close(), out.Close() })
			for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
				go l.copy(pair[0], pair[1])
			}
		}
	}()
	return l
}

func (l *line) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-l.cut:
			_, _ = io.Copy(io.Discard, from)
			return
		default:
		}
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			_ = to.Close()
			return
		}
	}
}

func (l *line) hang() { l.once.Do(func() { close(l.cut) }) }

// by is a kubeconfig that takes another way to the API server.
func (l *line) by(t *testing.T, kubeconfig string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, cluster := range config.Clusters {
		cluster.Server = "https://" + l.address
	}
	file := filepath.Join(t.TempDir(), "cut")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

func serverOf(t *testing.T, kubeconfig string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, cluster := range config.Clusters {
		server, err := url.Parse(cluster.Server)
		if err != nil {
			t.Fatal(err)
		}
		return server.Host
	}
	t.Fatal("no cluster")
	return ""
}

// TestStandby: whatever becomes of the leader, the replica on standby takes over soon, each edit is written once, and Ready stays.
func TestStandby(t *testing.T) {
	kube, cloud := install(t), emulator.StartTest(t)
	cloud.Traffic.Record(true)
	topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Name: "orders", Namespace: "shop"}}
	kube.create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Annotations: map[string]string{v1alpha1.ProjectIDAnnotation: "shop-project"}}}, topic)
	way := newLine(t, serverOf(t, kube.manager))
	leader := kube.replica(t, way.by(t, kube.manager), cloud)
	applied := func(what string) {
		t.Helper()
		eventually(t, what, func(ctx context.Context) (bool, error) {
			err := kube.Get(ctx, client.ObjectKeyFromObject(topic), topic)
			is := meta.FindStatusCondition(topic.Status.Conditions, v1alpha1.ConditionReady)
			return is != nil && is.Status == metav1.ConditionTrue && is.ObservedGeneration == topic.Generation, err
		})
	}
	applied("the first leader works")
	since := meta.FindStatusCondition(topic.Status.Conditions, v1alpha1.ConditionReady).LastTransitionTime

	for _, tc := range []struct {
		what   string
		stop   func(leader *replica)
		within time.Duration
	}{
		{"cut off from the API server", func(*replica) { way.hang() }, testLease + 2*testRetry},
		{"told to stop", func(leader *replica) { _ = leader.Process.Signal(syscall.SIGTERM) }, 3 * testRetry},
		{"killed", func(leader *replica) { _ = leader.Process.Kill() }, testLease + 2*testRetry},
	} {
		standby := kube.replica(t, kube.manager, cloud)
		calls, mark := cloud.Traffic.Total(), cloud.Traffic.Mark()
		tc.stop(leader)
		stopped := time.Now()
		if err := kube.Get(t.Context(), client.ObjectKeyFromObject(topic), topic); err != nil {
			t.Fatal(err)
		}
		before := topic.DeepCopy()
		topic.Spec.Labels = v1alpha1.Labels{"after": v1alpha1.LabelValue(fmt.Sprint(calls))}
		if err := kube.Patch(t.Context(), topic, client.MergeFrom(before)); err != nil {
			t.Fatal(err)
		}
		applied("the standby has taken over from a leader that was " + tc.what)
		writes := cloud.Traffic.WritesSince(mark)
		if len(writes) != 1 {
			t.Fatalf("%s: %d writes for one edit", tc.what, len(writes))
		}
		took := writes[0].Time.Sub(stopped)
		t.Logf("%s: the first write of the standby came after %v", tc.what, took.Round(time.Millisecond))
		if took > tc.within+handling {
			t.Errorf("%s: the first write of the standby came after %v, want %v", tc.what, took, tc.within)
		}
		select {
		case <-leader.ended:
		case <-time.After(patience):
			t.Errorf("%s: the leader that was has not ended", tc.what)
		}
		leader = standby
	}
	if is := meta.FindStatusCondition(topic.Status.Conditions, v1alpha1.ConditionReady).LastTransitionTime; !is.Equal(&since) {
		t.Errorf("Ready changed at %v, last before at %v", is, since)
	}
}
