package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"text/template"

	"github.com/holdfast-dev/holdfast/test/process"
	"github.com/holdfast-dev/holdfast/test/rig"
)

// curl writes a call of the emulator's own API as one would type it.
func curl(method, url string, body document) string {
	line := "curl -s"
	if method != "GET" {
		line += " -X " + method
	}
	line += " " + url
	if body == nil {
		return line
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return line // a document is always JSON
	}
	return line + " -d '" + string(encoded) + "'"
}

// stay applies the samples, says what to type next, and waits for the interrupt.
func (s *stage) stay(ctx context.Context) error {
	if err := s.makeInherited(ctx); err != nil {
		return err
	}
	s.show.progressf("somebody created the buckets %s and %s long ago", archiveBucket, exportsBucket)
	if err := s.prepareSamples(ctx, s.show.progressf); err != nil {
		return err
	}
	for _, apply := range [][]string{{"apply", "-n", shop, "-k", "config/samples"}, {"apply", "-f", reportsFile}} {
		s.show.progressf("%s", rig.CommandLine(apply))
		if _, err := s.kubectl.Run(ctx, apply...); err != nil {
			return err
		}
	}
	for _, namespace := range []string{shop, analytics} {
		if err := s.untilAllReady(ctx, namespace); err != nil {
			return err
		}
	}
	s.show.progressf("everything is Ready")
	s.show.linef("")
	if _, err := s.kubectl.run(ctx, "get", "gcp", "-A"); err != nil {
		return err
	}
	if err := s.invite(); err != nil {
		return err
	}
	<-ctx.Done()
	s.show.linef("\nStopping.")
	var ended *process.EndedError
	if cause := context.Cause(ctx); errors.As(cause, &ended) {
		return cause
	}
	return nil // interrupted: the normal way to end
}

// invitation is what to type next. Every line was tried.
var invitation = template.Must(template.New("").Parse(`
Type this in another terminal, at the top of the repository:

  export KUBECONFIG={{.Kubeconfig}} PATH={{.Assets}}:$PWD/bin:$PATH

Watch drift being corrected. Change a bucket "in the console"; the sweep finds it within {{.Sweep}}:

  kubectl get events -n analytics --watch &
  {{.Edit}}
{{- if .Gcloud}}
  # or with gcloud itself:
  CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE={{.Storage}} \
    gcloud storage buckets update gs://{{.Bucket}} --no-versioning
{{- end}}
  {{.Look}}
  # or have it checked now, without waiting {{.Sweep}}:
  kubectl holdfast reconcile -n analytics bucket/reports

See how everything stands, and what one object reports:

  kubectl holdfast status -A
  kubectl holdfast status -n analytics bucket/reports

Take over two existing buckets: one matches; the other differs, so its plan waits for approval.

  kubectl apply -f {{.Archive}} -f {{.Exports}}
  kubectl get buckets -n analytics
  kubectl holdfast approve -n analytics bucket/exports

Break the glass: nothing is written to this bucket until the glass is closed.

  kubectl holdfast break-glass open -n analytics bucket/reports --reason "INC-4711: partner needs access" --for 2h
  kubectl holdfast break-glass list -A
  kubectl holdfast break-glass close -n analytics bucket/reports

Delete a manifest: its bucket stays, unless the manifest says deletionPolicy: Delete.

  kubectl delete -n analytics bucket exports reports
  curl -s '{{.List}}' | grep '"name"'

The operator's log is {{.Log}}. Ctrl-C here stops and removes everything.
`))

func (s *stage) invite() error {
	_, err := exec.LookPath("gcloud")
	edit := document{"versioning": document{"enabled": false}}
	bucket := s.cloud.URL + bucketPath(reportsBucket)
	var text strings.Builder
	if err := invitation.Execute(&text, map[string]any{
		"Kubeconfig": s.plane.Kubeconfig,
		"Assets":     s.assets,
		"Sweep":      s.sweep,
		"Edit":       curl("PATCH", bucket, edit) + " -o /dev/null",
		"Look":       curl("GET", bucket, nil) + " | grep -A1 versioning",
		"List":       s.cloud.URL + "/emulator/storage/b?project=" + analyticsProject,
		"Gcloud":     !errors.Is(err, exec.ErrNotFound),
		"Storage":    s.cloud.StorageEndpoint(),
		"Bucket":     reportsBucket,
		"Archive":    archiveFile,
		"Exports":    exportsFile,
		"Log":        s.operator.Log,
	}); err != nil {
		return fmt.Errorf("writing what to type next: %w", err)
	}
	s.show.linef("%s", text.String())
	return nil
}
