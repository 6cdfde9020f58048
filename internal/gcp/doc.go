// Package gcp is the way to Google Cloud: the clients of its services, and what they share. Calls are limited, timed,
// counted and bounded in time at the transport, in one place; failures become classes that the engine decides by.
//
// Nothing here retries. The engine does, because it alone knows what else waits.
package gcp
