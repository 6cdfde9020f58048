// Package queue is a work queue for controllers that is fair to tenants: one that has much to be worked on waits for itself. In its turn a tenant
// gets a few items worked on, and every other turn is for who asks for little.
package queue
