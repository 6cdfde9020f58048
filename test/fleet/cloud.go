package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// about are the requests about a resource of Kubernetes and its parts.
func (t tally) about(plural string) tally {
	out := tally{}
	for name, n := range t {
		_, what, _ := strings.Cut(name, " ")
		if resource, _, _ := strings.Cut(what, "/"); resource == plural {
			out[name] = n
		}
	}
	return out
}

// groups says how many calls there were of each group of methods.
func groups(calls tally) string {
	by := grouped(calls)
	var parts []string
	for _, name := range []string{"lists", "reads", "reads of policies", "reads of projects", "creates", "updates", "writes of policies", "others"} {
		if by[name] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", thousands(strconv.Itoa(by[name])), name))
		}
	}
	return strings.Join(parts, ", ")
}

// writing is how many of the calls write.
func writing(calls tally) int {
	by := grouped(calls)
	return by["creates"] + by["updates"] + by["writes of policies"] + by["others"]
}

func grouped(calls tally) tally {
	by := tally{}
	for name, n := range calls {
		by[group(name)] += n
	}
	return by
}

// group is what a method does, by its name, such as "iam IAM.CreateServiceAccount".
func group(name string) string {
	method := strings.ToLower(name[strings.LastIndexAny(name, ". ")+1:])
	starts := func(with ...string) bool {
		return slices.ContainsFunc(with, func(verb string) bool { return strings.HasPrefix(method, verb) })
	}
	switch policy := strings.Contains(method, "iampolicy"); {
	case policy && starts("get", "test"):
		return "reads of policies"
	case policy:
		return "writes of policies"
	case strings.HasPrefix(name, "resourcemanager"):
		return "reads of projects"
	case starts("list"):
		return "lists"
	case starts("get"):
		return "reads"
	case starts("insert", "create"):
		return "creates"
	case starts("patch", "update", "delete"):
		return "updates"
	default:
		return "others"
	}
}

// callsAbout counts the calls that are about a project while something is done.
func (w *world) callsAbout(ctx context.Context, project string, do func() error) (tally, error) {
	if err := w.cloud.Call(ctx, http.MethodPost, "/emulator/journal:record", nil, nil); err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	if err := w.cloud.Call(ctx, http.MethodPost, "/emulator/journal:stop", nil, nil); err != nil {
		return nil, err
	}
	var entries []traffic.Entry
	if err := w.cloud.Call(ctx, http.MethodGet, "/emulator/journal", nil, &entries); err != nil {
		return nil, err
	}
	calls := tally{}
	for _, entry := range entries {
		if entry.Project == project {
			calls[entry.Service+" "+entry.Method]++
		}
	}
	return calls, w.cloud.Call(ctx, http.MethodDelete, "/emulator/journal", nil, nil)
}
