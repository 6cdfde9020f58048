package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// apis are the services of Google Cloud that are used.
var apis = []string{"storage", "pubsub", "iam", "resourcemanager"}

// etcdGone is how long etcd is gone at most; in a run of less than ten minutes, a tenth of it.
const etcdGone = time.Minute

func apiServerRestarts(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	down := between(r, 0, 10*time.Second)
	return fmt.Sprintf("kube-apiserver ends, and starts again after %s", down), down, func(ctx context.Context, w *world) error {
		w.plane.StopAPIServer()
		pause(ctx, down)
		return w.plane.StartAPIServer()
	}
}

func etcdIsGone(r *rand.Rand, all time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	gone := between(r, 5*time.Second, min(etcdGone, all/10))
	return fmt.Sprintf("etcd is gone for %s", gone), gone, func(ctx context.Context, w *world) error {
		w.plane.StopEtcd()
		pause(ctx, gone)
		return w.plane.StartEtcd()
	}
}

// fault is a deed that has something go wrong with calls to Google Cloud for a while.
func fault(r *rand.Rand, what string, match traffic.Call, fault traffic.Fault) (string, time.Duration, func(context.Context, *world) error) {
	lasts := between(r, 2*time.Second, 15*time.Second)
	fault.Match = match
	return fmt.Sprintf("%s: %s for %s", match.Service, what, lasts), lasts, func(ctx context.Context, w *world) error {
		defer w.cloud.Traffic.Remove(w.cloud.Traffic.Inject(fault))
		pause(ctx, lasts)
		return nil
	}
}

func someAPI(r *rand.Rand) traffic.Call { return traffic.Call{Service: apis[r.IntN(len(apis))]} }

func outage(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	return fault(r, "no connection", someAPI(r), traffic.Fault{Outage: true})
}

func tooMany(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	return fault(r, "429 to all calls", someAPI(r), traffic.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Second})
}

func unavailable(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	return fault(r, "503 to all calls", someAPI(r), traffic.Fault{Status: http.StatusServiceUnavailable})
}

func slow(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	late := between(r, 200*time.Millisecond, 3*time.Second)
	return fault(r, fmt.Sprintf("calls take %s more", late), someAPI(r), traffic.Fault{Latency: late})
}

// writes are the calls that change a resource.
var writes = []traffic.Call{
	{Service: "storage", Method: "buckets.insert"}, {Service: "storage", Method: "buckets.patch"}, {Service: "storage", Method: "buckets.delete"},
	{Service: "storage", Method: "buckets.setIamPolicy"},
	{Service: "pubsub", Method: "Publisher.CreateTopic"}, {Service: "pubsub", Method: "Publisher.UpdateTopic"},
	{Service: "pubsub", Method: "Publisher.DeleteTopic"},
	{Service: "pubsub", Method: "IAMPolicy.SetIamPolicy"},
	{Service: "iam", Method: "IAM.CreateServiceAccount"}, {Service: "iam", Method: "IAM.PatchServiceAccount"},
	{Service: "iam", Method: "IAM.DeleteServiceAccount"},
	{Service: "resourcemanager", Method: "Projects.SetIamPolicy"},
}

// lostReplies carries writes out and loses the answers.
func lostReplies(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	match := writes[r.IntN(len(writes))]
	return fault(r, match.Method+" is carried out and not answered", match, traffic.Fault{LoseReply: true})
}

// lateWrite holds a write, and has it carried out later, whoever has gone away by then. Holdfast reckons with half a minute.
func lateWrite(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	match, late := writes[r.IntN(len(writes))], between(r, time.Second, 20*time.Second)
	return fmt.Sprintf("%s: the next %s is carried out %s late", match.Service, match.Method, late), late, func(ctx context.Context, w *world) error {
		held := w.cloud.Traffic.Pause(match)
		defer held.Release()
		select {
		case <-held.Reached():
			pause(ctx, late)
		case <-time.After(late):
		case <-ctx.Done():
		}
		return nil
	}
}

// jumps are how far clocks jump at most.
const jumps = 10 * time.Minute

func cloudClockJumps(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
	by := between(r, -jumps, jumps)
	return fmt.Sprintf("Google's clock jumps, to be %s wrong", by), 0, func(_ context.Context, w *world) error {
		w.ahead.Store(int64(by))
		return nil
	}
}

// pause lets time pass.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
