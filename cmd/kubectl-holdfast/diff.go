package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/preview"
	"github.com/holdfast-dev/holdfast/internal/preview/render"
)

// Exit codes of diff, which are those of kubectl diff.
const (
	exitDiffers   = 1
	exitDiffFault = 2
)

// diffing is a run of the command diff.
type diffing struct {
	*program

	accept bool
	file   string

	identity, owner string
}

func newDiff(p *program) *cobra.Command {
	run := &diffing{program: p}
	cmd := &cobra.Command{
		Use:   "diff KIND/NAME",
		Short: "Show how the live resource differs from its manifest now",
		Long: `diff reads the manifest from the cluster and the resource from Google Cloud, now, and shows how the live one (---) differs from the
manifest (+++), as kubectl diff does: in the fields that the manifest manages, and those that it would reset. It writes nothing.

With --accept it prints what would make the manifest agree with what was done in Google Cloud: a merge patch for kubectl patch; or, with -f, the
manifest in that file as it should be.

Exit codes, as those of kubectl diff: 0 no difference, 1 a difference, 2 an error.`,
		Example: `  kubectl holdfast diff bucket/logs -n shop

  # Take over into the manifest what was done in the console:
  kubectl holdfast diff bucket/logs -n shop --accept -f logs.yaml > new.yaml

  # The same in the cluster:
  kubectl holdfast diff topic/orders --accept > patch.yaml || kubectl patch topic.gcp.holdfast.dev orders --type merge --patch-file patch.yaml`,
		Args:              needsOne,
		ValidArgsFunction: completeKinds,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := run.run(cmd.Context(), args[0]); err != nil {
				if code, ok := errors.AsType[exit](err); ok {
					return code
				}
				return &fault{err, exitDiffFault}
			}
			return nil
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&run.accept, "accept", false, "Print what makes the manifest agree with Google Cloud.")
	fs.StringVarP(&run.file, "filename", "f", "", "With --accept, the `file` whose manifest is printed as it should be.")
	p.operatorFlags(fs, &run.identity, &run.owner)
	p.cloudFlags(fs)
	return cmd
}

func needsOne(_ *cobra.Command, args []string) error {
	if len(args) != 1 || strings.Count(args[0], "/") != 1 {
		return &fault{errors.New("diff takes one manifest: KIND/NAME, such as bucket/logs"), exitDiffFault}
	}
	return nil
}

// completeKinds completes the kinds of an argument KIND/NAME.
func completeKinds(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, k := range kinds.All(nil) {
		out = append(out, strings.ToLower(k.Kind)+"/")
	}
	return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

func (d *diffing) run(ctx context.Context, argument string) error {
	if d.file != "" && !d.accept {
		return errors.New("-f is for --accept: without it, diff compares the manifest in the cluster")
	}
	word, name, _ := strings.Cut(argument, "/")
	named, err := kindNamed(word)
	if err != nil {
		return err
	}
	clients, err := d.cloud()
	if err != nil {
		return err
	}
	defer func() { _ = clients.Close() }() // of which nothing is left to be said
	all := kinds.All(clients)
	k, _ := kind.Named(all, named.Kind) // the same kinds, with clients
	cluster, err := d.cluster()
	if err != nil {
		return err
	}
	namespace, err := d.namespace()
	if err != nil {
		return err
	}
	of, err := d.read(ctx, cluster, all, k, client.ObjectKey{Namespace: namespace, Name: name})
	if err != nil {
		return err
	}
	previewer := &preview.Previewer{
		Inventory: &inventory.Inventory{Source: of.source, Kinds: all, OwnerID: d.ownerID(ctx, cluster), Now: d.now},
		Numbers:   clients, ShutDown: clients.ShutDown, Self: preview.SelfAs(d.identity, nil), AsOurselves: true,
		Knows: preview.Knowledge{Records: true, Owner: true},
	}
	v, err := previewer.One(ctx, k, of.obj)
	switch {
	case err != nil:
		return err
	case v.Failed(), !v.Seen.Fields.Looked && !v.Seen.Policy.Looked:
		return fmt.Errorf("%s %s/%s: %s", k.Kind, namespace, name, v.Outcome.Message)
	}
	return d.show(v)
}

// readFrom is a manifest, and what there is of it and what it refers to.
type readFrom struct {
	obj    v1alpha1.Object
	source inventory.Source
}

// read reads a manifest, its Namespace, and the manifests that it refers to.
func (d *diffing) read(ctx context.Context, cluster client.Client, all []kind.Kind, k kind.Kind, key client.ObjectKey) (*readFrom, error) {
	obj, err := get(ctx, cluster, k, key)
	if err != nil {
		return nil, err
	}
	namespaces, objects := map[string]map[string]string{}, []v1alpha1.Object{obj}
	add := func(name string) error {
		namespace := &corev1.Namespace{}
		err := cluster.Get(ctx, client.ObjectKey{Name: name}, namespace)
		namespaces[name] = namespace.Annotations
		return client.IgnoreNotFound(err)
	}
	if err := add(key.Namespace); err != nil {
		return nil, err
	}
	for _, ref := range k.References(obj) {
		at := client.ObjectKey{Namespace: key.Namespace, Name: ref.Name}
		if ref.Namespace != "" {
			at.Namespace = ref.Namespace
			if err := add(ref.Namespace); err != nil {
				return nil, err
			}
		}
		to, _ := kind.Named(all, ref.Kind)
		switch target, err := get(ctx, cluster, to, at); {
		case err == nil:
			objects = append(objects, target)
		case !apierrors.IsNotFound(err):
			return nil, err
		}
	}
	return &readFrom{obj, inventory.NewFolder(all, namespaces, objects)}, nil
}

func get(ctx context.Context, cluster client.Client, k kind.Kind, key client.ObjectKey) (v1alpha1.Object, error) {
	obj := k.New()
	err := cluster.Get(ctx, key, obj)
	obj.GetObjectKind().SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(k.Kind))
	return obj, err
}

