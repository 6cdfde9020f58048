package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAPlanDestroys(t *testing.T) {
	drops := grants() // the policy is managed, and grants nothing any more
	cases := map[string]struct {
		situation *situation
		given     []given
		want      Destructive
	}{
		"nothing, where all is as it should be": {aBucket(), []given{created}, Destructive{}},
		"nothing, with a harmless change":       {aBucket(), []given{created, differs}, Destructive{}},
		"nothing, with a create":                {aBucket(), []given{lossy, absent}, Destructive{}},
		"data":                                  {aBucket(), []given{created, lossy, mayLose}, Destructive{[]string{"no noncurrent versions are kept"}, true}},
		"data, once somebody has approved it":   {aBucket(), []given{created, lossy, approved}, Destructive{[]string{"no noncurrent versions are kept"}, true}},
		"nothing, while it waits for approval":  {aBucket(), []given{created, lossy}, Destructive{}},
		"nothing, under the glass":              {aBucket(), []given{created, lossy, mayLose, broken}, Destructive{}},
		"the resource":                          {aBucket(), []given{created, deleting, deletes}, Destructive{[]string{"the bucket is deleted"}, true}},
		"the resource and its contents":         {aBucket(), []given{created, deleting, empties}, Destructive{[]string{"the bucket and everything in it are deleted"}, true}},
		"nothing, with an orphan":               {aBucket(), []given{created, marked, deleting}, Destructive{}},
		"nothing that another manifest keeps":   {aBucket(), []given{created, marked, deleting, deletes, rivalYounger}, Destructive{}},
		"nothing, where the definition goes":    {aBucket(), []given{created, deleting, deletes, definitionGoes}, Destructive{}},
		"a grant":                               {aBucket(), []given{created, drops, grantedAda, adaIsLive}, Destructive{[]string{"1 entries of the IAM policy are removed"}, false}},
		"nothing, with a grant more":            {aBucket(), []given{created, grantsAda, nobodyIsLive}, Destructive{}},
		"all that a manifest has granted":       {aProject(), []given{grantedAda, adaIsLive, deleting, deletes}, Destructive{[]string{"1 entries of the IAM policy are removed"}, true}},
		"nothing that stays granted":            {aProject(), []given{grantedAda, adaIsLive, deleting}, Destructive{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.situation.with(tc.given...).assess()
			if d := cmp.Diff(tc.want, got.Destructive); d != "" {
				t.Errorf("verdict %+v, destroys (-want +got):\n%s", got.Verdict, d)
			}
		})
	}
}
