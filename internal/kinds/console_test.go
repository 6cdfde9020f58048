package kinds_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// Each kind has a page in the Cloud Console, and no page is shown of what is not known to be there.
func TestConsoleURLs(t *testing.T) {
	const console = "https://console.cloud.google.com/"
	want := map[string]string{
		"Bucket":         console + "storage/browser/logs?project=example.com%3Ap-1",
		"Topic":          console + "cloudpubsub/topic/detail/logs?project=example.com%3Ap-1",
		"ServiceAccount": console + "iam-admin/serviceaccounts/details/117?project=example.com%3Ap-1",
		"ProjectPolicy":  console + "iam-admin/iam?project=example.com%3Ap-1",
	}
	got := map[string]string{}
	for _, k := range kinds.All(nil) {
		got[k.Kind] = k.ConsoleURL("example.com:p-1", "logs", "117")
		if url := k.ConsoleURL("", "logs", "117"); url != "" {
			t.Errorf("%s: without a project: %s", k.Kind, url)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	account, _ := kind.Named(kinds.All(nil), "ServiceAccount")
	if url := account.ConsoleURL("p-1", "logs", ""); url != "" {
		t.Errorf("of an account that is not there: %s", url)
	}
}
