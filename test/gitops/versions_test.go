package gitops

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
	"github.com/holdfast-dev/holdfast/test/readme"
)

// bucketsCRD is the definition of buckets.
const bucketsCRD = "buckets.gcp.holdfast.dev"

// storedVersionChanges walks the buckets of a fleet from one stored version to the next, as the README has it, while Flux applies manifests of
// the first: by Kubernetes' own migration, back by hand, and there again. Nothing comes of it in Google Cloud, nor in what the operator says.
func (s *scene) storedVersionChanges(buckets int) {
	s.t.Helper()
	mark, before := s.cloud.Traffic.Mark(), s.said()
	s.check(s.inEtcd("v1alpha1") == buckets, "%d of %d buckets are stored as v1alpha1", s.inEtcd("v1alpha1"), buckets)

	s.t.Log("v1beta1 is stored from now on; Flux applies v1alpha1 all the same")
	s.store("v1beta1")
	s.applied("Store v1beta1", "v1beta1")
	began := time.Now()
	s.runReadme("Storing anew from Kubernetes 1.37 on", "v1beta1")
	s.eventually("all buckets to be stored as v1beta1", func() (bool, string) {
		stored, list := s.inEtcd("v1beta1"), s.storedVersions()
		return stored == buckets && list == "v1beta1", fmt.Sprintf("%d are; storedVersions are %s", stored, list)
	})
	s.t.Logf("StorageVersionMigration took %s", since(began))

	s.t.Log("back to v1alpha1, by hand")
	s.store("v1alpha1")
	s.applied("Store v1alpha1", "v1alpha1")
	began = time.Now()
	s.runReadme("Storing anew on older clusters", "v1alpha1")
	s.check(s.inEtcd("v1alpha1") == buckets && s.storedVersions() == "v1alpha1",
		"%d buckets are stored as v1alpha1; storedVersions are %s", s.inEtcd("v1alpha1"), s.storedVersions())
	s.t.Logf("by hand it took %s", since(began))

	s.check(len(s.cloud.Traffic.WritesSince(mark)) == 0, "written to Google Cloud: %v", s.cloud.Traffic.WritesSince(mark))
	after := s.said()
	for name, said := range before {
		s.check(after[name] == said, "what is said of %s has changed from\n%s\nto\n%s", name, said, after[name])
	}
}

// runReadme runs the commands in a section of the README, as they are but for the version.
func (s *scene) runReadme(section, version string) {
	s.t.Helper()
	script, err := readme.Commands(root, section)
	s.must(err)
	script = "kubectl() { " + strings.Join(s.kubectlCommand(), " ") + ` "$@"; }` + "\n" + strings.ReplaceAll(script, "v1beta1", version)
	out, err := command("bash", "-euo", "pipefail", "-c", script)
	s.must(err)
	s.t.Log(out[max(0, len(out)-500):])
}

// store has the API server store the buckets in a version from now on, as an upgrade of the definitions does.
func (s *scene) store(version string) {
	s.t.Helper()
	definitions, err := installed.Objects("crd/bases", "gcp.holdfast.dev_buckets.yaml")
	s.must(err)
	versions, _, _ := unstructured.NestedSlice(definitions[0].Object, "spec", "versions")
	for _, each := range versions {
		each := each.(map[string]any)
		each["storage"] = each["name"] == version
	}
	s.must(unstructured.SetNestedSlice(definitions[0].Object, versions, "spec", "versions"))
	text, err := yaml.Marshal(definitions[0].Object)
	s.must(err)
	s.must(os.WriteFile(s.file("definition.yaml"), text, 0o600))
	_, err = s.kubectl("", "apply", "--server-side", "-f", s.file("definition.yaml"))
	s.must(err)
}

// applied has Flux apply one more manifest, of v1alpha1, until it is stored in a version: the API server has taken in the definition.
func (s *scene) applied(message, version string) {
	s.t.Helper()
	s.until(s.commit(message, map[string]string{"README": "# " + message + "\n"}), healthy)
	touched := &unstructured.Unstructured{}
	s.eventually("what is written to be stored as "+version, func() (bool, string) {
		touched.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Bucket"))
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("BucketList"))
		s.must(s.kube.List(s.t.Context(), list, client.Limit(1)))
		patch := fmt.Sprintf(`{"metadata":{"annotations":{"stored":%q}}}`, version)
		s.must(s.kube.Patch(s.t.Context(), &list.Items[0], client.RawPatch(client.Merge.Type(), []byte(patch))))
		return s.inEtcd(version) > 0, "it is not"
	})
}

// said is what the operator says of each bucket: its conditions, with the times at which they changed.
func (s *scene) said() map[string]string {
	s.t.Helper()
	var list v1alpha1.BucketList
	s.must(s.kube.List(s.t.Context(), &list))
	out := map[string]string{}
	for _, bucket := range list.Items {
		text, err := json.Marshal(bucket.Status.Conditions)
		s.must(err)
		out[bucket.Namespace+"/"+bucket.Name] = string(text)
	}
	return out
}

func (s *scene) storedVersions() string {
	s.t.Helper()
	out, err := s.kubectl("", "get", "crd", bucketsCRD, "-o", "jsonpath={.status.storedVersions[*]}")
	s.must(err)
	return out
}

// inEtcd counts the buckets that etcd has in a version.
func (s *scene) inEtcd(version string) int {
	s.t.Helper()
	const prefix = "/registry/gcp.holdfast.dev/buckets/"
	end := prefix[:len(prefix)-1] + string(prefix[len(prefix)-1]+1)
	encode := func(key string) string { return base64.StdEncoding.EncodeToString([]byte(key)) }
	asked, err := json.Marshal(map[string]string{"key": encode(prefix), "range_end": encode(end)})
	s.must(err)
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.etcd+"/v3/kv/range", bytes.NewReader(asked))
	s.must(err)
	response, err := http.DefaultClient.Do(request)
	s.must(err)
	defer func() { _ = response.Body.Close() }()
	var found struct {
		Kvs []struct {
			Value []byte `json:"value"`
		} `json:"kvs"`
	}
	s.must(json.NewDecoder(response.Body).Decode(&found))
	n := 0
	for _, kv := range found.Kvs {
		if bytes.Contains(kv.Value, []byte(`"apiVersion":"gcp.holdfast.dev/`+version+`","kind":"Bucket"`)) {
			n++
		}
	}
	return n
}
