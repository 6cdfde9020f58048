package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// tenants is what all Namespaces together say, of which every pass asks something and which would take too long to find out anew: whom each
// belongs to, which projects more than one shard claims, and as whom Holdfast acts. It is kept by the events of Namespaces.
type tenants struct {
	reader client.Reader // from the cache
	// shard is the one that this process is responsible for.
	shard string
	// handover is how long after a Namespace has moved here another shard's process may be at a write that its gate let out before.
	handover time.Duration
	now      func() time.Time
	// synced says whether all Namespaces that there were at the start are known.
	synced func() bool

	mu         sync.RWMutex
	namespaces map[string]tenant
	// projects are those that Namespaces are bound to, with the names of these by their shards.
	projects map[string]map[string]map[string]bool
	// accounts count the Namespaces that name an account to act as, and acting has the accounts; nil after a change.
	accounts map[string]int
	acting   *iampolicy.Accounts
}

// tenant is what one Namespace says.
type tenant struct {
	shard, account string
	projects       []string
	// moved is when it was seen to move from one shard to another; zero for never.
	moved time.Time
}

// move is that of a Namespace from one shard to another, also from this one and back. The zero move is none.
type move struct {
	at time.Time
	// over is when the process of the other shard is at no write any more that its gate let out before.
	over time.Time
}

// readTenant is what a Namespace says.
func readTenant(namespace *corev1.Namespace) tenant {
	is := tenant{shard: tenancy.Shard(namespace.Labels), account: tenancy.Impersonates(namespace.Annotations)}
	for _, binding := range tenancy.Bindings(namespace.Annotations) {
		is.projects = append(is.projects, binding.Project)
	}
	return is
}

// saysAs says whether two tenants say the same.
func (t tenant) saysAs(other tenant) bool {
	return t.shard == other.shard && t.account == other.account && slices.Equal(t.projects, other.projects)
}

func newTenants(reader client.Reader, shard string, handover time.Duration) *tenants {
	return &tenants{
		reader: reader, shard: shard, handover: handover, now: time.Now, synced: func() bool { return true },
		namespaces: map[string]tenant{}, projects: map[string]map[string]map[string]bool{}, accounts: map[string]int{},
	}
}

// setUpTenants makes the manager keep them.
func setUpTenants(ctx context.Context, mgr ctrl.Manager, shard string, handover time.Duration) (*tenants, error) {
	t := newTenants(mgr.GetClient(), shard, handover)
	informer, err := mgr.GetCache().GetInformer(ctx, &corev1.Namespace{}, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, err
	}
	seen := func(obj any) {
		if name, err := toolscache.DeletionHandlingObjectToName(obj); err == nil {
			t.see(ctx, name.Name)
		}
	}
	handle, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: seen, UpdateFunc: func(_, obj any) { seen(obj) }, DeleteFunc: seen,
	})
	if err != nil {
		return nil, err
	}
	t.synced = handle.HasSynced
	return t, nil
}

// see takes in what the cache has of a Namespace. Whoever is told of an event first does it, in whatever order: what the cache has is newer
// than any event that was told.
func (t *tenants) see(ctx context.Context, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var namespace corev1.Namespace
	switch err := t.reader.Get(ctx, client.ObjectKey{Name: name}, &namespace, client.UnsafeDisableDeepCopy); {
	case apierrors.IsNotFound(err):
		t.put(name, nil)
	case err == nil:
		is := readTenant(&namespace)
		t.put(name, &is)
	}
}

func (t *tenants) put(name string, is *tenant) {
	was, known := t.namespaces[name]
	if known {
		delete(t.namespaces, name)
		for _, project := range was.projects {
			shards := t.projects[project]
			delete(shards[was.shard], name)
			if len(shards[was.shard]) == 0 {
				delete(shards, was.shard)
			}
			if len(shards) == 0 {
				delete(t.projects, project)
			}
		}
		t.count(was.account, -1)
	}
	if is == nil {
		return
	}
	if is.moved = was.moved; known && was.shard != is.shard {
		is.moved = t.now()
	}
	t.namespaces[name] = *is
	for _, project := range is.projects {
		if t.projects[project] == nil {
			t.projects[project] = map[string]map[string]bool{}
		}
		if t.projects[project][is.shard] == nil {
			t.projects[project][is.shard] = map[string]bool{}
		}
		t.projects[project][is.shard][name] = true
	}
	t.count(is.account, 1)
}

func (t *tenants) count(account string, more int) {
	if account == "" {
		return
	}
	t.accounts[account] += more
	if t.accounts[account] == 0 {
		delete(t.accounts, account)
	}
	t.acting = nil
}

// namespace reads a Namespace from the cache, and takes in what it says if no event has told that yet. It fails while not all are known: what
// others claim decides what may be done in one.
func (t *tenants) namespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	if !t.synced() {
		return nil, errors.New("the Namespaces are not known yet")
	}
	var namespace corev1.Namespace
	if err := t.reader.Get(ctx, client.ObjectKey{Name: name}, &namespace); err != nil {
		return nil, fmt.Errorf("reading the Namespace %s: %w", name, err)
	}
	if !t.knows(name, readTenant(&namespace)) {
		t.see(ctx, name)
	}
	return &namespace, nil
}

// knows says whether a Namespace is known to say this.
func (t *tenants) knows(name string, is tenant) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	was, known := t.namespaces[name]
	return known && was.saysAs(is)
}

// owns says whether this process is responsible for the objects in a Namespace.
func (t *tenants) owns(namespace *corev1.Namespace) bool {
	return tenancy.Shard(namespace.Labels) == t.shard
}

// ownsIn says so by the Namespace's name, as far as it is known: it is for many.
func (t *tenants) ownsIn(namespace string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	is, known := t.namespaces[namespace]
	return known && is.shard == t.shard
}

// ofAnotherShard says whether another shard is known to be responsible for the objects in a namespace.
func (t *tenants) ofAnotherShard(namespace string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	is, known := t.namespaces[namespace]
	return known && is.shard != t.shard
}

// takeover is how long nothing must be written yet for the objects in a namespace: it has moved to this shard, and the other one's process
// may be at a write. One that begins takes no namespace over: what was there before it has the record to go by.
func (t *tenants) takeover(namespace string) time.Duration {
	return max(t.lastMove(namespace).over.Sub(t.now()), 0)
}

// lastMove is the last move of any of some namespaces that this process has seen.
func (t *tenants) lastMove(namespaces ...string) (last move) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, name := range namespaces {
		if moved := t.namespaces[name].moved; moved.After(last.at) {
			last = move{moved, moved.Add(t.handover)}
		}
	}
	return last
}

// contested says whether Namespaces of different shards are bound to a project.
func (t *tenants) contested(project string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.projects[project]) > 1
}

// boundTo are the namespaces of the process's shard that are bound to a project.
func (t *tenants) boundTo(project string) []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Sorted(maps.Keys(t.projects[project][t.shard]))
}

// of are the namespaces of all shards that are bound to a project.
func (t *tenants) of(project string) []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []string
	for _, namespaces := range t.projects[project] {
		out = slices.AppendSeq(out, maps.Keys(namespaces))
	}
	return out
}

// has says whether a namespace of the process's shard is bound to a project.
func (t *tenants) has(project string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.projects[project][t.shard]) > 0
}

// actsAs are the accounts that Holdfast acts as for whatever Namespace, also one of another shard.
func (t *tenants) actsAs() *iampolicy.Accounts {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.acting == nil {
		t.acting = iampolicy.NewAccounts(slices.Sorted(maps.Keys(t.accounts))...)
	}
	return t.acting
}
