package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestPausesBetweenRefusals lets Google refuse a member again and again, and lists after how many minutes each.
func TestPausesBetweenRefusals(t *testing.T) {
	s := aBucket().with(owned, grantsAda, nobodyIsLive, adaIsRefused)
	s.record.Policy.Known = true
	var got []time.Duration
	for range 9 {
		a := s.assess()
		if a.Verdict.Action != Leave || !a.Policy.RetryRefused.After(s.env.Now) {
			t.Fatalf("refused just now, and %+v; tried again at %s", a.Verdict, a.Policy.RetryRefused)
		}
		pause := a.Policy.RetryRefused.Sub(s.env.Now)
		got = append(got, pause/time.Minute)
		s.env.Now = s.env.Now.Add(pause)
		if a = s.assess(); a.Verdict.Action != Update {
			t.Fatalf("verdict %+v, want another try", a.Verdict)
		}
		s.record = a.Record.Refused([]string{ada.Member}, "no such user", s.Object, s.env)
		if n := len(s.record.Policy.Refused); n != 1 {
			t.Fatalf("%d refusals of one member", n)
		}
	}
	if d := cmp.Diff([]time.Duration{1, 1, 2, 4, 8, 16, 32, 60, 60}, got); d != "" {
		t.Errorf("minutes (-want +got):\n%s", d)
	}
}

// TestStillRefused says who is left out of the next write.
func TestStillRefused(t *testing.T) {
	at := func(ago time.Duration) *metav1.Time { return &metav1.Time{Time: three.Add(-ago)} }
	appeared := func(ago time.Duration) Environment {
		return Environment{Now: three, Appeared: map[string]time.Time{"user:a": three.Add(-ago)}}
	}
	now := Environment{Now: three}
	cases := map[string]struct {
		first, last *metav1.Time
		generation  int64
		env         Environment
		still       bool
	}{
		"a moment ago":                        {at(time.Second), at(time.Second), 1, now, true},
		"a minute ago":                        {at(time.Minute), at(time.Minute), 1, now, false},
		"for ten minutes, nine minutes ago":   {at(19 * time.Minute), at(9 * time.Minute), 1, now, true},
		"for ten minutes, ten minutes ago":    {at(20 * time.Minute), at(10 * time.Minute), 1, now, false},
		"for a day, an hour ago":              {at(25 * time.Hour), at(time.Hour), 1, now, false},
		"by an earlier version":               {nil, nil, 1, now, false},
		"another generation":                  {at(0), at(0), 2, now, false},
		"and the account is ready since":      {at(9 * time.Second), at(9 * time.Second), 1, appeared(8 * time.Second), false},
		"though the account was ready before": {at(9 * time.Second), at(9 * time.Second), 1, appeared(10 * time.Second), true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := Record{Policy: PolicyRecord{Refused: []v1alpha1.IAMRefusal{
				{Member: "user:a", Generation: tc.generation, FirstTryTime: tc.first, LastTryTime: tc.last},
			}}}
			members, until := r.stillRefused(&v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Generation: 1}}, tc.env)
			if len(members) > 0 != tc.still || until.After(three) != tc.still {
				t.Errorf("refused %v until %s", members, until)
			}
		})
	}
}

// TestAnAccountThatAppearsBeginsAnew: not all of Google may know it yet, and the next try is not as long away as before.
func TestAnAccountThatAppearsBeginsAnew(t *testing.T) {
	member, obj := "serviceAccount:a@p.iam.gserviceaccount.com", &v1alpha1.Bucket{}
	r := Record{}.Refused([]string{member}, "no", obj, Environment{Now: three.Add(-24 * time.Hour)})
	r = r.Refused([]string{member}, "no", obj, Environment{Now: three.Add(-time.Minute)})
	e := Environment{Now: three, Appeared: map[string]time.Time{member: three.Add(-time.Second)}}
	r = r.Refused([]string{member}, "no", obj, e)
	if next := nextTry(r.Policy.Refused[0]); next.Sub(three) != firstRefused {
		t.Errorf("tried again after %s", next.Sub(three))
	}
}
