package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// rules hold each write against what may be written. All methods may be called at any time.
type rules struct {
	tell *diary
	now  func() time.Time

	mu        sync.Mutex
	manifests map[string]*known
	leases    leases
	// woken is when a slot went on after it had stood still.
	woken    map[string]time.Time
	breaches []string
	// writes are how many were carried out, late those of them that a process had begun before it stood still, and refused those that were not.
	writes, late, refused int
	// glasses are how many were acknowledged.
	glasses int
}

// known is what the rules know of a manifest and of what it is about.
type known struct {
	subject *subject
	// held is since when a glass is acknowledged; zero for not.
	held time.Time
	// state is what there is in Google Cloud, as it was seen last, and touched when somebody else than an operator last changed that.
	state   string
	touched time.Time
	// absent says that the resource may be created, and deleted that it may be destroyed.
	absent, deleted bool
	// uid is whose generation is the newest one, and since when that is stored.
	uid        types.UID
	generation int64
	since      time.Time
}

func newRules(tell *diary, subjects []*subject) *rules {
	r := &rules{tell: tell, now: time.Now, manifests: map[string]*known{}, woken: map[string]time.Time{}}
	for _, s := range subjects {
		r.manifests[s.key()] = &known{subject: s, absent: true}
	}
	return r
}

// breach tells of something that must not be.
func (r *rules) breach(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.breached(fmt.Sprintf(format, args...))
}

func (r *rules) breached(what string) {
	r.breaches = append(r.breaches, r.tell.linef("BREACH: %s", what))
}

// verdict is an error if there was any breach.
func (r *rules) verdict() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell.linef("%d writes were carried out and %d were not; the lease was taken %d times; %d glasses were acknowledged; %d writes were sent by a process "+
		"that had just stood still", r.writes, r.refused, len(r.leases.past), r.glasses, r.late)
	switch {
	case len(r.breaches) > 0:
		return fmt.Errorf("breaches: %d\n%s", len(r.breaches), strings.Join(r.breaches, "\n"))
	case r.writes == 0:
		return errors.New("nothing was written at all")
	}
	return nil
}

// wakes says that a slot goes on.
func (r *rules) wakes(slot string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.woken[slot] = r.now()
}

// acknowledged counts a glass.
func (r *rules) acknowledged() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.glasses++
}

// holder says who has the lease.
func (r *rules) holder(holder string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.leases.seen(holder, r.now()) {
		r.breached(b)
	}
}

// note changes what may be written for a manifest.
func (r *rules) note(s *subject, do func(*known)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do(r.manifests[s.key()])
}

// touch has somebody change what a manifest is about, with nothing judged meanwhile.
func (r *rules) touch(s *subject, do func(*known)) {
	r.note(s, func(k *known) {
		do(k)
		k.state, k.touched = s.state(), r.now()
	})
}

// created takes note of a new manifest.
func (k *known) created(obj v1alpha1.Object, at time.Time) {
	k.deleted, k.uid, k.generation, k.since = false, obj.GetUID(), obj.GetGeneration(), at
}

// edited takes note of what a manifest has become. Whoever says so may say it late, when there is another manifest of its name.
func (k *known) edited(obj v1alpha1.Object, at time.Time) {
	if obj.GetUID() == k.uid && obj.GetGeneration() > k.generation {
		k.generation, k.since = obj.GetGeneration(), at
	}
}

// reason is how calls name the manifest that they are for.
var reason = regexp.MustCompile(`^([^/]+/[^@]+)@(\d+)$`)

// heard is a call that is over, and when it came in by the clock of this process: the emulator has its own.
type heard struct {
	traffic.Entry
	at time.Time
}

// over is told of each call once it is over.
func (r *rules) over(e traffic.Entry) {
	if !e.Write {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !e.Executed || e.Status >= http.StatusMultipleChoices {
		r.refused++
		return
	}
	r.writes++
	h := heard{Entry: e, at: r.now().Add(-e.Took)}
	for _, b := range r.judge(h) {
		r.breached(fmt.Sprintf("%s for %s by %s: %s", e.Call.String(), e.Reason, e.UserAgent, b))
	}
}

// judge says what is wrong with a write that was carried out.
func (r *rules) judge(h heard) []string {
	var wrong []string
	if missing := withoutPrecondition(h.Entry); missing != "" {
		wrong = append(wrong, "no precondition: "+missing)
	}
	slot, of := slotOf(h.UserAgent), reason.FindStringSubmatch(h.Reason)
	if slot == "" {
		wrong = append(wrong, "nobody knows which operator it was")
	}
	if of == nil {
		return append(wrong, "no reason, which names the manifest")
	}
	generation, _ := strconv.ParseInt(of[2], 10, 64)
	k := r.manifests[h.Service+" "+of[1]]
	if k == nil {
		return append(wrong, "there is no such manifest")
	}
	late := h.at.Sub(r.woken[slot]) < margin
	if late {
		r.late++
	} else {
		r.leases.writes = append(r.leases.writes, leasedWrite{at: h.at, slot: slot, what: h.Method + " for " + h.Reason})
		if generation < k.generation && !k.deleted && h.at.Sub(k.since) > margin { // of one that was deleted and came again nobody may know yet
			wrong = append(wrong, fmt.Sprintf("generation %d is there for %s", k.generation, h.at.Sub(k.since)))
		}
	}
	if !k.held.IsZero() {
		wrong = append(wrong, fmt.Sprintf("its glass is broken, which was acknowledged %s ago", r.now().Sub(k.held)))
	}
	return append(wrong, k.changed(h, r.now())...)
}

// changed takes note of what a write has made of the resource, and says what is wrong with that.
func (k *known) changed(h heard, now time.Time) (wrong []string) {
	before := k.state
	k.state = k.subject.state()
	verb := h.Method[strings.LastIndex(h.Method, ".")+1:]
	switch {
	case strings.HasPrefix(verb, "Undelete"):
		k.absent = false
	case strings.HasPrefix(verb, "Create"), verb == "insert":
		if !k.absent {
			wrong = append(wrong, "it was created already, and nobody has deleted it")
		}
		k.absent = false
	case strings.HasPrefix(verb, "Delete"), verb == "delete":
		if !k.deleted {
			wrong = append(wrong, "nobody has deleted the manifest")
		}
		k.absent = true
	case before == k.state && now.Sub(h.at) < margin && h.at.Sub(k.touched) > margin: // it may have been seen with what somebody else did
		wrong = append(wrong, "it changes nothing: "+k.state)
	}
	return wrong
}

// slotOf is who has made a call.
func slotOf(userAgent string) string {
	for _, slot := range []string{slotA, slotB} {
		if strings.Contains(userAgent, slot) {
			return slot
		}
	}
	return ""
}

// withoutPrecondition says which precondition a write lacks that the API has; empty for none. Google has none for topics and accounts.
func withoutPrecondition(e traffic.Entry) string {
	var sent struct {
		Etag   string `json:"etag"`
		Policy struct {
			Etag string `json:"etag"`
		} `json:"policy"`
	}
	_ = json.Unmarshal([]byte(e.Request), &sent) // not all have a body
	switch {
	case e.Method == "buckets.patch" || e.Method == "buckets.delete" || e.Method == "buckets.update":
		if !strings.Contains(e.Path, "ifMetagenerationMatch=") {
			return "ifMetagenerationMatch"
		}
	case strings.HasSuffix(strings.ToLower(e.Method), "setiampolicy") && sent.Etag == "" && sent.Policy.Etag == "":
		return "the etag of the policy"
	}
	return ""
}
