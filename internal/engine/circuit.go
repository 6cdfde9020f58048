package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breaker"
	"github.com/holdfast-dev/holdfast/internal/metrics"
)

// In the operator's namespace: what was destroyed lately, and what is on hold. Each shard has a record of its own, see config/shard.
// +kubebuilder:rbac:groups="",resources=configmaps,namespace=holdfast-system,verbs=create
// +kubebuilder:rbac:groups="",resources=configmaps,namespace=holdfast-system,resourceNames=holdfast-breaker,verbs=get;update

const (
	// breakerRecord is the ConfigMap that the record is in, with the shard after it, and breakerKey where in it.
	breakerRecord = "holdfast-breaker"
	breakerKey    = "record"
)

// defaultGathering is how long what is to be destroyed is gathered before it is decided about.
const defaultGathering = 10 * time.Second

// remembered is for how long those count who have asked and do not say otherwise, be it that their status does not say yet that they are on hold.
const remembered = time.Minute

// leastTick is how often at most what is on hold is looked at.
const leastTick = 100 * time.Millisecond

// circuit is the breaker of this process: what asks to destroy something waits until it is known what else does, and then all of it is let
// through or none. What was let through is on record before it is written to Google Cloud, so that no process forgets it.
type circuit struct {
	client  client.Client
	reader  client.Reader // uncached
	key     client.ObjectKey
	gathers time.Duration
	limits  breaker.Limits
	now     func() time.Time
	survey  surveyor
	metrics *metrics.Collector
	// released is told what was on hold, and which namespaces are not any more.
	released func(found *survey, free func(namespace string) bool)

	mu sync.Mutex
	// loaded says that the record is known, and version is the resourceVersion that it is stored with; empty while it is not.
	loaded  bool
	version string
	record  breaker.Record
	// asked are those who have asked lately, and until is when the gathering ends that is under way; zero if none is.
	asked map[types.UID]asker
	until time.Time

	// ready are the generations at which objects were Ready when they began to ask, by UID: what they write then corrects drift.
	ready sync.Map
	// forgotten are the UIDs of those who ask no more and have yet to be taken out of asked.
	forgotten sync.Map
}

// asker is an object that asks to destroy something.
type asker struct {
	breaker.Intent

	namespace string
	// last is when it has asked last.
	last time.Time
}

// gathering is the circuit's answer while others are waited for who may ask, too.
type gathering struct{ left time.Duration }

func (g *gathering) Error() string {
	return fmt.Sprintf("what is to be destroyed is gathered for another %s", g.left)
}

// onHold is the circuit's answer where more would be destroyed than a namespace or the fleet bears.
type onHold struct {
	trip      breaker.Trip
	namespace string
	fleet     bool
	limits    breaker.Limits
}

func (o *onHold) Error() string {
	t, bears := o.trip, o.limits.Namespace
	of := "namespace " + o.namespace
	if o.fleet {
		bears, of = o.limits.Fleet, fmt.Sprintf("%d namespaces of the fleet", t.Namespaces)
	}
	return fmt.Sprintf("so much is destroyed at once that somebody has to look: %d of %d resources in %s within %s, where it may be %d or %d %%, and not all",
		t.Touched, t.Had, of, o.limits.Window, bears.Resources, bears.Percent)
}

// ask asks to destroy something: nil once it is let through. allowed says that an administrator lets everything through there. A *gathering says
// when to ask again, an *onHold why not.
func (c *circuit) ask(ctx context.Context, of asker, allowed bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if allowed {
		delete(c.asked, of.UID)
		return nil
	}
	c.dropForgotten()
	if err := c.load(ctx); err != nil {
		return err
	}
	now := c.now()
	if answered, err := c.answer(of, now); answered {
		return err
	}
	if c.until.IsZero() || now.After(c.until.Add(remembered)) {
		c.until = now.Add(c.gathers)
	}
	of.last = now
	c.asked[of.UID] = of
	if left := c.until.Sub(now); left > 0 {
		return &gathering{left}
	}
	if err := c.decide(ctx, true); err != nil {
		return err
	}
	if answered, err := c.answer(of, now); answered {
		return err
	}
	return &gathering{pauseStale}
}

// answer is what the record says already.
func (c *circuit) answer(of asker, now time.Time) (answered bool, err error) {
	if c.record.Lets(of.namespace, of.Intent, c.limits, now) {
		return true, nil
	}
	trip, ofFleet := c.record.Trip(of.namespace)
	if trip == nil {
		return false, nil
	}
	of.last = now
	c.asked[of.UID] = of
	return true, &onHold{*trip, of.namespace, ofFleet, c.limits}
}

