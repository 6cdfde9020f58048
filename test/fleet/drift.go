package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// consolePath is where the emulator has a listed resource for people.
func consolePath(obj v1alpha1.Object, project string) string {
	switch obj.(type) {
	case *v1alpha1.Bucket:
		return "/emulator/storage/b/" + obj.GetName()
	case *v1alpha1.Topic:
		return "/emulator/pubsub/projects/" + project + "/topics/" + obj.GetName()
	default:
		return fmt.Sprintf("/emulator/iam/projects/%[1]s/serviceAccounts/%[2]s@%[1]s.iam.gserviceaccount.com", project, obj.GetName())
	}
}

// drifted is what somebody sets in the console, and what is to be seen there once it is corrected.
const drifted = "drifted"

// drift is a change that somebody has made in Google Cloud.
type drift struct {
	make func(context.Context) error
	// corrected looks whether it is gone.
	corrected func(context.Context) (bool, error)

	at, back time.Time
}

// ofResource changes a listed resource.
func (w *world) ofResource(obj v1alpha1.Object, project string) *drift {
	path := consolePath(obj, project)
	var change any = map[string]any{"labels": map[string]string{"team": drifted}}
	if _, account := obj.(*v1alpha1.ServiceAccount); account {
		change = map[string]any{"description": drifted}
	}
	return &drift{
		make: func(ctx context.Context) error { return w.cloud.Call(ctx, http.MethodPatch, path, change, nil) },
		corrected: func(ctx context.Context) (bool, error) {
			var live struct {
				Labels      map[string]string `json:"labels"`
				Description string            `json:"description"`
			}
			err := w.cloud.Call(ctx, http.MethodGet, path, nil, &live)
			return live.Labels["team"] != drifted && live.Description != drifted, err
		},
	}
}

// ofPolicy revokes what the ProjectPolicy of a project grants.
func (w *world) ofPolicy(project string) *drift {
	path := "/emulator/resourcemanager/projects/" + project + "/policy"
	return &drift{
		make: func(ctx context.Context) error {
			return w.cloud.Call(ctx, http.MethodPost, path+":revoke", map[string]string{"role": projectRole, "member": projectMember}, nil)
		},
		corrected: func(ctx context.Context) (bool, error) {
			var live struct {
				Bindings []struct {
					Role    string   `json:"role"`
					Members []string `json:"members"`
				} `json:"bindings"`
			}
			if err := w.cloud.Call(ctx, http.MethodGet, path, nil, &live); err != nil {
				return false, err
			}
			for _, binding := range live.Bindings {
				if binding.Role == projectRole && slices.Contains(binding.Members, projectMember) {
					return true, nil
				}
			}
			return false, nil
		},
	}
}

// look notes whether it is corrected.
func (d *drift) look(ctx context.Context) error {
	if !d.back.IsZero() {
		return nil
	}
	corrected, err := d.corrected(ctx)
	if corrected {
		d.back = time.Now()
	}
	return err
}

// driftEvery says that every so many-th resource drifts, and every so many-th policy of a project: about 1 %. It is a prime, so that all kinds
// are among them.
const driftEvery = 97

// driftPhase changes 1 % of the listed resources in Google Cloud, and of the policies of the projects, at once, and waits until all are corrected.
func (b *bench) driftPhase(ctx context.Context) error {
	const name = "drift"
	w, err := b.settled(ctx)
	if err != nil {
		return err
	}
	var resources, policies []*drift
	for i := 0; i < b.listed(); i += driftEvery {
		resources = append(resources, w.ofResource(b.object(i), projectID(i%b.projects)))
	}
	for i := 0; i < b.projects; i += driftEvery {
		policies = append(policies, w.ofPolicy(projectID(i)))
	}
	all := slices.Concat(resources, policies)
	cost, err := w.measure(ctx, name, func() error {
		if err := w.each(ctx, len(all), func(i int) error {
			all[i].at = time.Now()
			return all[i].make(ctx)
		}); err != nil {
			return err
		}
		return w.until(ctx, func() (bool, string, error) {
			looks, ctx := errgroup.WithContext(ctx)
			looks.SetLimit(8)
			for _, d := range all {
				looks.Go(func() error { return d.look(ctx) })
			}
			err := looks.Wait()
			left := len(slices.DeleteFunc(slices.Clone(all), func(d *drift) bool { return !d.back.IsZero() }))
			return left == 0, fmt.Sprintf("%d of %d are not corrected yet", left, len(all)), err
		})
	})
	if err != nil {
		return err
	}
	b.measured(name, cost)
	b.corrected("a resource, from drift to correction", resources, "sweep intervals", b.sweepInterval())
	b.corrected("a project's policy, from drift to correction", policies, "policy intervals", b.policyInterval())
	return nil
}

// corrected tells how long drift lasted, also in intervals, of which there is a name.
func (b *bench) corrected(what string, all []*drift, intervals string, interval time.Duration) {
	const name = "drift"
	var sum, most time.Duration
	for _, d := range all {
		sum, most = sum+d.back.Sub(d.at), max(most, d.back.Sub(d.at))
	}
	mean := sum / time.Duration(len(all))
	b.found.add(ratio, name, what+", on average, in "+intervals, mean.Seconds()/interval.Seconds(), "×", fmt.Sprintf("%d of them", len(all)))
	b.found.add(ratio, name, what+", at most, in "+intervals, most.Seconds()/interval.Seconds(), "×")
	b.found.add(duration, name, what+", on average", mean.Seconds(), "s")
	b.found.add(duration, name, what+", at most", most.Seconds(), "s")
}
