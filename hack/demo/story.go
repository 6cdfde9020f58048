package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// step is one chapter of the story: it shows what a person does, and checks the result.
type step struct {
	title string
	play  func(*stage, context.Context) error
}

var story = []step{
	{"Manifests become resources", (*stage).playSamples},
	{"An edit to a manifest is one PATCH", (*stage).playEdit},
	{"A change in the console is corrected; a field that leaves the manifest is reset", (*stage).playDrift},
	{"An existing resource is adopted: without a write if it matches, after approval if it differs", (*stage).playAdoption},
	{"An account and its grants are applied together; a policy that takes access away waits for approval", (*stage).playAccess},
	{"Break-glass stops all writes", (*stage).playGlass},
	{"A bad manifest is refused at apply", (*stage).playRefusals},
	{"Whoever may do everything in a namespace does not become the operator", (*stage).playAttack},
	{"Deleting a manifest leaves the resource, unless it says Delete", (*stage).playDeletion},
	{"At rest there are only reads, and no write to Kubernetes", (*stage).playRest},
	{"Uninstalling deletes nothing in Google Cloud", (*stage).playUninstall},
}

// tell plays the story and stops at the first step that fails.
func (s *stage) tell(ctx context.Context) error {
	for i, step := range story {
		s.show.heading(i+1, len(story), step.title)
		began := time.Now()
		if err := step.play(s, ctx); err != nil {
			s.show.linef("\nThe last lines of the operator's log:\n%s", s.operator.Tail(15))
			return fmt.Errorf("step %d of %d, %q: %w", i+1, len(story), step.title, err)
		}
		s.show.sayf("(%.1f s)", time.Since(began).Seconds())
	}
	s.show.linef("\nAll %d steps passed, in %.0f s.", len(story), time.Since(s.show.start).Seconds())
	return nil
}

// apply applies a manifest of the story, having shown it.
func (s *stage) apply(ctx context.Context, file string) error {
	if err := s.showFile(file); err != nil {
		return err
	}
	_, err := s.kubectl.run(ctx, "apply", "-f", file)
	return err
}

// showFile shows a manifest of the story.
func (s *stage) showFile(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading a manifest of the story: %w", err)
	}
	s.show.command("cat " + file)
	s.show.output(string(text))
	return nil
}

// expect shows a fact that is true, and returns an error for one that is not.
func (s *stage) expect(holds bool, format string, args ...any) error {
	if !holds {
		return errors.New("not true: " + fmt.Sprintf(format, args...))
	}
	s.show.sawf(format, args...)
	return nil
}
