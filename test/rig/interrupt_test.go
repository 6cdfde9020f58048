package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestInterruptible(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(t *testing.T, out *os.File, say func())
		want bool
	}{
		"a signal": {func(t *testing.T, _ *os.File, _ func()) {
			if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}, true},
		"nobody reads what it says": {func(t *testing.T, reader *os.File, say func()) {
			if err := reader.Close(); err != nil {
				t.Fatal(err)
			}
			say()
		}, true},
		"what it says is read": {func(_ *testing.T, _ *os.File, say func()) { say() }, false},
		"a connection breaks": {func(t *testing.T, _ *os.File, _ func()) {
			breakConnection(t)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _, _ = reader.Close(), writer.Close() }()
			ctx, output, release := Interruptible(context.Background())
			defer release()
			out := output(writer)
			tc.do(t, reader, func() { fmt.Fprintln(out, "hello") })
			interrupted := false
			select {
			case <-ctx.Done():
				interrupted = true
			case <-time.After(200 * time.Millisecond):
			}
			if interrupted != tc.want {
				t.Errorf("interrupted %t, want %t", interrupted, tc.want)
			}
		})
	}
}

// breakConnection writes to a connection until that fails, since the other end has closed it.
func breakConnection(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close() // with something unread
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if _, err := conn.Write([]byte("hello")); errors.Is(err, syscall.EPIPE) { // before which it may be reset
			return
		}
	}
	t.Fatal("the connection does not break")
}
