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

// drift is a resource that somebody has changed.
type drift struct {
	obj      v1alpha1.Object
	path     string
	at, back time.Time
}

func (d *drift) make(ctx context.Context, w *world) error {
	var change any = map[string]any{"labels": map[string]string{"team": drifted}}
	if _, account := d.obj.(*v1alpha1.ServiceAccount); account {
		change = map[string]any{"description": drifted}
	}
	d.at = time.Now()
	return w.cloud.Call(ctx, http.MethodPatch, d.path, change, nil)
}

// look notes whether it is corrected.
func (d *drift) look(ctx context.Context, w *world) error {
	if !d.back.IsZero() {
		return nil
	}
	var live struct {
		Labels      map[string]string `json:"labels"`
		Description string            `json:"description"`
	}
	if err := w.cloud.Call(ctx, http.MethodGet, d.path, nil, &live); err != nil {
		return err
	}
	if live.Labels["team"] != drifted && live.Description != drifted {
		d.back = time.Now()
	}
	return nil
}

// driftPhase changes 1 % of the listed resources in Google Cloud, at once, and waits until all are corrected.
func (b *bench) driftPhase(ctx context.Context) error {
	const name = "drift"
	w, err := b.settled(ctx)
	if err != nil {
		return err
	}
	const every = 97 // a prime, so that all kinds are among them
	var all []*drift
	for i := 0; i < b.listed(); i += every {
		obj := b.object(i)
		all = append(all, &drift{obj: obj, path: consolePath(obj, projectID(i%b.projects))})
	}
	var took []time.Duration
	cost, err := w.measure(ctx, func() error {
		if err := w.each(ctx, len(all), func(i int) error { return all[i].make(ctx, w) }); err != nil {
			return err
		}
		return w.until(ctx, func() (bool, string, error) {
			looks, ctx := errgroup.WithContext(ctx)
			looks.SetLimit(8)
			for _, d := range all {
				looks.Go(func() error { return d.look(ctx, w) })
			}
			if err := looks.Wait(); err != nil {
				return false, "", err
			}
			took = nil
			for _, d := range all {
				if !d.back.IsZero() {
					took = append(took, d.back.Sub(d.at))
				}
			}
			return len(took) == len(all), fmt.Sprintf("%d of %d are corrected", len(took), len(all)), nil
		})
	})
	if err != nil {
		return err
	}
	b.measured(name, cost)
	slices.Sort(took)
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	interval := b.sweepInterval().Seconds()
	b.found.add(ratio, name, "from drift to correction, on average, in intervals", sum.Seconds()/float64(len(took))/interval, "×", fmt.Sprintf("%d resources", len(took)))
	b.found.add(ratio, name, "from drift to correction, at most, in intervals", took[len(took)-1].Seconds()/interval, "×")
	b.found.add(duration, name, "from drift to correction, on average", sum.Seconds()/float64(len(took)), "s")
	b.found.add(duration, name, "from drift to correction, at most", took[len(took)-1].Seconds(), "s")
	return nil
}
