package fleet

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// PutBack is what becomes of a resource once the glass of its manifest is closed.
type PutBack struct {
	title string
	// says is what becomes of it in a sentence, and changes what differs.
	says    string
	changes []v1alpha1.Change
}

// PutBackOf says what becomes of a manifest's resource, by what the operator last saw and what the Namespace limits its manifests to.
func PutBackOf(kind string, obj v1alpha1.Object, limits tenancy.Limits) PutBack {
	status := obj.GetCommonStatus()
	b := PutBack{title: Title(kind, obj.GetNamespace(), obj.GetName()), changes: status.Drift}
	drifted := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionDrifted)
	management := limits.Management(cmp.Or(obj.GetCommonSpec().Management, v1alpha1.ManagementManage))
	switch {
	case len(status.Drift) == 0 && (drifted == nil || drifted.Status == metav1.ConditionUnknown):
		b.says = "it is not known what differs: Holdfast has not been able to look"
	case len(status.Drift) == 0:
		b.says = "nothing differs, so nothing will be put back"
	case management == v1alpha1.ManagementObserve:
		b.says = "differs, and stays so, since it is only observed"
	case management == v1alpha1.ManagementApprove:
		b.says = "differs; Holdfast will wait for approval to put back"
	case status.Plan != nil:
		b.says = "differs; as things are, Holdfast would wait for approval to put back"
	default:
		b.says = "differs; Holdfast will put back"
	}
	return b
}

// Write writes it for people.
func (b PutBack) Write(out io.Writer) {
	fmt.Fprintf(out, "%s: %s", b.title, b.says)
	if len(b.changes) > 0 {
		fmt.Fprint(out, ":")
	}
	fmt.Fprintln(out)
	Changes(out, b.changes)
}

// Opened is a glass that is open. Its fields are those of -o json.
type Opened struct {
	// Scope says where the annotation is: Object or Namespace.
	Scope     v1alpha1.BreakGlassScope `json:"scope"`
	Kind      string                   `json:"kind"`
	Namespace string                   `json:"namespace"`
	// Name is the manifest's; that of the Namespace for the glass of a Namespace itself.
	Name   string       `json:"name"`
	Reason string       `json:"reason"`
	By     string       `json:"by,omitempty"`
	Since  *metav1.Time `json:"since,omitempty"`
	Until  *metav1.Time `json:"until,omitempty"`
	// Acknowledged says that Holdfast has told that no write is in flight; always false for a Namespace itself, whose manifests tell.
	Acknowledged bool `json:"acknowledged"`
	// PutBack is what differs from the manifest, and so would be put back.
	PutBack []v1alpha1.Change `json:"putBack,omitempty"`
}

// OpenedOf is the open glass of a manifest, its own or that of its Namespace; ok is false if it is closed.
func OpenedOf(kind string, obj v1alpha1.Object, now time.Time) (o Opened, ok bool) {
	status := obj.GetCommonStatus()
	o = Opened{Kind: kind, Namespace: obj.GetNamespace(), Name: obj.GetName(), Acknowledged: IsAcknowledged(obj), PutBack: status.Drift}
	if g := breakglass.Read(obj.GetAnnotations(), nil, now); g.Open() {
		o.annotated(g)
		if status.BreakGlass != nil && status.BreakGlass.Scope == v1alpha1.BreakGlassOnObject {
			o.Since = &status.BreakGlass.Since
		} else {
			o.Acknowledged = false
		}
		return o, true
	}
	g := status.BreakGlass
	if g == nil {
		return Opened{}, false
	}
	o.Scope, o.Reason, o.By, o.Since, o.Until = g.Scope, g.Reason, g.By, &g.Since, g.Until
	return o, true
}

// OpenedIn is the open glass of a Namespace itself; ok is false if it is closed.
func OpenedIn(name string, annotations map[string]string, now time.Time) (o Opened, ok bool) {
	g := breakglass.Read(nil, annotations, now)
	if !g.Open() {
		return Opened{}, false
	}
	o = Opened{Kind: "Namespace", Namespace: name, Name: name}
	o.annotated(g)
	return o, true
}

func (o *Opened) annotated(g breakglass.Glass) {
	o.Scope, o.Reason, o.By = g.Scope, g.Reason, g.By
	if !g.Until.IsZero() {
		o.Until = &metav1.Time{Time: g.Until}
	}
}

// Glasses writes open glasses, in a table or as one line of JSON each.
type Glasses struct {
	out   io.Writer
	table *Table
	now   time.Time
	// format is text, wide (with what would be put back) or json.
	format string
	// last is what is written once the table has been.
	last []func()
}

// NewGlasses writes to out.
func NewGlasses(out io.Writer, now time.Time, format string) *Glasses {
	return &Glasses{
		out: out, now: now, format: format,
		table: NewTable(out, "NAMESPACE", "OBJECT", "ON", "BY", "SINCE", "UNTIL", "ACKNOWLEDGED", "DIFFERS", "REASON"),
	}
}

// Add adds one.
func (w *Glasses) Add(o Opened) error {
	if w.format == "json" {
		encoded, err := json.Marshal(o)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.out, "%s\n", encoded)
		return err
	}
	var since *time.Time
	if o.Since != nil {
		since = &o.Since.Time
	}
	until, acknowledged, differs := "", "no", fmt.Sprint(len(o.PutBack))
	if o.Until != nil {
		until = inUTC(o.Until.Time)
	}
	if o.Acknowledged {
		acknowledged = "yes"
	}
	if o.Kind == "Namespace" {
		acknowledged, differs = "", ""
	}
	reason := o.Reason
	if w.format != "wide" {
		reason = text.Cut(reason, longestMessage)
	}
	w.table.Row(o.Namespace, Argument(o.Kind, o.Name), string(o.Scope), o.By, Age(w.now, since), until, acknowledged, differs, reason)
	if w.format == "wide" && len(o.PutBack) > 0 {
		w.last = append(w.last, func() {
			fmt.Fprintf(w.out, "\n%s: closing would put back:\n", Title(o.Kind, o.Namespace, o.Name))
			Changes(w.out, o.PutBack)
		})
	}
	return nil
}

// Flush writes what was added since the last time.
func (w *Glasses) Flush() error {
	err := w.table.Flush()
	for _, write := range w.last {
		write()
	}
	if len(w.last) > 0 {
		fmt.Fprintln(w.out)
	}
	w.last = nil
	return err
}
