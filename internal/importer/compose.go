package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/layout"
)

// Resource is a resource as it was seen.
type Resource struct {
	Kind kind.Kind
	Ref  kind.Ref
	// Live is what its fields are; zero for a kind without any.
	Live kind.Live
	// Policy is its IAM policy; nil if that should not be in the manifest.
	Policy *iampolicy.Policy
}

// Left is what a resource has and its manifest does not say.
type Left struct {
	// Path is the field, where the manifest would have it.
	Path string `json:"path"`
	// Value is what is live, as compact JSON; for a grant, its role and member.
	Value string `json:"value,omitempty"`
	// Why says why the manifest does not say it.
	Why string `json:"why"`
}

// Composed is what became of a resource.
type Composed struct {
	// Object is the manifest. It is empty where none could be written: then Refused says why.
	Object  layout.Object
	Refused string
	// Left is what the manifest does not say.
	Left []Left
	// Initial counts the grants that it does not say either because Google makes them by itself on every such resource.
	Initial int
}

const (
	unfielded = "the spec has no field for it"
	mixed     = "it has settings in it that the spec has no field for, and which a manifest that sets it would remove"
)

// Compose writes the manifest of a resource. It sets what Google would not have chosen by itself, and nothing that would change anything or
// that the API server would refuse.
func Compose(r Resource, namespace string, check Check) (Composed, error) {
	c := composer{r: r, namespace: namespace, check: check}
	if r.Kind.Fields != nil {
		c.sparse()
	}
	if r.Policy != nil {
		c.policy = policyOf(r, c.leave)
	}
	if c.says() == 0 && r.Kind.Shared() {
		return Composed{Refused: "there is nothing to list", Left: c.left}, nil
	}
	if err := c.settle(); err != nil {
		return Composed{}, fmt.Errorf("%s %q of project %q: %w", r.Kind.Name, r.Ref.ID, r.Ref.Project, err)
	}
	if c.refused != "" {
		return Composed{Refused: c.refused, Left: c.left}, nil
	}
	return Composed{Object: c.object, Left: c.left, Initial: c.policy.initial}, nil
}

type composer struct {
	r         Resource
	namespace string
	check     Check

	// sets are the fields that the manifest sets, defaults those that it leaves out because they are at Google's default.
	sets, defaults diff.Changes
	policy         policy
	left           []Left

	object  layout.Object
	refused string
}

func (c *composer) leave(left Left) { c.left = append(c.left, left) }

// says counts what the manifest says.
func (c *composer) says() int { return len(c.sets) + c.policy.size() }

// sparse takes the fields that are not as Google would have chosen.
func (c *composer) sparse() {
	k := c.r.Kind
	c.sets, c.defaults = diff.Distinct(c.r.Live.Object, k.New(), k.FieldTraits)
	for _, u := range c.r.Live.Unmanaged {
		c.leave(Left{Path: u.Path, Value: u.Value, Why: unfielded})
	}
}

// settle builds the manifest, and leaves out field by field what must not be in it, until it is good.
func (c *composer) settle() error {
	for {
		if err := c.build(); err != nil {
			return err
		}
		problems := c.check(c.object)
		if len(problems) > 0 && c.restore() {
			continue
		}
		if len(problems) > 0 {
			if !slices.ContainsFunc(problems, c.drop) {
				c.refused = problems[0].Message
				return nil
			}
			continue
		}
		if again, err := c.match(); err != nil || !again {
			return err
		}
	}
}

// build writes the manifest with all that it sets.
func (c *composer) build() (err error) {
	k := c.r.Kind
	obj := k.New()
	if k.Fields != nil {
		obj = diff.Apply(obj, c.sets, k.FieldTraits)
		obj.GetCommonSpec().Adoption = v1alpha1.AdoptionIfMatches
	}
	obj.SetNamespace(c.namespace)
	obj.SetName(layout.Name(cmp.Or(c.r.Ref.ID, c.r.Ref.Project)))
	if obj.GetName() != c.r.Ref.ID {
		obj.GetCommonSpec().ResourceID = c.r.Ref.ID
	}
	if c.object, err = layout.Of(k.Kind, obj); err != nil {
		return err
	}
	return c.policy.put(c.object, k)
}

// restore sets also what is at its default and belongs to what is set: some fields need others beside them. It says whether there was any.
func (c *composer) restore() bool {
	beside := diff.Beside(c.sets, c.defaults, c.r.Kind.FieldTraits)
	c.sets, c.defaults = append(c.sets, beside...), nil
	return len(beside) > 0
}

// drop leaves out what a problem is about, and says whether it could.
func (c *composer) drop(p Problem) bool {
	if c.policy.drop(p, c.leave) {
		return true
	}
	why := "the API server would refuse it: " + p.Message
	if c.omit(why, func(path string) bool { return within(p.Path, path) || p.Path != "spec" && within(path, p.Path) }) {
		return true
	}
	return p.Path == "spec" && c.dropSuspect(p, why)
}

// dropSuspect leaves out the one field, or the policy, without which a problem of several fields would not be.
func (c *composer) dropSuspect(p Problem, why string) bool {
	all, whole := c.sets, c.policy
	helps := func() bool { return c.build() == nil && !slices.Contains(c.check(c.object), p) }
	for _, suspect := range tops(all) {
		c.sets = slices.DeleteFunc(slices.Clone(all), func(set diff.Change) bool { return diff.Top(set.Path) == suspect })
		found := helps()
		c.sets = all
		if found {
			return c.omit(why, func(path string) bool { return diff.Top(path) == suspect })
		}
	}
	if c.policy.bindings, c.policy.audit = nil, nil; whole.size() > 0 && helps() {
		c.leave(Left{Path: whole.path, Why: why})
		return true
	}
	c.policy = whole
	return false
}

func tops(changes diff.Changes) []string {
	var out []string
	for _, change := range changes {
		out = append(out, diff.Top(change.Path))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// omit leaves out fields, and says whether there were any.
func (c *composer) omit(why string, which func(path string) bool) bool {
	kept := c.sets[:0:0]
	for _, set := range c.sets {
		if which(set.Path) {
			c.leave(Left{Path: set.Path, Value: set.To, Why: why})
		} else {
			kept = append(kept, set)
		}
	}
	omitted := len(kept) < len(c.sets)
	c.sets = kept
	return omitted
}

// within says whether a path is another one, or in it. Those who check write a key of a map after a dot.
func within(path, in string) bool {
	dotted := strings.NewReplacer("[", ".", "]", "")
	path, in = dotted.Replace(path), dotted.Replace(in)
	return in != "" && (path == in || strings.HasPrefix(path, in+"."))
}

// match leaves out what the manifest would change, and says whether there was any.
func (c *composer) match() (bool, error) {
	k := c.r.Kind
	if k.Fields == nil {
		return false, nil
	}
	obj := k.New()
	if err := c.object.Into(obj); err != nil {
		return false, err
	}
	result := diff.Compare(obj, c.r.Live.Object, nil, k.FieldTraits)
	result.Regard(c.r.Live.Unmanaged, k.FieldTraits)
	if len(result.Changes) == 0 {
		return false, nil
	}
	changes := func(path string) bool {
		return slices.ContainsFunc(result.Changes, func(change diff.Change) bool { return within(change.Path, path) })
	}
	if !c.omit(mixed, changes) {
		return false, fmt.Errorf("its manifest would change %s, which it does not set", strings.Join(result.Changes.Paths(), ", "))
	}
	return true, nil
}
