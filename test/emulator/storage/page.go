package storage

import (
	"encoding/base64"
	"net/http"
	"sort"
)

// maxPage is the most that one page of a list has, and how many it has
// unless the request says otherwise.
const maxPage = 1000

// page returns the part of a sorted list that a request asks for, and the
// token for the part after it. Position is where an item comes in the list;
// the token names the last one shown, so that items that come and go between
// two pages are neither shown twice nor skipped.
func page[T any](r *request, items []T, position func(T) string) (shown []T, next string, err error) {
	size, given, err := r.queryInt("maxResults")
	if err == nil && !given {
		size, given, err = r.queryInt("pageSize") // of folders
	}
	if err != nil {
		return nil, "", err
	}
	if given && size < 0 {
		return nil, "", invalidf("Invalid value '%d'. Values must be within the range: [0, 2147483647]", size)
	}
	if !given || size == 0 || size > maxPage {
		size = maxPage
	}
	if token := r.query("pageToken"); token != "" {
		last, err := base64.URLEncoding.DecodeString(token)
		if err != nil {
			return nil, "", failf(http.StatusBadRequest, "invalid", "Invalid argument.")
		}
		items = items[sort.Search(len(items), func(i int) bool { return position(items[i]) > string(last) }):]
	}
	if int64(len(items)) <= size {
		return items, "", nil
	}
	shown = items[:size]
	return shown, base64.URLEncoding.EncodeToString([]byte(position(shown[size-1]))), nil
}
