package process

import (
	"fmt"
	"net"
)

// FreeAddress returns an address of the loopback interface, host and port, that nobody listens on.
func FreeAddress() (string, error) {
	addresses, err := FreeAddresses(1)
	if err != nil {
		return "", err
	}
	return addresses[0], nil
}

// FreeAddresses returns n such addresses, all different.
func FreeAddresses(n int) ([]string, error) {
	listeners := make([]net.Listener, 0, n)
	defer func() { // only when all are found, so that none is found twice
		for _, listener := range listeners {
			_ = listener.Close()
		}
	}()
	addresses := make([]string, 0, n)
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		listeners = append(listeners, listener)
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}
