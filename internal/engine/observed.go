package engine

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// observedOf writes what is live as a spec, with what the spec has no field for in its place: a lifecycle rule must not look as if it
// had fewer conditions than it has. It is nil if there is nothing to say.
func observedOf(live kind.Live) *runtime.RawExtension {
	observed := specOf(live.Object)
	if len(live.Unmanaged) == 0 {
		return observed
	}
	spec := map[string]any{}
	if observed != nil {
		decoder := json.NewDecoder(bytes.NewReader(observed.Raw))
		decoder.UseNumber()
		if decoder.Decode(&spec) != nil { // it was just written
			return observed
		}
	}
	for _, u := range live.Unmanaged {
		insert(spec, strings.Split(strings.TrimPrefix(u.Path, "spec."), "."), u.Value)
	}
	whole, err := json.Marshal(spec)
	if err != nil { // of JSON
		return observed
	}
	return &runtime.RawExtension{Raw: whole}
}

// insert puts a value, which is JSON, at a path, of which a step is like rules or rules[1].
func insert(at map[string]any, path []string, value string) {
	if len(path) == 1 {
		at[path[0]] = json.RawMessage(value)
		return
	}
	name, index, isItem := strings.Cut(strings.TrimSuffix(path[0], "]"), "[")
	next, _ := at[name].(map[string]any)
	if isItem {
		items, _ := at[name].([]any)
		i, err := strconv.Atoi(index)
		if err != nil || i >= len(items) { // the path is of an item that is there
			return
		}
		next, _ = items[i].(map[string]any)
	} else if next == nil {
		next = map[string]any{}
		at[name] = next
	}
	if next != nil {
		insert(next, path[1:], value)
	}
}
