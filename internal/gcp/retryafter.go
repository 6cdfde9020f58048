package gcp

import (
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter bounds how long an answer can make us wait.
const maxRetryAfter = time.Hour

// retryAfterHeader reads the header Retry-After: seconds, or a date (RFC 9110, 10.2.3). It returns 0 if there is none.
func retryAfterHeader(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return bounded(date.Sub(now))
	}
	return 0
}

func bounded(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }
