package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/planserver/client"
	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
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
		"`URL` of a plan server: it makes the plan, and neither credentials of Google Cloud nor access to the cluster are needed here.")
	fs.StringVar(&s.authority, "server-ca", "", "`File` of the certificates, in PEM, that vouch for the plan server. If unset: those of the system.")
	fs.StringVar(&s.tokens.File, "token-file", "", "`File` of the token that says to the plan server who asks.")
	fs.StringVar(&s.tokens.Variable, "token-env", "",
		"Environment `variable` of that token. If neither is set: the one that GitHub Actions issues to a job with the permission id-token: write.")
	fs.StringVar(&s.tokens.Audience, "token-audience", protocol.Audience, "`Audience` of the token of GitHub Actions.")
}

// check refuses flags that do not go together.
func (s *planServer) check(r *planning) error {
	switch {
	case s.url == "" && (s.authority != "" || s.tokens.File != "" || s.tokens.Variable != ""):
		return errors.New("--server-ca, --token-file and --token-env are for a plan server: set --server")
	case s.url != "" && r.offline:
		return errors.New("--offline and --server exclude each other: the plan server plans with its cluster")
	case s.url != "" && r.against != "":
		return errors.New("--against and --server exclude each other: the plan server plans what is applied against what its cluster has")
	}
	return nil
}

// plan has the server plan manifests.
func (s *planServer) plan(ctx context.Context, getenv func(string) string, tree *manifests.Tree) (render.Document, error) {
	tokens, err := s.tokens.Tokens(getenv)
	if err != nil {
		return render.Document{}, err
	}
	server, err := client.New(s.url, s.authority, tokens)
	if err != nil {
		return render.Document{}, err
	}
	document := render.Of(render.Plan{})
	if len(tree.Objects) > 0 {
		var sent []json.RawMessage
		for _, obj := range tree.Objects {
			text, err := bare(obj)
			if err != nil {
				return document, err
			}
			sent = append(sent, text)
		}
		answer, err := server.Plan(ctx, sent)
		if err != nil {
			return document, err
		}
		if err := json.Unmarshal(answer, &document); err != nil {
			return document, fmt.Errorf("reading the plan of the server: %w", err)
		}
	}
	located(&document, tree.Objects)
	document.Problems = append(tree.Problems, document.Problems...)
	document.Summary.Problems = len(document.Problems)
	if len(tree.Namespaces) > 0 {
		document.Unknowns = append(document.Unknowns, "what the Namespaces among the manifests change: the plan server takes those of its cluster")
	}
	return document, nil
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
