package admission

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

const (
	maxKey      = "holdfast.dev/break-glass-max"
	patternKey  = "holdfast.dev/break-glass-reason-pattern"
	listKey     = "holdfast.dev/break-glass-service-accounts"
	restoreKey  = "holdfast.dev/restore-service-accounts"
	operatorKey = "holdfast.dev/operators"
)

// parameter sets an annotation of kube-system, without storing it.
func parameter(t *testing.T, user, key, value string) error {
	t.Helper()
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem}}
	patch, err := yaml.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{key: value}}})
	if err != nil {
		t.Fatal(err)
	}
	if patch, err = yaml.YAMLToJSON(patch); err != nil {
		t.Fatal(err)
	}
	return asUser(t, user).Patch(ctx, system, client.RawPatch(types.MergePatchType, patch), client.DryRunAll)
}

// TestParametersAreGuarded: what limits those who break the glass is not theirs to change, and which service accounts are trusted is not
// for service accounts to say.
func TestParametersAreGuarded(t *testing.T) {
	for key, value := range map[string]string{maxKey: "72h", patternKey: "x", listKey: gitops, restoreKey: gitops, operatorKey: gitops} {
		expectRefusal(t, parameter(t, bob, key, value), "the RBAC verb bind on namespaces is missing")
		if key == maxKey || key == patternKey {
			continue
		}
		if err := parameter(t, gitops, maxKey, "72h"); err != nil {
			t.Errorf("a limit, by a cluster-admin: %v", err)
		}
		expectRefusal(t, parameter(t, gitops, key, value), "service account "+gitops+" may not change "+key+": which service accounts are trusted only a person says")
		expectRefusal(t, parameter(t, operator, key, value), "denied request: ")
		if err := parameter(t, ada, key, value); err != nil {
			t.Errorf("%s, by ada: %v", key, err)
		}
	}
}