// wasReady says, once, whether an object that was waiting had been Ready for its generation.
func (c *circuit) wasReady(obj v1alpha1.Object) bool {
	generation, asked := c.ready.LoadAndDelete(obj.GetUID())
	return asked && generation == obj.GetGeneration()
}

// forget is for an object that has nothing to destroy any more. It waits for nobody: whoever is deciding takes it out for the next time.
func (c *circuit) forget(uid types.UID) {
	c.ready.Delete(uid)
	c.forgotten.Store(uid, nil)
	if c.mu.TryLock() {
		defer c.mu.Unlock()
		c.dropForgotten()
	}
}

func (c *circuit) dropForgotten() {
	c.forgotten.Range(func(uid, _ any) bool {
		delete(c.asked, uid.(types.UID))
		c.forgotten.Delete(uid)
		return true
	})
}

// load reads the record, once.
func (c *circuit) load(ctx context.Context) error {
	if c.loaded {
		return nil
	}
	var stored corev1.ConfigMap
	switch err := c.reader.Get(ctx, c.key, &stored); {
	case apierrors.IsNotFound(err): // what is known of it is stored with the next decision
		c.version = ""
	case err != nil:
		return fmt.Errorf("nothing is destroyed without knowing what was: reading ConfigMap %s: %w", c.key, err)
	default:
		record, err := breaker.Parse(stored.Data[breakerKey])
		if err != nil {
			return fmt.Errorf("nothing is destroyed without knowing what was: ConfigMap %s is damaged, delete it to begin anew: %w", c.key, err)
		}
		c.record, c.version = record, stored.ResourceVersion
	}
	c.loaded = true
	c.show()
	return nil
}

// decide decides about all who have asked, if letting, and about what is on hold.
func (c *circuit) decide(ctx context.Context, letting bool) error {
	c.dropForgotten()
	now := c.now().UTC().Truncate(time.Millisecond)
	for uid, of := range c.asked {
		if now.Sub(of.last) > remembered {
			delete(c.asked, uid)
		}
	}
	found, err := c.survey(ctx, c.record)
	if err != nil {
		return fmt.Errorf("finding out what else is to be destroyed: %w", err)
	}
	next, let := c.record.Decide(c.limits, found.with(c.asked, letting), found.had, now)
	if !reflect.DeepEqual(next, c.record.Within(c.limits, now)) {
		if err := c.store(ctx, next); err != nil {
			return err
		}
	}
	was := c.record
	c.record = next
	c.show()
	c.released(found, func(namespace string) bool {
		before, _ := was.Trip(namespace)
		now, _ := next.Trip(namespace)
		return before != nil && now == nil
	})
	if letting {
		c.until = time.Time{}
	}
	for uid := range let {
		delete(c.asked, uid)
	}
	return nil
}

// store writes the record. Where somebody else has, it is read anew, and decided anew.
func (c *circuit) store(ctx context.Context, next breaker.Record) error {
	stored := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.key.Namespace, Name: c.key.Name, ResourceVersion: c.version},
		Data:       map[string]string{breakerKey: next.String()},
	}
	write := func() error { return c.client.Update(ctx, stored) }
	if c.version == "" {
		write = func() error { return c.client.Create(ctx, stored) }
	}
	err := write()
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err):
		c.loaded = false
		return &gathering{pauseStale}
	case err != nil:
		c.loaded = false // it may have been written
		return fmt.Errorf("nothing is destroyed without a record of it: writing ConfigMap %s: %w", c.key, err)
	}
	c.version = stored.ResourceVersion
	return nil
}

// show shows in the metrics what is on hold.
func (c *circuit) show() {
	since := map[string]time.Time{}
	for name, space := range c.record.Namespaces {
		if space.Trip != nil {
			since[name] = space.Trip.Since
		}
	}
	if c.record.Fleet != nil {
		since[""] = c.record.Fleet.Since
	}
	c.metrics.OnHold(since)
}

// Start decides also where nobody comes back in time: whoever has asked may be waiting for something else meanwhile. And it lets go of holds once
// nothing waits any more, or an administrator lets it through.
func (c *circuit) Start(ctx context.Context) error {
	tick := time.NewTicker(max(c.gathers, leastTick))
	defer tick.Stop()
	for {
		if err := c.attend(ctx); err != nil {
			var again *gathering
			if !errors.As(err, &again) && ctx.Err() == nil {
				log.FromContext(ctx).Info("what is on hold because too much is destroyed is not known", "error", err.Error())
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (c *circuit) attend(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.load(ctx); err != nil {
		return err
	}
	over := !c.until.IsZero() && !c.now().Before(c.until)
	if !over && !c.record.Trips() {
		return nil
	}
	return c.decide(ctx, over)
}
