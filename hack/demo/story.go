package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// step is one chapter of the story: it shows what a person does, and checks what comes of it.
type step struct {
	title string
	play  func(*stage, context.Context) error
}

var story = []step{
	{"Manifests become resources", (*stage).playSamples},
	{"An edit of a manifest is one PATCH", (*stage).playEdit},
	{"What somebody changes in the console is put back; what leaves the manifest is reset", (*stage).playDrift},
	{"What exists already is adopted: without a write if it matches, by approval if it differs", (*stage).playAdoption},
	{"An account and what it may do are applied together; a policy that takes access away waits", (*stage).playAccess},
	{"A broken glass holds all writes", (*stage).playGlass},
	{"A bad manifest is refused at apply", (*stage).playRefusals},
	{"Deleting a manifest leaves the resource, unless it says Delete", (*stage).playDeletion},
	{"At rest there are only reads, and no write to Kubernetes", (*stage).playRest},
	{"Uninstalling deletes nothing in Google Cloud", (*stage).playUninstall},
}

// tell goes through the story and stops at the first step that does not hold.
func (s *stage) tell(ctx context.Context) error {
	for i, step := range story {
		s.show.heading(i+1, len(story), step.title)
		began := time.Now()
		if err := step.play(s, ctx); err != nil {
			s.show.linef("\nThe operator's last lines:\n%s", s.operator.tail(15))
			return fmt.Errorf("step %d of %d, %q: %w", i+1, len(story), step.title, err)
		}
		s.show.sayf("(%.1f s)", time.Since(began).Seconds())
	}
	s.show.linef("\nAll %d steps held, in %.0f s.", len(story), time.Since(s.show.start).Seconds())
	return nil
}

// apply applies a manifest of the story, having shown it.
func (s *stage) apply(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading a manifest of the story: %w", err)
	}
	s.show.command("cat " + file)
	s.show.output(string(text))
	_, err = s.kubectl.run(ctx, "apply", "-f", file)
	return err
}

// expect makes an error of what does not hold, and shows what does.
func (s *stage) expect(holds bool, format string, args ...any) error {
	if !holds {
		return errors.New("this does not hold: " + fmt.Sprintf(format, args...))
	}
	s.show.sawf(format, args...)
	return nil
}
