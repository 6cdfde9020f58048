package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// StateFile is the file, in the folder of the manifests, that says which projects are complete. It is there only while others are not.
const StateFile = ".holdfast-import.json"

// State remembers which projects are complete, for an import that goes on after an interruption.
type State struct {
	mu   sync.Mutex
	path string
	data stateData
}

type stateData struct {
	// Version is that of the format: 1.
	Version int `json:"version"`
	// Settings are what the import was asked to do. One that was asked to do something else begins anew.
	Settings string `json:"settings"`
	// Complete are the IDs of the projects that are complete, sorted.
	Complete []string `json:"complete"`
}

// OpenState reads what an import with the same settings left behind in a folder.
func OpenState(folder, settings string) (*State, error) {
	s := &State{path: filepath.Join(folder, StateFile), data: stateData{Version: 1, Settings: settings}}
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	var found stateData
	if err := json.Unmarshal(text, &found); err != nil || found.Version != s.data.Version {
		return nil, fmt.Errorf("%s is not of an import that this version began; remove it to begin anew", s.path)
	}
	if found.Settings == settings {
		s.data.Complete = found.Complete
	}
	return s, nil
}

// IsComplete says whether a project is complete.
func (s *State) IsComplete(project string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, found := slices.BinarySearch(s.data.Complete, project)
	return found
}

// Complete remembers that a project is complete.
func (s *State) Complete(project string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, found := slices.BinarySearch(s.data.Complete, project)
	if found {
		return nil
	}
	s.data.Complete = slices.Insert(s.data.Complete, at, project)
	text, err := json.MarshalIndent(s.data, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil { //nolint:gosec // as the folder of the manifests that it is in
		return err
	}
	return writeWhole(s.path, append(text, '\n'), 0o644)
}

// Forget removes what was remembered: all is complete.
func (s *State) Forget() error {
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