// ownerID is the name by which the operator marks what it owns.
func (d *diffing) ownerID(ctx context.Context, cluster client.Client) string {
	system := &corev1.Namespace{}
	if d.owner == "" && cluster.Get(ctx, client.ObjectKey{Name: "kube-system"}, system) == nil {
		return string(system.UID)
	}
	return d.owner
}

// show prints how live and manifest differ, or what makes them agree.
func (d *diffing) show(v preview.Preview) error {
	asIs, left := v.AsIs()
	for _, c := range left {
		fmt.Fprintln(d.streams.ErrOut, "not shown as a field:", plan.Line(c))
	}
	if d.accept {
		return d.showAccepted(v, asIs)
	}
	live := asIs
	if v.Kind.Fields != nil && !v.Seen.Fields.Exists {
		live = nil
	}
	name := fmt.Sprintf("%s/%s/%s", v.Kind.Plural, v.Object.GetNamespace(), v.Object.GetName())
	text, err := render.Unified(live, v.Object, "live/"+name, "manifest/"+name)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(d.streams.Out, text); err != nil {
		return err
	}
	if text != "" || len(left) > 0 {
		return exit(exitDiffers)
	}
	return nil
}

func (d *diffing) showAccepted(v preview.Preview, asIs v1alpha1.Object) error {
	if v.Kind.Fields != nil && !v.Seen.Fields.Exists {
		return fmt.Errorf("%s does not exist, so that there is nothing to accept", v.Kind.ExternalName(v.Environment.Ref))
	}
	patch, err := render.MergePatch(v.Object, asIs)
	if err != nil {
		return err
	}
	var out []byte
	switch {
	case d.file != "":
		out, err = d.patched(v, patch)
	case len(patch) > 0:
		out, err = yaml.JSONToYAML(patch)
	}
	if err != nil {
		return err
	}
	if _, err := d.streams.Out.Write(out); err != nil {
		return err
	}
	if len(patch) > 0 {
		return exit(exitDiffers)
	}
	return nil
}

// patched is the file with its manifest patched.
func (d *diffing) patched(v preview.Preview, patch []byte) ([]byte, error) {
	text, err := os.ReadFile(d.file)
	if err != nil {
		return nil, err
	}
	documents := bytes.Split(text, []byte("\n---\n"))
	i := slices.IndexFunc(documents, func(document []byte) bool { return isOf(document, v) })
	if i < 0 {
		return nil, fmt.Errorf("%s has no %s %q", d.file, v.Kind.Kind, v.Object.GetName())
	}
	if len(patch) == 0 {
		return text, nil
	}
	if documents[i], err = render.Patch(documents[i], patch); err != nil {
		return nil, fmt.Errorf("%s: %w", d.file, err)
	}
	if i < len(documents)-1 {
		documents[i] = bytes.TrimSuffix(documents[i], []byte("\n"))
	}
	return bytes.Join(documents, []byte("\n---\n")), nil
}

// isOf says whether a document is the manifest of a preview. One that names no namespace is taken to be.
func isOf(document []byte, v preview.Preview) bool {
	head := v.Kind.New()
	if yaml.Unmarshal(document, head) != nil || head.GetObjectKind().GroupVersionKind().Kind != v.Kind.Kind {
		return false
	}
	return head.GetName() == v.Object.GetName() && (head.GetNamespace() == "" || head.GetNamespace() == v.Object.GetNamespace())
}
