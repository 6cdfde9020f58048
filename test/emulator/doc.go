// Package emulator is a Google Cloud for tests and demonstrations: the real
// protocols, used through the real clients, on the loopback interface.
package emulator
