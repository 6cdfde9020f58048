// Package queue is a work queue for controllers that is fair to tenants: one that has much to be worked on waits for itself. In its turn a tenant
// gets a few items worked on, and every other turn is for who asks for little: first for whose editor has something waiting in the fewest places,
// which is a person and not a tool that changes something everywhere.
package queue
