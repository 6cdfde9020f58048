package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/planserver/client"
	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
	"github.com/holdfast-dev/holdfast/internal/preview"
	"github.com/holdfast-dev/holdfast/internal/preview/render"
)

// planServer is the plan server that makes the plan in the place of this program; none if it has no URL.
type planServer struct {
	url, authority string
	tokens         client.Source
}

// define defines the flags.
func (s *planServer) define(fs *pflag.FlagSet) {
	fs.StringVar(&s.url, "server", "",
		"`URL` of a plan server: it makes the plan, and neither credentials of Google Cloud nor access to the cluster are needed here. The API server, "+
			"which kubectl's --server names, is said by --context or --cluster.")
	fs.StringVar(&s.authority, "server-ca", "", "`File` of the certificates, in PEM, that vouch for the plan server. If unset: those of the system.")
	fs.StringVar(&s.tokens.File, "token-file", "", "`File` of the token that says to the plan server who asks.")
	fs.StringVar(&s.tokens.Variable, "token-env", "",
		"Environment `variable` of that token. If neither is set: the one that GitHub Actions issues to a job with the permission id-token: write.")
	fs.StringVar(&s.tokens.Audience, "token-audience", protocol.Audience, "`Audience` of the token of GitHub Actions.")
}

// refuseShort explains kubectl's -s where somebody uses it: with this command --server is another server, and -s neither's.
func refuseShort(_ *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && strings.HasPrefix(unknown.GetSpecifiedShortnames(), "s") {
		return errors.New("plan has no -s: with it, --server is the URL of a plan server; say by --context or --cluster which API server is meant")
	}
	return err
}

// check refuses flags that do not go together.
func (s *planServer) check(r *planning) error {
	switch {
	case s.url == "" && (s.authority != "" || s.tokens.File != "" || s.tokens.Variable != ""):
		return errors.New("--server-ca, --token-file and --token-env are for a plan server: set --server")
	case s.url != "" && r.offline:
		return errors.New("--offline and --server exclude each other: the plan server plans with its cluster")
	}
	return nil
}

// plan has the server plan manifests, against those before unless they are nil.
func (s *planServer) plan(ctx context.Context, getenv func(string) string, after, before *manifests.Tree) (render.Document, error) {
	tokens, err := s.tokens.Tokens(getenv)
	if err != nil {
		return render.Document{}, err
	}
	server, err := client.New(s.url, s.authority, tokens)
	if err != nil {
		return render.Document{}, err
	}
	document, was := render.Of(render.Plan{}), knownBefore(after, before)
	if len(after.Objects)+len(was) > 0 {
		request, err := requestFor(after.Objects, was)
		if err != nil {
			return document, err
		}
		answer, err := server.Plan(ctx, request)
		if err != nil {
			return document, err
		}
		if document, err = planIn(answer); err != nil {
			return document, err
		}
	}
	located(&document, slices.Concat(after.Objects, was))
	document.Problems = append(after.Problems, document.Problems...)
	document.Summary.Problems = len(document.Problems)
	document.Unknowns = append(unknownHere(after, before), document.Unknowns...)
	return document, nil
}

// planIn is the plan in an answer. What is none must not pass for one that has nothing to do.
func planIn(answer json.RawMessage) (document render.Document, err error) {
	if err := json.Unmarshal(answer, &document); err != nil {
		return document, fmt.Errorf("reading the plan of the server: %w", err)
	}
	if document.APIVersion != render.APIVersion || document.Kind != render.Kind {
		return document, fmt.Errorf("the server answers with %q of %q: want a %s of %s",
			document.Kind, document.APIVersion, render.Kind, render.APIVersion)
	}
	return document, nil
}

// knownBefore are the manifests before of which it is known here whether they leave.
func knownBefore(after, before *manifests.Tree) (known []manifests.Object) {
	if before == nil {
		return nil
	}
	stays := map[kind.Reference]bool{}
	for _, obj := range after.Objects {
		stays[referenceTo(obj)] = true
	}
	for _, obj := range before.Objects {
		if ref := referenceTo(obj); stays[ref] || !after.Hides(ref, obj.Origin) {
			known = append(known, obj)
		}
	}
	return known
}

func referenceTo(obj manifests.Object) kind.Reference {
	return kind.Reference{Kind: obj.GetObjectKind().GroupVersionKind().Kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// unknownHere is what the server does not hear of.
func unknownHere(after, before *manifests.Tree) (unknown []string) {
	namespaces := len(after.Namespaces)
	if before != nil {
		namespaces += len(before.Namespaces)
		if n := len(before.Problems); n > 0 {
			unknown = append(unknown, preview.UnknownBefore(n))
		}
	}
	if namespaces > 0 {
		unknown = append(unknown, "what the Namespaces among the manifests change: the plan server takes those of its cluster")
	}
	return unknown
}

// requestFor is the request for a plan.
func requestFor(after, before []manifests.Object) (request protocol.Request, err error) {
	if request.Manifests, err = allBare(after); err != nil {
		return request, err
	}
	request.Against, err = allBare(before)
	return request, err
}

func allBare(objects []manifests.Object) ([]json.RawMessage, error) {
	out := make([]json.RawMessage, 0, len(objects))
	for _, obj := range objects {
		text, err := bare(obj)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// bare is a manifest as a plan server wants it: without all that is not people's to say.
func bare(obj manifests.Object) (json.RawMessage, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj.Object)
	if err != nil {
		return nil, err
	}
	is := obj.GetObjectKind().GroupVersionKind()
	return json.Marshal(struct {
		metav1.TypeMeta `json:",inline"`

		Metadata map[string]string `json:"metadata"`
		Spec     any               `json:"spec"`
	}{
		metav1.TypeMeta{APIVersion: is.GroupVersion().String(), Kind: is.Kind},
		map[string]string{"namespace": obj.GetNamespace(), "name": obj.GetName()}, content["spec"],
	})
}

// located says of what the server says where it stands here: to the server the manifests were documents that it was sent.
func located(document *render.Document, sent []manifests.Object) {
	here := func(there manifests.Origin) (manifests.Origin, bool) {
		if i := there.Document - 1; i >= 0 && i < len(sent) {
			return sent[i].Origin, true
		}
		return there, false
	}
	for i, resource := range document.Resources {
		document.Resources[i].Origin = nil
		if resource.Origin == nil {
			continue
		}
		if origin, known := here(*resource.Origin); known {
			document.Resources[i].Origin = &origin
		}
	}
	for i, problem := range document.Problems {
		document.Problems[i].Origin, _ = here(problem.Origin)
	}
}
