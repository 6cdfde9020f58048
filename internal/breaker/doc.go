// Package breaker decides how much may be destroyed before a person has looked: what asks to destroy something is gathered, and counted against
// what a namespace and the fleet had before. Beyond what they bear, nothing more is destroyed until an administrator lets it through. It is pure:
// a record of what was let through, what waits now, and a clock make the next record.
package breaker
