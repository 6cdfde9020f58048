// Package queue is a work queue for controllers that is fair to tenants: one that has much to be worked on waits for itself. In its turn a tenant
// gets a few items worked on, and once in each turn an item of who asks for little comes first: of whose editor has something waiting in the fewest
// places, which is a person and not a tool that changes something everywhere.
package queue
