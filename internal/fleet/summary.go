package fleet

import (
	"cmp"
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Summary counts manifests and keeps those that need attention most: so many, however many are added.
type Summary struct {
	// Kinds are the counts of each kind, in the order of their first manifests.
	Kinds []*KindCount `json:"kinds"`
	// Reasons count, for each state but Ready, its reasons.
	Reasons map[State]map[string]int `json:"reasons"`
	// Attention are the manifests that need attention most, the most urgent first.
	Attention []Line `json:"attention"`
	// Omitted counts the manifests that need attention and are not listed there.
	Omitted int `json:"omitted"`

	most int
}

// KindCount counts the manifests of a kind.
type KindCount struct {
	Kind   string        `json:"kind"`
	Total  int           `json:"total"`
	States map[State]int `json:"states"`
}

// Line is what is said of one manifest among many.
type Line struct {
	Kind         string     `json:"kind"`
	Namespace    string     `json:"namespace"`
	Name         string     `json:"name"`
	State        State      `json:"state"`
	Reason       string     `json:"reason"`
	Message      string     `json:"message"`
	Since        *time.Time `json:"since,omitempty"`
	Project      string     `json:"project,omitempty"`
	ExternalName string     `json:"externalName,omitempty"`
}

// LineOf is what is said of a manifest among many.
func LineOf(kind string, obj v1alpha1.Object) Line {
	s, status := StandingOf(obj), obj.GetCommonStatus()
	l := Line{
		Kind: kind, Namespace: obj.GetNamespace(), Name: obj.GetName(), State: s.State, Reason: s.Reason, Message: text.Visible(s.Message),
		Project: status.Project, ExternalName: status.ExternalName,
	}
	if !s.Since.IsZero() {
		since := s.Since.UTC()
		l.Since = &since
	}
	return l
}

// NewSummary makes a summary that lists at most so many manifests, and counts those of all kinds named, also where there are none.
func NewSummary(most int, kinds ...string) *Summary {
	s := &Summary{Reasons: map[State]map[string]int{}, Attention: []Line{}, most: most}
	for _, k := range kinds {
		s.Kinds = append(s.Kinds, &KindCount{Kind: k, States: map[State]int{}})
	}
	return s
}

// Count counts a manifest of one of the kinds, and does not list it.
func (s *Summary) Count(l Line) {
	i := slices.IndexFunc(s.Kinds, func(k *KindCount) bool { return k.Kind == l.Kind })
	s.Kinds[i].Total++
	s.Kinds[i].States[l.State]++
	if l.State == Ready {
		return
	}
	if s.Reasons[l.State] == nil {
		s.Reasons[l.State] = map[string]int{}
	}
	s.Reasons[l.State][l.Reason]++
}

// Join counts what another summary counted of the same kinds.
func (s *Summary) Join(other *Summary) {
	for i, k := range other.Kinds {
		s.Kinds[i].Total += k.Total
		for state, n := range k.States {
			s.Kinds[i].States[state] += n
		}
	}
	for state, reasons := range other.Reasons {
		if s.Reasons[state] == nil {
			s.Reasons[state] = map[string]int{}
		}
		for reason, n := range reasons {
			s.Reasons[state][reason] += n
		}
	}
}

// Add counts a manifest of one of the kinds, and lists it if it needs attention more than others.
func (s *Summary) Add(l Line) {
	s.Count(l)
	if l.State == Ready {
		return
	}
	at, _ := slices.BinarySearchFunc(s.Attention, l, urgency)
	if len(s.Attention) >= s.most {
		s.Omitted++
		if at == len(s.Attention) {
			return
		}
		s.Attention = s.Attention[:len(s.Attention)-1]
	}
	s.Attention = slices.Insert(s.Attention, at, l)
}

// Total is how many manifests were added.
func (s *Summary) Total() (n int) {
	for _, k := range s.Kinds {
		n += k.Total
	}
	return n
}

// In is how many of the manifests are in a state.
func (s *Summary) In(state State) (n int) {
	for _, k := range s.Kinds {
		n += k.States[state]
	}
	return n
}

// urgency orders manifests by how much they need attention: by their state, then by how long they stand so, then by their names. What has no
// known beginning has just begun.
func urgency(a, b Line) int {
	return cmp.Or(
		-cmp.Compare(slices.Index(States, a.State), slices.Index(States, b.State)),
		compareSince(a.Since, b.Since),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name),
	)
}

func compareSince(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}