// TestParametersThatWouldStopEverybody: what no guard could work with is refused when it is set, and not when somebody breaks the glass.
func TestParametersThatWouldStopEverybody(t *testing.T) {
	const duration, list, pattern = "must be a duration such as 72h or 1h30m", "must list user names of service accounts", "error parsing regexp"
	tries := map[string]struct{ key, value, refusal string }{
		"three days":                          {maxKey, "72h", ""},
		"by hours, minutes and seconds":       {maxKey, "1h30m10s", ""},
		"a minute":                            {maxKey, "60s", ""},
		"a year":                              {maxKey, "8760h", ""},
		"in words":                            {maxKey, "three days", duration},
		"in days":                             {maxKey, "3d", duration},
		"empty":                               {maxKey, "", duration},
		"nothing":                             {maxKey, "0s", duration},
		"too little":                          {maxKey, "59s", duration},
		"too much":                            {maxKey, "8761h", duration},
		"more than a duration may be":         {maxKey, "99999999999h", duration},
		"less than nothing":                   {maxKey, "-1h", duration},
		"in the wrong order":                  {maxKey, "1m1h", duration},
		"with a fraction":                     {maxKey, "1.5h", duration},
		"an expression":                       {patternKey, "^INC-[0-9]+:", ""},
		"no expression at all":                {patternKey, "", ""},
		"an expression that is open":          {patternKey, "(INC", pattern},
		"a class that is open":                {patternKey, "[INC", pattern},
		"what RE2 has not got":                {patternKey, `INC(?=-1)`, pattern},
		"a backreference":                     {patternKey, `(INC)\1`, pattern},
		"too many repetitions":                {patternKey, "(INC){5000}", pattern},
		"a long expression":                   {patternKey, strings.Repeat("a", 257), "at most 256 characters"},
		"one account":                         {listKey, gitops, ""},
		"accounts, with blanks":               {listKey, gitops + ", system:serviceaccount:a:b.c-d", ""},
		"no account":                          {listKey, "", list},
		"a comma too many":                    {listKey, gitops + ",", list},
		"every account":                       {listKey, "*", list},
		"a group":                             {listKey, "system:serviceaccounts:flux-system", list},
		"a person":                            {listKey, "ada", list},
		"an account without a namespace":      {listKey, "system:serviceaccount:x", list},
		"a namespace of accounts":             {listKey, "system:serviceaccount:x:*", list},
		"a person who restores":               {restoreKey, "ada", list},
		"a person who operates":               {operatorKey, "ada", list},
		"shards":                              {operatorKey, operator + "-1," + operator + "-2", ""},
		"another annotation that is not ours": {"example.com/break-glass-max", "x", ""},
	}
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := parameter(t, ada, try.key, try.value); try.refusal != "" {
				expectRefusal(t, err, try.refusal)
			} else if err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

// TestEveryAnnotationOfOursOnANamespaceIsGuarded: also one that these policies do not know.
func TestEveryAnnotationOfOursOnANamespaceIsGuarded(t *testing.T) {
	space := prepared(t, "namespace", map[string]string{"holdfast.dev/something": "1", "holdfast.dev/break-glass-mine": "1"})
	for _, patch := range []string{`{"holdfast.dev/something-new": "x"}`, `{"holdfast.dev/something": "2"}`, `{"holdfast.dev/something": null}`, `{"holdfast.dev/break-glass-mine": null}`} {
		expectRefusal(t, annotate(t, bob, space.DeepCopy(), patch), "the RBAC verb bind on namespaces is missing")
	}
}

// TestReasonsThatSayNothing, or that a person reads otherwise than a machine, are none.
func TestReasonsThatSayNothing(t *testing.T) {
	installStamps(t)
	const short, characters = "needs a reason of at least ten characters, letters among them", "must be one line of text"
	tries := map[string]struct{ reason, refusal string }{
		"blanks":                     {"          ", short},
		"a word and blanks":          {"INC       ", short},
		"blanks that are none":       {strings.Repeat(" ", 12), short},
		"dots":                       {"............", short},
		"dashes, and a letter":       {"-----------x", short},
		"fillers":                    {strings.Repeat("ㅤ", 12), short},
		"fillers among letters":      {"INC-4711: ㅤ a reason", short},
		"nothing that is seen":       {strings.Repeat("\u200b", 12), short},
		"a new line":                 {"INC-4711: why\nlevel=info msg=forged", characters},
		"a carriage return":          {"INC-4711: why\rforged", characters},
		"a tab":                      {"INC-4711: why\tso", characters},
		"an escape":                  {"INC-4711: \x1b[31mred", characters},
		"no character at all":        {"INC-4711: \x00 why", characters},
		"of the second set":          {"INC-4711: \u0085 why", characters},
		"a delete":                   {"INC-4711: why\x7f\x7f", characters},
		"from right to left":         {"INC-4711: \u202eno\u202c", characters},
		"an isolate":                 {"INC-4711: \u2066no\u2069", characters},
		"a mark":                     {"INC-4711: \u200fno reason", characters},
		"a line separator":           {"INC-4711: why\u2028forged", characters},
		"a tag":                      {"INC-4711: why \U000e0041", characters},
		"a soft hyphen":              {"INC-4711: wh\u00ady it is", characters},
		"long":                       {"INC-1: " + strings.Repeat("very ", 300), "at most 1024 characters"},
		"plain":                      {"INC-4711: partner needs access", ""},
		"with umlauts":               {"Störung beim Kunden", ""},
		"in Japanese":                {"本番環境の障害対応のため緊急変更", ""},
		"in Arabic":                  {"عطل في بيئة الإنتاج", ""},
		"in Korean":                  {"운영 환경 장애 대응을 위해", ""},
		"with a sign":                {"INC-4711: 🔥 production is down", ""},
		"with blanks around it":      {"  INC-4711: why  ", ""},
		"numbers, letters, brackets": {"[4711] p0 (see chat)", ""},
	}
	for name, try := range tries {
		for _, scope := range []string{"object", "namespace"} {
			t.Run(name+"/"+scope, func(t *testing.T) {
				t.Parallel()
				obj := prepared(t, scope, nil)
				obj.SetAnnotations(map[string]string{glassKey: try.reason})
				if err := asUser(t, ada).Update(ctx, obj); try.refusal != "" {
					expectRefusal(t, err, try.refusal)
				} else if err != nil {
					t.Errorf("refused: %v", err)
				}
			})
		}
	}
}

// TestTimesThatAreNone, or are over.
func TestTimesThatAreNone(t *testing.T) {
	installStamps(t)
	const none = "holdfast.dev/break-glass-until must be a time in RFC 3339"
	tries := map[string]struct{ until, refusal string }{
		"in an hour":                       {in(time.Hour), ""},
		"by another zone":                  {time.Now().Add(time.Hour).In(time.FixedZone("", 2*60*60)).Format(time.RFC3339), ""},
		"with a fraction":                  {"2998-01-01T00:00:00.123456789Z", ""},
		"a leap day":                       {"2096-02-29T00:00:00Z", ""},
		"the end of time":                  {"2999-12-31T23:59:59-23:59", ""},
		"a minute ago":                     {in(-time.Minute), "holdfast.dev/break-glass-until is in the past"},
		"in words":                         {"tomorrow", none},
		"without a zone":                   {"2998-01-01T00:00:00", none},
		"a day":                            {"2998-01-01", none},
		"a day that there is not":          {"2998-02-30T00:00:00Z", none},
		"a leap day of an ordinary year":   {"2998-02-29T00:00:00Z", none},
		"a leap day of a century":          {"2900-02-29T00:00:00Z", none},
		"the last of April and a day":      {"2998-04-31T00:00:00Z", none},
		"a month that there is not":        {"2998-13-01T00:00:00Z", none},
		"an hour that there is not":        {"2998-01-01T24:00:00Z", none},
		"a leap second":                    {"2998-12-31T23:59:60Z", none},
		"a year that there is not":         {"0000-01-01T00:00:00Z", none},
		"a year that timestamps cannot be": {"9999-12-31T23:59:59-23:59", none},
		"in small letters":                 {"2998-01-01t00:00:00z", none},
		"with a blank":                     {" 2998-01-01T00:00:00Z", none},
	}
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := annotate(t, ada, prepared(t, "object", nil), `{"holdfast.dev/break-glass": "`+reason+`", "holdfast.dev/break-glass-until": "`+try.until+`"}`)
			if try.refusal != "" {
				expectRefusal(t, err, try.refusal)
			} else if err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}
