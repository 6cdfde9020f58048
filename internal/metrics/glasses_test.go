package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestGlasses(t *testing.T) {
	g := &OpenGlasses{since: map[glassKey]time.Time{}}
	g.Open("bucket", "shop", "logs", time.Unix(1000, 0))
	g.Open("bucket", "shop", "media", time.Unix(2000, 0))
	g.Open("topic", "shop", "orders", time.Unix(3000, 0))
	g.Open("bucket", "shop", "logs", time.Unix(1000, 0))
	g.Close("topic", "shop", "orders")
	g.Close("topic", "shop", "never-open")
	want := `
# HELP holdfast_break_glass_open How many objects of a kind have their glass broken.
# TYPE holdfast_break_glass_open gauge
holdfast_break_glass_open{kind="bucket"} 2
# HELP holdfast_break_glass_opened_timestamp_seconds Since when the glass of an object is broken, in seconds since 1970. Only objects whose glass is broken.
# TYPE holdfast_break_glass_opened_timestamp_seconds gauge
holdfast_break_glass_opened_timestamp_seconds{kind="bucket",name="logs",namespace="shop"} 1000
holdfast_break_glass_opened_timestamp_seconds{kind="bucket",name="media",namespace="shop"} 2000
`
	if err := testutil.CollectAndCompare(g, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
