package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongFlags(t *testing.T) {
	for name, c := range map[string]struct {
		args     []string
		sentence string
	}{
		"no port":            {[]string{"--http", "localhost"}, `--http "localhost": want host:port, such as 127.0.0.1:8080`},
		"a port too far":     {[]string{"--grpc", "127.0.0.1:70000"}, `--grpc "127.0.0.1:70000": want a port of 0 to 65535`},
		"a project's name":   {[]string{"--project", "My Project=1"}, `invalid value "My Project=1" for flag -project: project ID "My Project": want at most 30 lower-case letters, digits and hyphens, beginning with a letter`},
		"a project's number": {[]string{"--project", "p=one"}, `invalid value "p=one" for flag -project: want id=number, such as my-project=123456789012`},
		"an unknown flag":    {[]string{"--htp", ":1"}, `flag provided but not defined: -htp`},
		"an argument":        {[]string{"start"}, `unexpected argument "start": everything is said by flags`},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), c.args, &stdout, &stderr); code != exitUsage {
				t.Errorf("exit code %d", code)
			}
			if got := strings.TrimSpace(stderr.String()); got != "gcp-emulator: "+c.sentence || stdout.Len() > 0 {
				t.Errorf("stderr %q, stdout %q", got, stdout.String())
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, &stdout, &stderr); code != 0 || !strings.Contains(stderr.String(), "-project id=number") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}

func TestUnusableState(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "missing")
	for name, tc := range map[string]struct{ file, says string }{
		"a file that is no state":      {broken, broken},
		"a file in a folder not there": {filepath.Join(folder, "state.json"), folder},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), []string{"--state", tc.file}, &stdout, &stderr); code != exitFailure || !strings.Contains(stderr.String(), tc.says) {
				t.Errorf("exit code %d: %s", code, stderr.String())
			}
		})
	}
}

// program runs the program until its context ends and returns the lines that
// it prints at the start, by their first words, and a channel with its exit
// code.
func program(ctx context.Context, t *testing.T, args ...string) (lines map[string]string, exit <-chan int) {
	t.Helper()
	reader, writer := io.Pipe()
	code := make(chan int, 1)
	go func() {
		var stderr bytes.Buffer
		code <- run(ctx, args, writer, &stderr)
		_ = writer.CloseWithError(io.EOF)
		if stderr.Len() > 0 {
			t.Errorf("stderr: %s", stderr.String())
		}
	}()
	lines = map[string]string{}
	scanner := bufio.NewScanner(reader)
	for scanner.Scan() && scanner.Text() != "ready" {
		words := strings.Fields(scanner.Text())
		lines[strings.Join(words[:len(words)-1], " ")] = words[len(words)-1]
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	return lines, code
}

func TestStateOutlivesTheProgram(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	for i, want := range []int{http.StatusNotFound, http.StatusOK} {
		ctx, stop := context.WithCancel(t.Context())
		lines, exit := program(ctx, t, "--state", file, "--project", "my-project=42")
		endpoint := lines["Cloud Storage"]
		response, err := http.Get(endpoint + "b/kept-bucket")
		if err != nil {
			t.Fatalf("run %d at %q: %v", i, endpoint, err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("run %d: status %d, want %d", i, response.StatusCode, want)
		}
		if i == 0 {
			response, err = http.Post(endpoint+"b?project=my-project", "application/json", strings.NewReader(`{"name": "kept-bucket"}`))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
		}
		stop()
		if code := <-exit; code != 0 {
			t.Errorf("run %d: exit code %d", i, code)
		}
	}
}
