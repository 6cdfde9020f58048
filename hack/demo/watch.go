package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// until polls until a condition holds. If it does not within waitBound, the error says what was last seen.
func (s *stage) until(ctx context.Context, what string, look func(context.Context) (seen string, holds bool, err error)) error {
	var seen string
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, waitBound, true, func(ctx context.Context) (bool, error) {
		var holds bool
		var err error
		seen, holds, err = look(ctx)
		return holds, err
	})
	switch {
	case err == nil:
		return nil
	case wait.Interrupted(err):
		return fmt.Errorf("timed out waiting for %s; last seen: %s", what, seen)
	default:
		return fmt.Errorf("waiting for %s: %w", what, err)
	}
}

// untilStands waits until an object's newest generation has a reason of Ready.
func (s *stage) untilStands(ctx context.Context, obj v1alpha1.Object, reason string) error {
	what := fmt.Sprintf("%s/%s to be %s", obj.GetNamespace(), obj.GetName(), reason)
	return s.until(ctx, what, func(ctx context.Context) (string, bool, error) {
		if err := s.kube.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return "", false, err
		}
		seen := standing(obj)
		return seen.text, seen.reason == reason && seen.current, nil
	})
}

// stands is how an object stands, by its condition Ready.
type stands struct {
	reason, text   string
	ready, current bool
}

func standing(obj v1alpha1.Object) stands {
	status := obj.GetCommonStatus()
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return stands{text: "no condition Ready yet"}
	}
	return stands{
		reason:  ready.Reason,
		text:    fmt.Sprintf("Ready=%s, %s: %s", ready.Status, ready.Reason, ready.Message),
		ready:   ready.Status == metav1.ConditionTrue,
		current: status.ObservedGeneration == obj.GetGeneration(),
	}
}

// objects lists all objects of ours in a namespace; the empty name stands for all namespaces.
func (s *stage) objects(ctx context.Context, namespace string) ([]v1alpha1.Object, error) {
	var buckets v1alpha1.BucketList
	var topics v1alpha1.TopicList
	var accounts v1alpha1.ServiceAccountList
	var policies v1alpha1.ProjectPolicyList
	var errs []error
	for _, list := range []client.ObjectList{&buckets, &topics, &accounts, &policies} {
		errs = append(errs, s.kube.List(ctx, list, client.InNamespace(namespace)))
	}
	var all []v1alpha1.Object
	for i := range buckets.Items {
		all = append(all, &buckets.Items[i])
	}
	for i := range topics.Items {
		all = append(all, &topics.Items[i])
	}
	for i := range accounts.Items {
		all = append(all, &accounts.Items[i])
	}
	for i := range policies.Items {
		all = append(all, &policies.Items[i])
	}
	return all, errors.Join(errs...)
}

// untilAllReady waits until every object in a namespace is Ready.
func (s *stage) untilAllReady(ctx context.Context, namespace string) error {
	return s.until(ctx, "all objects to be Ready", func(ctx context.Context) (string, bool, error) {
		all, err := s.objects(ctx, namespace)
		var missing []string
		for _, obj := range all {
			if seen := standing(obj); !seen.ready || !seen.current {
				missing = append(missing, obj.GetNamespace()+"/"+obj.GetName()+" "+seen.text)
			}
		}
		return strings.Join(missing, "; "), len(all) > 0 && len(missing) == 0, err
	})
}

// writesTo returns the calls after the mark that were to change a resource of Google Cloud.
func (s *stage) writesTo(ctx context.Context, mark int64, resource string) ([]traffic.Entry, error) {
	calls, err := s.cloud.callsSince(ctx, mark)
	var writes []traffic.Entry
	for _, call := range calls {
		if call.Write && (resource == "" || call.Resource == resource) {
			writes = append(writes, call)
		}
	}
	return writes, err
}

// onePatch checks that a bucket was written to by one PATCH and nothing else, and shows it.
func (s *stage) onePatch(ctx context.Context, mark int64, bucket string) error {
	writes, err := s.writesTo(ctx, mark, bucket)
	if err != nil {
		return err
	}
	for _, write := range writes {
		s.show.output(describeCall(write))
	}
	if len(writes) != 1 || writes[0].Method != "buckets.patch" {
		return fmt.Errorf("%d writes reached %s; want one PATCH", len(writes), bucket)
	}
	s.show.sawf("Google Cloud got one write, a PATCH")
	return nil
}

// noWrites checks that a resource was not written to; an empty name stands for all.
func (s *stage) noWrites(ctx context.Context, mark int64, resource string) error {
	writes, err := s.writesTo(ctx, mark, resource)
	if err != nil {
		return err
	}
	if len(writes) > 0 {
		return fmt.Errorf("%d writes reached Google Cloud; want none; the first: %s", len(writes), describeCall(writes[0]))
	}
	return nil
}
