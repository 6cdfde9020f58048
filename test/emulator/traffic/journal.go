package traffic

import (
	"slices"
	"sort"
	"time"
)

// bodyLimit bounds what the journal keeps of one body, in bytes.
const bodyLimit = 64 << 10

// Entry is one call in the journal.
type Entry struct {
	// Seq rises with every call that arrives, recorded or not.
	Seq  int64     `json:"seq"`
	Time time.Time `json:"time"`
	Call
	// QuotaProject is the project whose quota the call uses, if that is not
	// the call's own.
	QuotaProject string `json:"quotaProject,omitempty"`
	// UserAgent is what the caller calls itself, to tell several apart.
	UserAgent string `json:"userAgent,omitempty"`
	// Reason is why the caller says that it calls, for Google's audit logs.
	Reason string `json:"reason,omitempty"`
	// Write says that the method changes something; whether it did, Status
	// says.
	Write bool `json:"write"`
	// HTTPMethod and Path (with the query) of an HTTP call. A gRPC call has
	// only a path: the full name of the method.
	HTTPMethod string `json:"httpMethod,omitempty"`
	Path       string `json:"path"`
	// Request and Response are the bodies, as JSON for gRPC too, the first
	// 64 KiB of each.
	Request  string `json:"request,omitempty"`
	Response string `json:"response,omitempty"`
	// Status is the HTTP status, for gRPC the one that belongs to the code;
	// 0 while the call is under way.
	Status int `json:"status"`
	// Executed says that the service saw the call; calls refused by a fault
	// or a quota were not executed.
	Executed bool `json:"executed"`
	// Lost says that the answer never reached the client.
	Lost bool `json:"lost,omitempty"`
	// Took is how long it took from its arrival until it was over, whatever
	// the clock of the cloud did meanwhile.
	Took time.Duration `json:"-"`
}

// journal records calls in the order of their arrival.
type journal struct {
	recording bool
	last      int64
	entries   []*Entry
}

func (j *journal) begin(a arrival, consumer string, now time.Time) int64 {
	j.last++
	if j.recording {
		entry := &Entry{
			Seq: j.last, Time: now, Call: a.Call, UserAgent: a.userAgent, Reason: a.reason, Write: a.IsWrite(),
			HTTPMethod: a.httpMethod, Path: a.path,
		}
		if consumer != a.Project {
			entry.QuotaProject = consumer
		}
		j.entries = append(j.entries, entry)
	}
	return j.last
}

// find returns the entry of a call, or nil if it was not recorded.
func (j *journal) find(seq int64) *Entry {
	i := j.index(seq)
	if i < len(j.entries) && j.entries[i].Seq == seq {
		return j.entries[i]
	}
	return nil
}

// index returns the position of the first entry with at least this number.
func (j *journal) index(seq int64) int {
	return sort.Search(len(j.entries), func(i int) bool { return j.entries[i].Seq >= seq })
}

func (j *journal) since(mark int64) []Entry {
	entries := []Entry{}
	for _, e := range j.entries[j.index(mark+1):] {
		entries = append(entries, *e)
	}
	return entries
}

// recording reports whether bodies are worth keeping.
func (c *Control) recording() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.journal.recording
}

// outcome is how a call ended.
type outcome struct {
	request, response string
	status            int
	executed, lost    bool
}

// finish completes the entry of a call, if it was recorded, and tells of it.
func (c *Control) finish(v verdict, o outcome) {
	entry := c.complete(v, o)
	if entry != nil && c.listener != nil {
		c.listener(*entry)
	}
}

// complete completes the entry of a call; nil if it was not recorded. It is
// kept unless somebody is told.
func (c *Control) complete(v verdict, o outcome) *Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry := c.journal.find(v.seq)
	if entry == nil {
		return nil
	}
	entry.Request, entry.Response = clip(o.request), clip(o.response)
	entry.Status, entry.Executed, entry.Lost, entry.Took = o.status, o.executed, o.lost, time.Since(v.began)
	if c.listener != nil {
		i := c.journal.index(v.seq)
		c.journal.entries = slices.Delete(c.journal.entries, i, i+1)
	}
	return entry
}

func clip(body string) string { return body[:min(len(body), bodyLimit)] }
