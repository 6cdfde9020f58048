package pubsub

import (
	"encoding/base64"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Page sizes: what a list returns if it is not told, and the largest.
const (
	defaultPage = 100
	maxPage     = 1000
)

// page returns one page of names, which are sorted, and the token of the next
// one. A token names the last element of its page, so that pages stay whole
// while resources come and go.
func page(names []string, size int32, token string) (part []string, next string, err error) {
	if size < 0 || size > maxPage {
		return nil, "", status.Errorf(codes.InvalidArgument,
			"The value for page_size is out of bounds. You passed %d in the request, but the value must be between 0 and %d.", size, maxPage)
	}
	if size == 0 {
		size = defaultPage
	}
	last, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, "", status.Errorf(codes.InvalidArgument, "Invalid page token given (token=%s).", token)
	}
	for len(names) > 0 && names[0] <= string(last) {
		names = names[1:]
	}
	if len(names) <= int(size) {
		return names, "", nil
	}
	part = names[:size]
	return part, base64.RawURLEncoding.EncodeToString([]byte(part[size-1])), nil
}
