package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/pprof/profile"
	"golang.org/x/sync/errgroup"
)

// profileWindow is how long a profile of processor time is taken for. What a phase does after the last whole one is not seen.
const profileWindow = 10 * time.Second

// profile reads a profile of the operator, such as heap?gc=1, and keeps it if profiles are to be kept.
func (w *world) profile(ctx context.Context, phase, which string) error {
	text, err := fetch(ctx, w.profilesURL+which)
	if err != nil || w.profiles == "" {
		return err
	}
	name, _, _ := strings.Cut(which, "?")
	return w.keepProfile(phase+"."+name, text)
}

func (w *world) keepProfile(name string, text []byte) error {
	if err := os.MkdirAll(w.profiles, 0o750); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.profiles, name+".pb.gz"), text, 0o600)
}

// profileTime takes profiles of what kube-apiserver and the operator, if it runs, need the processor for, one after the other until keep is called,
// which keeps them as one for each. It does nothing unless profiles are to be kept.
func (w *world) profileTime(ctx context.Context, phase string) (keep func() error) {
	if w.profiles == "" {
		return func() error { return nil }
	}
	ctx, stop := context.WithCancel(ctx)
	var both errgroup.Group
	seconds := strconv.Itoa(int(profileWindow.Seconds()))
	both.Go(func() error {
		return w.keepTime(ctx, phase+".kube-apiserver", func() ([]byte, error) {
			return w.raw.Discovery().RESTClient().Get().AbsPath("/debug/pprof/profile").Param("seconds", seconds).DoRaw(ctx)
		})
	})
	if w.operator != nil {
		url := w.profilesURL + "profile?seconds=" + seconds
		both.Go(func() error {
			return w.keepTime(ctx, phase+".operator", func() ([]byte, error) { return fetch(ctx, url) })
		})
	}
	return func() error { stop(); return both.Wait() }
}

// keepTime takes profiles until the context is done, and keeps them as one.
func (w *world) keepTime(ctx context.Context, name string, take func() ([]byte, error)) error {
	var taken []*profile.Profile
	for {
		text, err := take()
		if ctx.Err() != nil {
			break // what was being taken is cut off
		}
		if err != nil {
			return fmt.Errorf("taking the profile %s: %w", name, err)
		}
		one, err := profile.ParseData(text)
		if err != nil {
			return fmt.Errorf("reading the profile %s: %w", name, err)
		}
		taken = append(taken, one)
	}
	if len(taken) == 0 {
		return nil // the phase was shorter than a window
	}
	all, err := profile.Merge(taken)
	if err != nil {
		return fmt.Errorf("adding up the profile %s: %w", name, err)
	}
	var text bytes.Buffer
	if err := all.Write(&text); err != nil {
		return err
	}
	return w.keepProfile(name+".cpu", text.Bytes())
}
