// Package gcp has the clients of Google Cloud's services and what they share. Calls are rate-limited, timed, counted and bounded in
// time at the transport, in one place; failures are classified, and the engine decides by their class.
//
// Nothing here retries. The engine does, because it alone knows what else is waiting.
package gcp
