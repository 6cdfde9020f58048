package gcp

import (
	"context"
	"errors"
	"testing"

	"cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestProjectNumber(t *testing.T) {
	fail := true
	cloud := &fakeCloud{getProject: func(context.Context) (*resourcemanagerpb.Project, error) {
		if fail {
			return nil, status.Error(codes.NotFound, "Requested entity was not found.")
		}
		return &resourcemanagerpb.Project{Name: "projects/123"}, nil
	}}
	clients := newClients(t, allInsecure(t, cloud.serve(t)))

	_, err := clients.ProjectNumber(t.Context(), "", "p")
	if got := Classify(err); got == nil || got.Class != kind.Denied || got.Resource != "projects/p" {
		t.Errorf("a missing project: %+v", got)
	}
	fail = false
	for range 3 {
		if number, err := clients.ProjectNumber(t.Context(), "", "p"); number != 123 || err != nil {
			t.Errorf("got %d, %v", number, err)
		}
	}
	if n := cloud.calls.Load(); n != 2 {
		t.Errorf("%d calls, want 2: a failure is not remembered, a number is", n)
	}
}

func TestProjectNumberSharesACall(t *testing.T) {
	begun, answer := make(chan struct{}), make(chan struct{})
	cloud := &fakeCloud{getProject: func(context.Context) (*resourcemanagerpb.Project, error) {
		close(begun) // once: a second call would panic
		<-answer
		return &resourcemanagerpb.Project{Name: "projects/123"}, nil
	}}
	clients := newClients(t, allInsecure(t, cloud.serve(t)))
	impatient, cancel := context.WithCancel(t.Context())
	results := make(chan error, 2)
	ask := func(ctx context.Context) {
		_, err := clients.ProjectNumber(ctx, "", "p")
		results <- err
	}
	go ask(impatient)
	<-begun
	cancel()
	if err := <-results; !errors.Is(err, context.Canceled) {
		t.Errorf("the impatient: %v", err)
	}
	go ask(t.Context())
	close(answer)
	if err := <-results; err != nil {
		t.Errorf("the patient: %v", err)
	}
}

// TestACallThatHasEndedSince: who did not know the answer yet when it came, and asks only after that, does not ask again.
func TestACallThatHasEndedSince(t *testing.T) {
	clients := newClients(t, allInsecure(t, (&fakeCloud{}).serve(t)))
	looked := 0
	known := func() (any, bool) {
		looked++
		return "the answer", looked > 1
	}
	got, err := clients.askOnce(t.Context(), "anything", "", "p", known, func(context.Context) (any, error) {
		t.Error("it is asked for again")
		return nil, nil
	})
	if got != "the answer" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestShutDown: everything in a project is denied at once, and the project is asked for once. A denial says nothing.
func TestShutDown(t *testing.T) {
	cases := map[string]struct {
		project *resourcemanagerpb.Project
		err     error
		want    bool
		wantErr bool
		calls   int64 // of two questions
	}{
		"active":        {&resourcemanagerpb.Project{State: resourcemanagerpb.Project_ACTIVE}, nil, false, false, 1},
		"shut down":     {&resourcemanagerpb.Project{State: resourcemanagerpb.Project_DELETE_REQUESTED}, nil, true, false, 1},
		"gone":          {nil, status.Error(codes.NotFound, "Requested entity was not found."), true, false, 1},
		"not to see":    {nil, status.Error(codes.PermissionDenied, "The caller does not have permission"), false, true, 1},
		"Google's away": {nil, status.Error(codes.Unavailable, "away"), false, true, 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cloud := &fakeCloud{getProject: func(context.Context) (*resourcemanagerpb.Project, error) { return tc.project, tc.err }}
			clients := newClients(t, allInsecure(t, cloud.serve(t)))
			for range 2 {
				if got, err := clients.ShutDown(t.Context(), "", "p"); got != tc.want || (err != nil) != tc.wantErr {
					t.Errorf("got %v, %v", got, err)
				}
			}
			if n := int64(cloud.calls.Load()); n != tc.calls {
				t.Errorf("%d calls, want %d", n, tc.calls)
			}
		})
	}
}
