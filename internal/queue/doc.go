// Package queue is a work queue for controllers that is fair to tenants: one that has much to be worked on waits for itself.
package queue
