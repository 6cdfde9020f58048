package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/config/admission"
	"github.com/holdfast-dev/holdfast/internal/doctor"
	"github.com/holdfast-dev/holdfast/internal/fleet"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// target is a manifest that a command names.
type target struct {
	kind kind.Kind
	name string
}

// where are the flags that say which manifests a command is about.
type where struct {
	all      bool
	selector string
}

func (w *where) flags(fs *pflag.FlagSet) {
	fs.BoolVarP(&w.all, "all-namespaces", "A", false, "All namespaces.")
	fs.StringVarP(&w.selector, "selector", "l", "", "Only manifests whose metadata.labels match, such as app=shop,tier!=test.")
}

// given says whether one of the flags is set.
func (w *where) given() bool { return w.all || w.selector != "" }

// selection is what the flags select, of kinds that may be none for all.
func (w *where) selection(p *program, of []kind.Kind) (s selection, err error) {
	if s.kinds = of; len(of) == 0 {
		s.kinds = kinds.All(nil)
	}
	if !w.all {
		if s.namespace, err = p.namespace(); err != nil {
			return selection{}, err
		}
	}
	if w.selector != "" {
		if s.selector, err = labels.Parse(w.selector); err != nil {
			return selection{}, fmt.Errorf("--selector: %w", err)
		}
	}
	return s, nil
}

// parseTargets reads arguments as kubectl does: KIND/NAME…, KIND NAME…, or KIND,… alone for all of those kinds.
func parseTargets(args []string) (named []target, of []kind.Kind, err error) {
	if len(args) == 0 {
		return nil, nil, nil
	}
	if strings.Contains(args[0], "/") {
		for _, arg := range args {
			word, name, ok := strings.Cut(arg, "/")
			if !ok || name == "" {
				return nil, nil, fmt.Errorf("%q is not KIND/NAME", arg)
			}
			k, err := kindNamed(word)
			if err != nil {
				return nil, nil, err
			}
			named = append(named, target{k, name})
		}
		return named, nil, nil
	}
	for word := range strings.SplitSeq(args[0], ",") {
		k, err := kindNamed(word)
		if err != nil {
			return nil, nil, err
		}
		of = append(of, k)
	}
	switch {
	case len(args) == 1:
		return nil, of, nil
	case len(of) > 1:
		return nil, nil, fmt.Errorf("%q are several kinds, and names follow: name each as KIND/NAME", args[0])
	}
	for _, name := range args[1:] {
		if strings.Contains(name, "/") {
			return nil, nil, fmt.Errorf("%q and %q: name each as KIND/NAME, or all as KIND NAME…", args[0], name)
		}
		named = append(named, target{of[0], name})
	}
	return named, nil, nil
}

// one reads the arguments of a command that is about one manifest.
func one(args []string) (target, error) {
	named, _, err := parseTargets(args)
	if err == nil && len(named) != 1 {
		err = errors.New("name one manifest, as KIND/NAME")
	}
	if err != nil {
		return target{}, err
	}
	return named[0], nil
}

// kindNamed finds a kind by any of the names that kubectl takes for it.
func kindNamed(word string) (kind.Kind, error) {
	all := kinds.All(nil)
	name, _ := strings.CutSuffix(strings.ToLower(word), "."+v1alpha1.GroupVersion.Group)
	for _, k := range all {
		if strings.EqualFold(name, k.Kind) || name == k.Plural {
			return k, nil
		}
	}
	shipped, err := doctor.Ship(admission.Operator)
	if err != nil {
		return kind.Kind{}, err
	}
	if k, ok := kind.Named(all, shipped.ShortNames()[name]); ok {
		return k, nil
	}
	var known []string
	for _, k := range all {
		known = append(known, strings.ToLower(k.Kind))
	}
	return kind.Kind{}, fmt.Errorf("there is no kind %q: the kinds are %s", word, strings.Join(known, ", "))
}

// get reads the manifest.
func (t target) get(ctx context.Context, kube client.Reader, namespace string) (v1alpha1.Object, error) {
	obj := t.kind.New()
	switch err := kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: t.name}, obj); {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("there is no %s; -n sets another namespace: %w", fleet.Title(t.kind.Kind, namespace, t.name), err)
	case err != nil:
		return nil, err
	}
	return obj, nil
}

// completeTargets completes KIND/NAME.
func (p *program) completeTargets(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	kindWord, prefix, named := strings.Cut(word, "/")
	if !named {
		var out []string
		for _, k := range kinds.All(nil) {
			out = append(out, strings.ToLower(k.Kind)+"/")
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	k, err := kindNamed(kindWord)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	namespace, err := p.namespace()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(k.Kind + "List"))
	names, err := p.names(cmd.Context(), list, prefix, client.InNamespace(namespace))
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	for i := range names {
		names[i] = kindWord + "/" + names[i]
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeNamespaces completes the value of --namespace.
func (p *program) completeNamespaces(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(namespaceKind.GroupVersion().WithKind("NamespaceList"))
	names, err := p.names(cmd.Context(), list, word)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// mostCompleted is how many names a completion offers at most: whoever wants another one types a letter more.
const mostCompleted = 500

// names are those of a list that begin with a prefix.
func (p *program) names(ctx context.Context, list *metav1.PartialObjectMetadataList, prefix string, opts ...client.ListOption) ([]string, error) {
	kube, err := p.cluster()
	if err != nil {
		return nil, err
	}
	var names []string
	enough := errors.New("enough")
	_, err = eachPage(ctx, kube, list, func() error {
		for _, item := range list.Items {
			if strings.HasPrefix(item.Name, prefix) {
				names = append(names, item.Name)
			}
		}
		if len(names) >= mostCompleted {
			return enough
		}
		return nil
	}, opts...)
	if err != nil && !errors.Is(err, enough) {
		return nil, err
	}
	return names, nil
}
