package sweep

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// record notes when projects are swept, and how many at the same time.
type record struct {
	mu       sync.Mutex
	began    time.Time
	at       map[string][]time.Duration
	now, max int
}

func newRecord() *record { return &record{began: time.Now(), at: map[string][]time.Duration{}} }

func (r *record) begin(project string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at[project] = append(r.at[project], time.Since(r.began))
	r.now++
	r.max = max(r.max, r.now)
}

func (r *record) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now--
}

// sweeping sweeps for a time.
func sweeping(t *testing.T, p *Projects, lasts time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	p.Run(ctx)
}

var minutely = Schedule{Interval: time.Minute}

func TestProjectsAreSweptOnceAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecord()
		p := NewProjects(minutely, 2, func(_ context.Context, project string) (time.Duration, error) {
			r.begin(project)
			defer r.end()
			<-time.After(time.Second)
			return 0, nil
		})
		for i := range 50 {
			p.Add(string(rune('A'+i)), true)
			p.Add(string(rune('A'+i)), true)
		}
		sweeping(t, p, 10*time.Minute)
		early := 0
		for project, at := range r.at {
			if at[0] > time.Minute+5*time.Second || len(at) < 9 || len(at) > 12 {
				t.Errorf("project %s is swept at %v", project, at)
			}
			if at[0] < 30*time.Second {
				early++
			}
		}
		if len(r.at) != 50 || early < 10 || early > 40 || r.max != 2 {
			t.Errorf("%d projects are swept, %d of them in the first half of an interval, %d at once; want 50, about half, 2", len(r.at), early, r.max)
		}
	})
}

func TestAProjectThatFailsWaitsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, long := newRecord(), Schedule{Interval: 10 * time.Minute}
		p := NewProjects(long, 2, func(_ context.Context, project string) (time.Duration, error) {
			r.begin(project)
			defer r.end()
			switch project {
			case "failing":
				return 0, errors.New("away")
			case "throttled":
				return 7 * time.Minute, errors.New("slow down")
			}
			return 0, nil
		})
		for _, project := range []string{"fine", "failing", "throttled"} {
			p.Add(project, true)
		}
		sweeping(t, p, time.Hour)
		if n := len(r.at["fine"]); n < 5 || n > 7 {
			t.Errorf("the other project is swept %d times in an hour, want 5 to 7", n)
		}
		for i, at := range r.at["failing"][1:] {
			pause, want := at-r.at["failing"][i], min(firstPause<<i, long.Interval)
			if pause < want*9/10 || pause > want*11/10 {
				t.Errorf("pause %d is %s, want about %s", i, pause, want)
			}
		}
		for i, at := range r.at["throttled"][1:] {
			if pause := at - r.at["throttled"][i]; pause < 7*time.Minute {
				t.Errorf("pause %d of what is throttled is %s, want 7 minutes at least", i, pause)
			}
		}
	})
}

func TestAProjectWithoutManifestsIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecord()
		var p *Projects
		p = NewProjects(minutely, 1, func(_ context.Context, project string) (time.Duration, error) {
			r.begin(project)
			defer r.end()
			if project == "during" {
				p.Remove(project)
			}
			return 0, nil
		})
		for _, project := range []string{"before", "during", "twice", "twice"} {
			p.Add(project, true)
		}
		last := []bool{p.Remove("before"), p.Remove("twice"), p.Remove("unknown")}
		if d := cmp.Diff([]bool{true, false, false}, last); d != "" {
			t.Errorf("was that the last manifest (-want +got):\n%s", d)
		}
		sweeping(t, p, 5*time.Minute)
		if len(r.at["before"]) > 0 || len(r.at["during"]) != 1 || len(r.at["twice"]) < 4 {
			t.Errorf("sweeps: %v", r.at)
		}
		if p.Len() != 1 || !p.Has("twice") {
			t.Errorf("%d projects are left", p.Len())
		}
	})
}

// TestAProjectThatComesIsNotSweptAtOnce: its resources have just been looked at.
func TestAProjectThatComesIsNotSweptAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecord()
		p := NewProjects(minutely, 1, func(_ context.Context, project string) (time.Duration, error) {
			r.begin(project)
			r.end()
			return 0, nil
		})
		go func() {
			<-time.After(5 * time.Second)
			p.Add("new", false)
		}()
		sweeping(t, p, 90*time.Second)
		if at := r.at["new"]; len(at) != 1 || at[0] < 59*time.Second {
			t.Errorf("it is swept at %v, want once, after an interval", at)
		}
	})
}

// TestWhatWaitedForTheLeaseIsSpreadToo: a standby knows the projects for long before it sweeps them.
func TestWhatWaitedForTheLeaseIsSpreadToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecord()
		p := NewProjects(minutely, 100, func(_ context.Context, project string) (time.Duration, error) {
			r.begin(project)
			r.end()
			return 0, nil
		})
		for i := range 100 {
			p.Add(string(rune('A'+i)), true)
		}
		<-time.After(time.Hour)
		r.began = time.Now()
		sweeping(t, p, 20*time.Second)
		if n := len(r.at); n < 10 || n > 60 {
			t.Errorf("%d of 100 projects are swept in the first third of an interval", n)
		}
	})
}

// TestSweepsEndWithTheContext: nothing is left behind.
func TestSweepsEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		p := NewProjects(minutely, 1, func(ctx context.Context, _ string) (time.Duration, error) {
			<-ctx.Done()
			ended++
			return 0, ctx.Err()
		})
		p.Add("hanging", true)
		sweeping(t, p, 2*time.Minute)
		if ended != 1 {
			t.Errorf("%d sweeps have ended, want 1", ended)
		}
	})
}
