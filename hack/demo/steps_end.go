package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// playDeletion: Orphan leaves the resource and takes the ownership labels off; Delete deletes it.
func (s *stage) playDeletion(ctx context.Context) error {
	if _, err := s.kubectl.run(ctx, "delete", "-n", analytics, "bucket", "exports", "--timeout=60s"); err != nil {
		return err
	}
	live, err := s.cloud.get(ctx, bucketPath(exportsBucket))
	if err != nil {
		return err
	}
	labels, _ := live["labels"].(document)
	owned := 0
	for key := range labels {
		if strings.HasPrefix(key, "holdfast-") {
			owned++
		}
	}
	if err := s.expect(live != nil && owned == 0 && labels["made-by"] == "hand",
		"deletionPolicy Orphan, the default: the bucket %s is still there, without ownership labels", exportsBucket); err != nil {
		return err
	}

	if _, err := s.kubectl.run(ctx, "delete", "-n", analytics, "bucket", "reports", "--timeout=60s"); err != nil {
		return err
	}
	live, err = s.cloud.get(ctx, bucketPath(reportsBucket))
	if err != nil {
		return err
	}
	return s.expect(live == nil, "deletionPolicy Delete: the bucket %s is gone", reportsBucket)
}

// playRest: a full sweep makes reads only, and writes nothing to Kubernetes.
func (s *stage) playRest(ctx context.Context) error {
	before, err := s.objects(ctx, "")
	if err != nil {
		return err
	}
	mark, err := s.cloud.mark(ctx)
	if err != nil {
		return err
	}
	s.show.sayf("waiting until the sweep has checked each of the %d resources, and started again", len(before))
	if err := s.until(ctx, "a full sweep", func(ctx context.Context) (string, bool, error) {
		missing, err := s.unseen(ctx, mark, before)
		return "not checked yet: " + strings.Join(missing, ", "), len(missing) == 0, err
	}); err != nil {
		return err
	}
	calls, err := s.cloud.callsSince(ctx, mark)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, call := range calls {
		counts[call.String()]++
	}
	if err := s.noWrites(ctx, mark, ""); err != nil {
		return err
	}
	s.show.sawf("Google Cloud got only reads: %v", counts)
	after, err := s.objects(ctx, "")
	if err != nil {
		return err
	}
	return s.expect(versions(before) == versions(after), "every resourceVersion in Kubernetes is unchanged")
}

// listing is the call that shows an object's resource among the others of its project; empty for the policy of a project, which no list shows.
func listing(obj v1alpha1.Object) string {
	switch obj.(type) {
	case *v1alpha1.Bucket:
		return "buckets.list"
	case *v1alpha1.Topic:
		return "Publisher.ListTopics"
	case *v1alpha1.ServiceAccount:
		return "IAM.ListServiceAccounts"
	default:
		return ""
	}
}

// unseen names the objects whose resource was not listed twice since the mark: the second list proves that what follows from the first is over.
func (s *stage) unseen(ctx context.Context, mark int64, objects []v1alpha1.Object) ([]string, error) {
	calls, err := s.cloud.callsSince(ctx, mark)
	read, listed := map[string]int{}, map[traffic.Call]int{}
	for _, call := range calls {
		read[call.Resource]++
		listed[traffic.Call{Method: call.Method, Project: call.Project}]++
	}
	var missing []string
	for _, obj := range objects {
		project := obj.GetCommonStatus().Project
		list := listing(obj)
		if list == "" && read[project] < 2 || list != "" && listed[traffic.Call{Method: list, Project: project}] < 2 {
			missing = append(missing, obj.GetNamespace()+"/"+obj.GetName())
		}
	}
	return missing, err
}

// playUninstall: deleting the CRDs deletes every object and no resource, even where the manifest says Delete.
func (s *stage) playUninstall(ctx context.Context) error {
	manifests, err := s.objects(ctx, "")
	if err != nil {
		return err
	}
	if _, err := s.kubectl.run(ctx, "delete", "-k", "config/crd", "--timeout=60s"); err != nil {
		return err
	}
	for _, obj := range manifests {
		path, err := pathOf(obj.GetCommonStatus().ExternalName)
		if err != nil {
			return err
		}
		live, err := s.cloud.get(ctx, path)
		if err != nil {
			return err
		}
		if err := s.expect(live != nil, "%s is still there (deletionPolicy %s)",
			obj.GetCommonStatus().ExternalName, obj.GetCommonSpec().DeletionPolicy); err != nil {
			return err
		}
	}
	return nil
}

// versions lists objects with their resource versions.
func versions(objects []v1alpha1.Object) string {
	var all []string
	for _, obj := range objects {
		all = append(all, fmt.Sprintf("%s/%s %s", obj.GetNamespace(), obj.GetName(), obj.GetResourceVersion()))
	}
	return strings.Join(all, "\n")
}
