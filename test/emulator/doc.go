// Package emulator is an emulated Google Cloud for tests and demos: the real
// protocols, used through the real clients, on the loopback interface.
package emulator
