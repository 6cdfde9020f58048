// Package gcp has the clients of Google Cloud's services and what they share. Calls are rate-limited, timed, counted and bounded in
// time at the transport, in one place; failures are classified, and the engine decides by their class.
//
// What a call counts against, and which permissions it needs, is declared by the kind that makes it (kind.Method). A call that
// is not declared is refused before it is sent, so that none escapes the limits.
//
// Nothing here retries. The engine does, because it alone knows what else waits.
package gcp
