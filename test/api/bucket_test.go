package api

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const bucketKey = "projects/p/locations/us/keyRings/r/cryptoKeys/k"

// bucketRefusals are manifests that nobody may create, with what the refusal says.
var bucketRefusals = map[string]struct{ name, spec, sentence string }{
	"an unknown field":        {spec: `{versionning: {enabled: true}}`, sentence: `unknown field "spec.versionning"`},
	"an unknown field inside": {spec: `{versioning: {enabeld: true}}`, sentence: `unknown field "spec.versioning.enabeld"`},
	"a wrong type":            {spec: `{versioning: {enabled: "yes"}}`, sentence: `spec.versioning.enabled: Invalid value: "string"`},
	"a number as text":        {spec: `{softDeletePolicy: {retentionSeconds: "604800"}}`, sentence: `spec.softDeletePolicy.retentionSeconds: Invalid value: "string"`},

	"a name that is too short":          {name: "ab", sentence: "the bucket's name (spec.resourceID, or else metadata.name) must have 3 to 63 characters, or with dots up to 222 and up to 63 between dots"},
	"a name that is too long":           {name: strings.Repeat("a", 64), sentence: "must have 3 to 63 characters"},
	"a name with a part too long":       {spec: `{resourceID: a.` + strings.Repeat("b", 64) + `}`, sentence: "up to 63 between dots"},
	"a name with dots too long":         {spec: `{resourceID: ` + strings.Repeat("abc.", 55) + `abc}`, sentence: "with dots up to 222"},
	"a name with an empty part":         {spec: `{resourceID: a..b}`, sentence: "up to 63 between dots"},
	"a name with capitals":              {spec: `{resourceID: Logs}`, sentence: "must consist of lower-case letters, digits, -, _ and dots, and begin and end with a letter or digit: give spec.resourceID another value"},
	"a name that ends with a dash":      {spec: `{resourceID: logs-}`, sentence: "begin and end with a letter or digit"},
	"a name with a slash":               {spec: `{resourceID: gs/logs}`, sentence: "must consist of lower-case letters"},
	"an IP address for a name":          {spec: `{resourceID: 192.168.5.4}`, sentence: "must not begin with goog, contain google or be an IP address"},
	"a name that begins with goog":      {name: "googol", sentence: "must not begin with goog"},
	"a name that contains google":       {name: "my-google-bucket", sentence: "must not begin with goog, contain google"},
	"a name that looks like google":     {name: "my-g00gle-bucket", sentence: "must not begin with goog, contain google"},
	"an empty resourceID":               {spec: `{resourceID: ""}`, sentence: "spec.resourceID: Invalid value"},
	"an unknown deletion policy":        {spec: `{deletionPolicy: Abandon}`, sentence: `spec.deletionPolicy: Unsupported value: "Abandon"`},
	"an unknown management":             {spec: `{management: manage}`, sentence: `spec.management: Unsupported value: "manage"`},
	"a location with a blank":           {spec: `{location: "europe west3"}`, sentence: "spec.location in body should match"},
	"an unknown storage class":          {spec: `{storageClass: COLD}`, sentence: `spec.storageClass: Unsupported value: "COLD"`},
	"a storage class in lower case":     {spec: `{storageClass: standard}`, sentence: `spec.storageClass: Unsupported value: "standard"`},
	"one data location":                 {spec: `{location: EU, customPlacementConfig: {dataLocations: [EUROPE-WEST1]}}`, sentence: "spec.customPlacementConfig.dataLocations in body should have at least 2 items"},
	"three data locations":              {spec: `{location: EU, customPlacementConfig: {dataLocations: [EUROPE-WEST1, EUROPE-WEST3, EUROPE-WEST4]}}`, sentence: "spec.customPlacementConfig.dataLocations: Too many: 3: must have at most 2 items"},
	"the same data location twice":      {spec: `{location: EU, customPlacementConfig: {dataLocations: [EUROPE-WEST1, EUROPE-WEST1]}}`, sentence: `spec.customPlacementConfig.dataLocations[1]: Duplicate value: "EUROPE-WEST1"`},
	"a multi-region as data location":   {spec: `{location: EU, customPlacementConfig: {dataLocations: [EU, US]}}`, sentence: "spec.customPlacementConfig.dataLocations[0] in body should match"},
	"an empty customPlacementConfig":    {spec: `{location: EU, customPlacementConfig: {}}`, sentence: "spec.customPlacementConfig.dataLocations: Required value"},
	"data locations without a location": {spec: `{customPlacementConfig: {dataLocations: [EUROPE-WEST1, EUROPE-WEST4]}}`, sentence: "spec.customPlacementConfig needs spec.location to be the multi-region that both regions are in, such as US, EU or ASIA"},
	"data locations in a region":        {spec: `{location: EUROPE-WEST1, customPlacementConfig: {dataLocations: [EUROPE-WEST1, EUROPE-WEST4]}}`, sentence: "spec.customPlacementConfig needs spec.location to be the multi-region"},

	"a label key in capitals":            {spec: `{labels: {Team: x}}`, sentence: "labels: a key must begin with a lower-case letter"},
	"a label value in capitals":          {spec: `{labels: {team: Shop}}`, sentence: "spec.labels.team in body should match"},
	"a label value that is long":         {spec: `{labels: {team: ` + strings.Repeat("v", 64) + `}}`, sentence: "spec.labels.team: Too long"},
	"a label key of too many bytes":      {spec: `{labels: {` + strings.Repeat("名", 43) + `: x}}`, sentence: "labels: a key must have at most 128 bytes"},
	"a label value of too many bytes":    {spec: `{labels: {team: ` + strings.Repeat("値", 43) + `}}`, sentence: "a label's value must have at most 128 bytes"},
	"a label of Google's":                {spec: `{labels: {goog-x: z}}`, sentence: "keys that begin with goog are reserved"},
	"a label of ours":                    {spec: `{labels: {holdfast-owner: me}}`, sentence: "keys that begin with holdfast-"},
	"more labels than there is room for": {spec: `{labels: {` + manyLabels(62, 0) + `}}`, sentence: "labels: more than 61 labels; Google allows 64, and Holdfast adds three"},

	"an empty versioning":              {spec: `{versioning: {}}`, sentence: "spec.versioning.enabled: Required value"},
	"an empty softDeletePolicy":        {spec: `{softDeletePolicy: {}}`, sentence: "spec.softDeletePolicy.retentionSeconds: Required value"},
	"a soft delete of six days":        {spec: `{softDeletePolicy: {retentionSeconds: 518400}}`, sentence: "spec.softDeletePolicy.retentionSeconds must be 0 (off) or from 604800 (7 days) to 7776000 (90 days)"},
	"a soft delete of 91 days":         {spec: `{softDeletePolicy: {retentionSeconds: 7862400}}`, sentence: "spec.softDeletePolicy.retentionSeconds in body should be less than or equal to 7776000"},
	"a negative soft delete":           {spec: `{softDeletePolicy: {retentionSeconds: -1}}`, sentence: "spec.softDeletePolicy.retentionSeconds in body should be greater than or equal to 0"},
	"a retention of nothing":           {spec: `{retentionPolicy: {retentionSeconds: 0}}`, sentence: "spec.retentionPolicy.retentionSeconds in body should be greater than or equal to 1"},
	"a retention of over 100 years":    {spec: `{retentionPolicy: {retentionSeconds: 3155760001}}`, sentence: "spec.retentionPolicy.retentionSeconds in body should be less than or equal to 3155760000"},
	"a lock without retention":         {spec: `{retentionPolicy: {locked: true}}`, sentence: "spec.retentionPolicy.locked needs spec.retentionPolicy.retentionSeconds"},
	"an unknown object retention":      {spec: `{objectRetention: {mode: Disabled}}`, sentence: `spec.objectRetention.mode: Unsupported value: "Disabled"`},
	"an empty object retention":        {spec: `{objectRetention: {}}`, sentence: "spec.objectRetention.mode: Required value"},
	"an unknown access prevention":     {spec: `{publicAccessPrevention: enabled}`, sentence: `spec.publicAccessPrevention: Unsupported value: "enabled"`},
	"an empty hierarchicalNamespace":   {spec: `{hierarchicalNamespace: {}}`, sentence: "spec.hierarchicalNamespace.enabled: Required value"},
	"an empty uniform access":          {spec: `{uniformBucketLevelAccess: {}}`, sentence: "spec.uniformBucketLevelAccess.enabled: Required value"},
	"an empty autoclass":               {spec: `{autoclass: {}}`, sentence: "spec.autoclass.enabled: Required value"},
	"a terminal class without more":    {spec: `{autoclass: {enabled: false, terminalStorageClass: ARCHIVE}}`, sentence: "spec.autoclass.terminalStorageClass needs spec.autoclass.enabled to be true"},
	"a terminal class that is none":    {spec: `{autoclass: {enabled: true, terminalStorageClass: COLDLINE}}`, sentence: `spec.autoclass.terminalStorageClass: Unsupported value: "COLDLINE"`},
	"autoclass and a storage class":    {spec: `{autoclass: {enabled: true}, storageClass: NEARLINE}`, sentence: "spec.storageClass must be STANDARD or left out while spec.autoclass is enabled"},
	"autoclass and SetStorageClass":    {spec: `{autoclass: {enabled: true}, lifecycle: {rules: [{action: {type: SetStorageClass, storageClass: ARCHIVE}, condition: {age: 1}}]}}`, sentence: "spec.lifecycle must not set or match storage classes while spec.autoclass is enabled"},
	"autoclass and a class to match":   {spec: `{autoclass: {enabled: true}, lifecycle: {rules: [{action: {type: Delete}, condition: {matchesStorageClass: [ARCHIVE]}}]}}`, sentence: "spec.lifecycle must not set or match storage classes while spec.autoclass is enabled"},
	"a filter without a mode":          {spec: `{ipFilter: {publicNetworkSource: {allowedIPCIDRRanges: [192.0.2.0/24]}}}`, sentence: "spec.ipFilter.mode: Required value"},
	"an unknown filter mode":           {spec: `{ipFilter: {mode: enabled}}`, sentence: `spec.ipFilter.mode: Unsupported value: "enabled"`},
	"an address for a range":           {spec: `{ipFilter: {mode: Enabled, publicNetworkSource: {allowedIPCIDRRanges: [192.0.2.1]}}}`, sentence: `allowedIPCIDRRanges[0] in body must be of type cidr: "192.0.2.1"`},
	"a range that is none":             {spec: `{ipFilter: {mode: Enabled, publicNetworkSource: {allowedIPCIDRRanges: ["2001:db8::/129"]}}}`, sentence: "must be of type cidr"},
	"a range with numbers too big":     {spec: `{ipFilter: {mode: Enabled, publicNetworkSource: {allowedIPCIDRRanges: [192.0.256.0/24]}}}`, sentence: "must be of type cidr"},
	"a range from its middle":          {spec: `{ipFilter: {mode: Enabled, publicNetworkSource: {allowedIPCIDRRanges: [203.0.113.0/24, 192.0.2.1/24]}}}`, sentence: `spec.ipFilter.publicNetworkSource.allowedIPCIDRRanges[1]: Invalid value: "192.0.2.1/24": a range must begin with its first address: 192.0.2.0/24, not 192.0.2.1/24`},
	"a small range from its middle":    {spec: `{ipFilter: {mode: Enabled, publicNetworkSource: {allowedIPCIDRRanges: [192.0.2.9/29]}}}`, sentence: "a range must begin with its first address"},
	"a big range from its middle":      {spec: `{ipFilter: {mode: Enabled, vpcNetworkSources: [{network: projects/p/global/networks/n, allowedIPCIDRRanges: [10.64.0.0/9]}]}}`, sentence: "a range must begin with its first address"},
	"the same range twice":             {spec: `{ipFilter: {mode: Enabled, publicNetworkSource: {allowedIPCIDRRanges: [192.0.2.0/24, 192.0.2.0/24]}}}`, sentence: `allowedIPCIDRRanges[1]: Duplicate value: "192.0.2.0/24"`},
	"a public source without ranges":   {spec: `{ipFilter: {mode: Enabled, publicNetworkSource: {}}}`, sentence: "spec.ipFilter.publicNetworkSource.allowedIPCIDRRanges: Required value"},
	"a network's short name":           {spec: `{ipFilter: {mode: Enabled, vpcNetworkSources: [{network: default, allowedIPCIDRRanges: [10.0.0.0/8]}]}}`, sentence: "spec.ipFilter.vpcNetworkSources[0].network in body should match"},
	"a network without ranges":         {spec: `{ipFilter: {mode: Enabled, vpcNetworkSources: [{network: projects/p/global/networks/n}]}}`, sentence: "spec.ipFilter.vpcNetworkSources[0].allowedIPCIDRRanges: Required value"},
	"a network with no ranges":         {spec: `{ipFilter: {mode: Enabled, vpcNetworkSources: [{network: projects/p/global/networks/n, allowedIPCIDRRanges: []}]}}`, sentence: "spec.ipFilter.vpcNetworkSources[0].allowedIPCIDRRanges"},
	"a network twice":                  {spec: `{ipFilter: {mode: Enabled, vpcNetworkSources: [{network: projects/p/global/networks/n, allowedIPCIDRRanges: [10.0.0.0/8]}, {network: projects/p/global/networks/n, allowedIPCIDRRanges: [10.0.0.0/8]}]}}`, sentence: "spec.ipFilter.vpcNetworkSources[1]: Duplicate value"},
	"more ranges than there may be":    {spec: `{ipFilter: {mode: Enabled, publicNetworkSource: {allowedIPCIDRRanges: [` + manyRanges(200) + `]}, vpcNetworkSources: [{network: projects/p/global/networks/n, allowedIPCIDRRanges: [10.0.0.0/8]}]}}`, sentence: "spec.ipFilter has more than 200 ranges; Google allows 200 in all networks together"},
	"folders without uniform access":   {spec: `{hierarchicalNamespace: {enabled: true}}`, sentence: "spec.hierarchicalNamespace needs spec.uniformBucketLevelAccess: set its enabled to true"},
	"folders and access control lists": {spec: `{hierarchicalNamespace: {enabled: true}, uniformBucketLevelAccess: {enabled: false}}`, sentence: "spec.hierarchicalNamespace needs spec.uniformBucketLevelAccess"},
	"folders and versioning":           {spec: `{hierarchicalNamespace: {enabled: true}, uniformBucketLevelAccess: {enabled: true}, versioning: {enabled: true}}`, sentence: "spec.versioning cannot be enabled together with spec.hierarchicalNamespace"},
	"folders and retention":            {spec: `{hierarchicalNamespace: {enabled: true}, uniformBucketLevelAccess: {enabled: true}, retentionPolicy: {retentionSeconds: 1}}`, sentence: "spec.retentionPolicy cannot be used together with spec.hierarchicalNamespace"},
	"folders and object retention":     {spec: `{hierarchicalNamespace: {enabled: true}, uniformBucketLevelAccess: {enabled: true}, objectRetention: {mode: Enabled}}`, sentence: "spec.objectRetention cannot be used together with spec.hierarchicalNamespace"},
	"an unknown rpo":                   {spec: `{rpo: TURBO}`, sentence: `spec.rpo: Unsupported value: "TURBO"`},
	"an rpo in a region":               {spec: `{location: EUROPE-WEST3, rpo: DEFAULT}`, sentence: "spec.rpo is for buckets in more than one region"},
	"turbo in a multi-region":          {spec: `{location: eu, rpo: ASYNC_TURBO}`, sentence: "spec.rpo can be ASYNC_TURBO only in a dual-region: set spec.location to one, such as EUR4, or give spec.customPlacementConfig"},

	"a rule without action":             {spec: bucketRule(`{condition: {age: 1}}`), sentence: "spec.lifecycle.rules[0].action: Required value"},
	"a rule without condition":          {spec: bucketRule(`{action: {type: Delete}}`), sentence: "spec.lifecycle.rules[0].condition: Required value"},
	"a rule with no condition":          {spec: bucketRule(`{action: {type: Delete}, condition: {}}`), sentence: "condition must have at least one condition (withState ANY is none): for all objects set age to 0"},
	"a rule for any state":              {spec: bucketRule(`{action: {type: Delete}, condition: {withState: ANY}}`), sentence: "condition must have at least one condition"},
	"an unknown action":                 {spec: bucketRule(`{action: {type: Archive}, condition: {age: 1}}`), sentence: `action.type: Unsupported value: "Archive"`},
	"SetStorageClass without a class":   {spec: bucketRule(`{action: {type: SetStorageClass}, condition: {age: 1}}`), sentence: "action.storageClass belongs to SetStorageClass and to no other action: add it or leave it out"},
	"Delete with a class":               {spec: bucketRule(`{action: {type: Delete, storageClass: ARCHIVE}, condition: {age: 1}}`), sentence: "action.storageClass belongs to SetStorageClass"},
	"an abort with a date":              {spec: bucketRule(`{action: {type: AbortIncompleteMultipartUpload}, condition: {createdBefore: "2026-01-31"}}`), sentence: "AbortIncompleteMultipartUpload allows only the conditions age, matchesPrefix and matchesSuffix"},
	"an abort with a state":             {spec: bucketRule(`{action: {type: AbortIncompleteMultipartUpload}, condition: {age: 1, withState: LIVE}}`), sentence: "AbortIncompleteMultipartUpload allows only the conditions"},
	"a negative age":                    {spec: bucketRule(`{action: {type: Delete}, condition: {age: -1}}`), sentence: "condition.age in body should be greater than or equal to 0"},
	"negative days":                     {spec: bucketRule(`{action: {type: Delete}, condition: {daysSinceNoncurrentTime: -1}}`), sentence: "condition.daysSinceNoncurrentTime in body should be greater than or equal to 0"},
	"a negative size":                   {spec: bucketRule(`{action: {type: Delete}, condition: {sizeAboveBytes: -1}}`), sentence: "condition.sizeAboveBytes in body should be greater than or equal to 0"},
	"an abort by size":                  {spec: bucketRule(`{action: {type: AbortIncompleteMultipartUpload}, condition: {age: 1, sizeBelowBytes: 9}}`), sentence: "AbortIncompleteMultipartUpload allows only the conditions"},
	"an abort by pattern":               {spec: bucketRule(`{action: {type: AbortIncompleteMultipartUpload}, condition: {age: 1, matchesPattern: x}}`), sentence: "AbortIncompleteMultipartUpload allows only the conditions"},
	"a date that is none":               {spec: bucketRule(`{action: {type: Delete}, condition: {createdBefore: "2026-02-30"}}`), sentence: `condition.createdBefore in body must be of type date: "2026-02-30"`},
	"a time for a date":                 {spec: bucketRule(`{action: {type: Delete}, condition: {noncurrentTimeBefore: "2026-01-31T00:00:00Z"}}`), sentence: "condition.noncurrentTimeBefore in body must be of type date"},
	"an empty prefix":                   {spec: bucketRule(`{action: {type: Delete}, condition: {matchesPrefix: [""]}}`), sentence: "condition.matchesPrefix[0] in body should be at least 1 chars long"},
	"no prefixes":                       {spec: bucketRule(`{action: {type: Delete}, condition: {matchesPrefix: []}}`), sentence: "condition.matchesPrefix in body should have at least 1 items"},
	"an unknown state":                  {spec: bucketRule(`{action: {type: Delete}, condition: {withState: live}}`), sentence: `condition.withState: Unsupported value: "live"`},
	"more than 100 rules":               {spec: `{lifecycle: {rules: [` + strings.Repeat(`{action: {type: Delete}, condition: {age: 1}},`, 101) + `]}}`, sentence: "spec.lifecycle.rules: Too many: 101: must have at most 100 items"},
	"more than 1000 prefixes together":  {spec: `{lifecycle: {rules: [` + strings.Repeat(`{action: {type: Delete}, condition: {matchesPrefix: [`+strings.Repeat("a,", 501)+`]}},`, 2) + `]}}`, sentence: "spec.lifecycle.rules may have at most 1000 prefixes and suffixes in total"},
	"a CORS method in lower case":       {spec: `{cors: [{origin: ["*"], method: [get]}]}`, sentence: "spec.cors[0].method[0] in body should match"},
	"a negative CORS age":               {spec: `{cors: [{maxAgeSeconds: -1}]}`, sentence: "spec.cors[0].maxAgeSeconds in body should be greater than or equal to 0"},
	"an empty page":                     {spec: `{website: {mainPageSuffix: ""}}`, sentence: "spec.website.mainPageSuffix in body should be at least 1 chars long"},
	"a log prefix without a log bucket": {spec: `{logging: {logObjectPrefix: x}}`, sentence: "spec.logging.logObjectPrefix needs spec.logging.logBucket"},
	"a log bucket by its URL":           {spec: `{logging: {logBucket: gs://audit}}`, sentence: "spec.logging.logBucket in body should match"},
	"a log prefix that is the default":  {spec: `{resourceID: my-logs, logging: {logBucket: audit, logObjectPrefix: my-logs}}`, sentence: "spec.logging.logObjectPrefix is the bucket's own name, which is Google's default: leave it out"},
	"a key by its short name":           {spec: `{encryption: {defaultKMSKeyName: k}}`, sentence: "spec.encryption.defaultKMSKeyName in body should match"},
	"an unknown restriction":            {spec: `{encryption: {googleManagedEncryptionEnforcementConfig: {restrictionMode: Restricted}}}`, sentence: `restrictionMode: Unsupported value: "Restricted"`},
	"an empty restriction":              {spec: `{encryption: {customerManagedEncryptionEnforcementConfig: {}}}`, sentence: "spec.encryption.customerManagedEncryptionEnforcementConfig.restrictionMode: Required value"},

	"conditions and access control lists": {spec: `{uniformBucketLevelAccess: {enabled: false}, iam: {bindings: [{role: roles/browser, members: ["user:ada@example.com"]}, {role: roles/browser, members: ["user:bob@example.com"], condition: {title: t, expression: "true"}}]}}`, sentence: "spec.iam: Google allows conditions only with uniform bucket-level access: set spec.uniformBucketLevelAccess.enabled to true, or remove them"},
	"a public bucket that must not be":    {spec: `{publicAccessPrevention: enforced, iam: {bindings: [{role: roles/storage.objectViewer, members: [allUsers]}]}}`, sentence: "spec.iam must not list allUsers or allAuthenticatedUsers while spec.publicAccessPrevention is enforced: remove them, or set spec.publicAccessPrevention to inherited"},
	"a bucket for all users":              {spec: `{publicAccessPrevention: enforced, iam: {bindings: [{role: roles/storage.objectViewer, members: ["user:ada@example.com", allAuthenticatedUsers]}]}}`, sentence: "spec.iam must not list allUsers or allAuthenticatedUsers"},
	"audit configs":                       {spec: `{iam: {auditConfigs: []}}`, sentence: `unknown field "spec.iam.auditConfigs"`},
}

func TestBucketRefusedOnCreate(t *testing.T) {
	for name, tc := range bucketRefusals {
		t.Run(name, func(t *testing.T) {
			expectRefusal(t, create(t, bucketManifest(t, tc.name, tc.spec)), tc.sentence)
		})
	}
}

func TestBucketAcceptedOnCreate(t *testing.T) {
	for name, tc := range map[string]struct{ name, spec string }{
		"nothing at all":                    {},
		"the shortest name":                 {name: "abc"},
		"the longest name":                  {name: strings.Repeat("a", 63)},
		"the longest name with dots":        {spec: `{resourceID: ` + strings.Repeat("abc.", 55) + `ab}`},
		"a name with underscores":           {spec: `{resourceID: my_logs-1.example_2.com}`},
		"numbers and dots but no address":   {spec: `{resourceID: "1.2.3.4.5"}`},
		"a location in lower case":          {spec: `{location: europe-west3}`},
		"data locations in lower case":      {spec: `{location: us, customPlacementConfig: {dataLocations: [us-east1, us-west1]}, rpo: ASYNC_TURBO}`},
		"turbo in a predefined dual-region": {spec: `{location: nam4, rpo: ASYNC_TURBO}`},
		"turbo where the location is unset": {spec: `{rpo: ASYNC_TURBO}`},
		"explicit empties":                  {spec: `{labels: {}, lifecycle: {}, retentionPolicy: {}, cors: [], website: {}, logging: {}, encryption: {}}`},
		"no rules":                          {spec: `{lifecycle: {rules: []}}`},
		"a rule for all objects":            {spec: bucketRule(`{action: {type: Delete}, condition: {age: 0}}`)},
		"days of 0":                         {spec: bucketRule(`{action: {type: Delete}, condition: {age: 30, daysSinceCustomTime: 0, daysSinceNoncurrentTime: 0, numNewerVersions: 0}}`)},
		"a condition of 0 alone":            {spec: bucketRule(`{action: {type: Delete}, condition: {daysSinceNoncurrentTime: 0}}`)},
		"a size alone":                      {spec: bucketRule(`{action: {type: Delete}, condition: {sizeAboveBytes: 0}}`)},
		"a pattern alone":                   {spec: bucketRule(`{action: {type: Delete}, condition: {matchesPattern: "^tmp/"}}`)},
		"a legacy class to match":           {spec: bucketRule(`{action: {type: SetStorageClass, storageClass: NEARLINE}, condition: {age: 9, matchesStorageClass: [MULTI_REGIONAL, STANDARD]}}`)},
		"autoclass and STANDARD":            {spec: `{autoclass: {enabled: true, terminalStorageClass: ARCHIVE}, storageClass: STANDARD, lifecycle: {rules: [{action: {type: Delete}, condition: {age: 1}}]}}`},
		"autoclass off, another class":      {spec: `{autoclass: {enabled: false}, storageClass: ARCHIVE}`},
		"folders":                           {spec: `{hierarchicalNamespace: {enabled: true}, uniformBucketLevelAccess: {enabled: true}, versioning: {enabled: false}, retentionPolicy: {}}`},
		"a lock":                            {spec: `{retentionPolicy: {retentionSeconds: 3155760000, locked: true}}`},
		"soft delete off":                   {spec: `{softDeletePolicy: {retentionSeconds: 0}}`},
		"the bucket's objects too":          {spec: `{deletionPolicy: DeleteWithContents}`},
		"labels in other alphabets":         {spec: `{labels: {größe: "übergroß", 名前: 値, empty: ""}}`},
		"a filter":                          {spec: `{ipFilter: {mode: Enabled, publicNetworkSource: {allowedIPCIDRRanges: [0.0.0.0/0, "::/0", "2001:db8::/32", 192.0.2.128/25, 192.0.2.1/32, 64.0.0.0/2]}, vpcNetworkSources: [{network: projects/p/global/networks/n, allowedIPCIDRRanges: [10.0.0.0/8]}], allowCrossOrgVPCs: true, allowAllServiceAgentAccess: true}}`},
		"a filter that lets nobody in":      {spec: `{ipFilter: {mode: Enabled, publicNetworkSource: {allowedIPCIDRRanges: []}, vpcNetworkSources: []}}`},
		"a project of a domain":             {spec: `{projectID: "example.com:some-project"}`},
		"conditions":                        {spec: `{uniformBucketLevelAccess: {enabled: true}, iam: {bindings: [{role: roles/browser, members: ["user:ada@example.com"], condition: {title: t, expression: "true"}}]}}`},
		"no conditions, but access lists":   {spec: `{uniformBucketLevelAccess: {enabled: false}, iam: {bindings: [{role: roles/browser, members: ["user:ada@example.com"]}]}}`},
		"a public bucket":                   {spec: `{publicAccessPrevention: inherited, iam: {bindings: [{role: roles/storage.objectViewer, members: [allUsers, allAuthenticatedUsers]}]}}`},
		"one that is not public":            {spec: `{publicAccessPrevention: enforced, iam: {bindings: [{role: roles/storage.objectViewer, serviceAccountRefs: [{name: importer}]}, {role: roles/storage.legacyBucketReader, members: ["projectViewer:demo-project"]}]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			expectRefusal(t, create(t, bucketManifest(t, tc.name, tc.spec)), "")
		})
	}
}

// bucketUpdates are edits of a manifest whose status may say how the live bucket is.
var bucketUpdates = map[string]struct{ before, status, after, sentence string }{
	"another resourceID":               {before: `{resourceID: one}`, after: `{resourceID: two}`, sentence: "spec.resourceID is immutable: create a new object for another resource"},
	"resourceID removed":               {before: `{resourceID: one}`, after: `{}`, sentence: "spec.resourceID is immutable"},
	"resourceID added":                 {before: `{}`, after: `{resourceID: one}`, sentence: "spec.resourceID is immutable"},
	"resourceID added as it is":        {before: `{}`, after: `{resourceID: bucket}`},
	"another projectID":                {before: `{projectID: project-one}`, after: `{projectID: project-two}`, sentence: "projectID is immutable: create a new object for another project"},
	"projectID removed":                {before: `{projectID: project-one}`, after: `{}`, sentence: "spec.projectID cannot be removed"},
	"projectID added":                  {before: `{}`, after: `{projectID: project-one}`, sentence: "spec.projectID can be added only if it is the project that the object is bound to already (status.project)"},
	"another projectID added":          {before: `{}`, status: `{project: project-two}`, after: `{projectID: project-one}`, sentence: "spec.projectID can be added only if"},
	"projectID added as it is":         {before: `{}`, status: `{project: project-one}`, after: `{projectID: project-one}`},
	"management and other common ones": {before: `{}`, after: `{management: Approve, adoption: Always, deletionPolicy: DeleteWithContents}`},

	"another location":                 {before: `{location: US}`, after: `{location: EU}`, sentence: "spec.location is immutable: it cannot be changed or removed, and can be added only as it is in Google Cloud (status.location); create a new object for a bucket elsewhere"},
	"another location than live":       {before: `{location: US}`, status: `{location: US}`, after: `{location: EU}`, sentence: "spec.location is immutable"},
	"the location in another case":     {before: `{location: us}`, after: `{location: US}`},
	"the location removed":             {before: `{location: US}`, status: `{location: US}`, after: `{}`, sentence: "spec.location is immutable"},
	"the location added":               {before: `{}`, after: `{location: US}`, sentence: "spec.location is immutable"},
	"another location added":           {before: `{}`, status: `{location: US}`, after: `{location: EU}`, sentence: "spec.location is immutable"},
	"the location added as it is":      {before: `{}`, status: `{location: US}`, after: `{location: us}`},
	"a wrong location put right":       {before: `{location: EU}`, status: `{location: US}`, after: `{location: us}`},
	"other data locations":             {before: `{location: EU, customPlacementConfig: {dataLocations: [EUROPE-WEST1, EUROPE-WEST4]}}`, after: `{location: EU, customPlacementConfig: {dataLocations: [EUROPE-WEST1, EUROPE-WEST3]}}`, sentence: "spec.customPlacementConfig is immutable: it cannot be changed or removed, and can be added only as it is in Google Cloud (status.dataLocations)"},
	"data locations in another order":  {before: `{location: EU, customPlacementConfig: {dataLocations: [EUROPE-WEST1, EUROPE-WEST4]}}`, after: `{location: EU, customPlacementConfig: {dataLocations: [europe-west4, europe-west1]}}`},
	"data locations removed":           {before: `{location: EU, customPlacementConfig: {dataLocations: [EUROPE-WEST1, EUROPE-WEST4]}}`, after: `{location: EU}`, sentence: "spec.customPlacementConfig is immutable"},
	"data locations added":             {before: `{location: EU}`, after: `{location: EU, customPlacementConfig: {dataLocations: [EUROPE-WEST1, EUROPE-WEST4]}}`, sentence: "spec.customPlacementConfig is immutable"},
	"data locations added as they are": {before: `{location: EU}`, status: `{dataLocations: [EUROPE-WEST1, EUROPE-WEST4]}`, after: `{location: EU, customPlacementConfig: {dataLocations: [europe-west4, EUROPE-WEST1]}}`},
	"folders added":                    {before: `{uniformBucketLevelAccess: {enabled: true}}`, after: `{uniformBucketLevelAccess: {enabled: true}, hierarchicalNamespace: {enabled: true}}`, sentence: "spec.hierarchicalNamespace is immutable: it cannot be changed or removed, and can be added only as it is in Google Cloud (status.hierarchicalNamespace)"},
	"folders added where there are":    {before: `{uniformBucketLevelAccess: {enabled: true}}`, status: `{hierarchicalNamespace: true}`, after: `{uniformBucketLevelAccess: {enabled: true}, hierarchicalNamespace: {enabled: true}}`},
	"no folders added where none are":  {before: `{}`, status: `{hierarchicalNamespace: false}`, after: `{hierarchicalNamespace: {enabled: false}}`},
	"folders enabled":                  {before: `{uniformBucketLevelAccess: {enabled: true}, hierarchicalNamespace: {enabled: false}}`, after: `{uniformBucketLevelAccess: {enabled: true}, hierarchicalNamespace: {enabled: true}}`, sentence: "spec.hierarchicalNamespace is immutable"},
	"folders removed":                  {before: `{uniformBucketLevelAccess: {enabled: true}, hierarchicalNamespace: {enabled: true}}`, after: `{uniformBucketLevelAccess: {enabled: true}}`, sentence: "spec.hierarchicalNamespace is immutable"},
	"object retention added":           {before: `{}`, after: `{objectRetention: {mode: Enabled}}`, sentence: "spec.objectRetention is immutable: it cannot be removed, and can be added only as it is in Google Cloud (status.objectRetention)"},
	"object retention added as it is":  {before: `{}`, status: `{objectRetention: Enabled}`, after: `{objectRetention: {mode: Enabled}}`},
	"object retention removed":         {before: `{objectRetention: {mode: Enabled}}`, status: `{objectRetention: Enabled}`, after: `{}`, sentence: "spec.objectRetention is immutable"},
	"immutable fields that stay":       {before: `{location: EU, objectRetention: {mode: Enabled}, hierarchicalNamespace: {enabled: false}}`, after: `{location: EU, objectRetention: {mode: Enabled}, hierarchicalNamespace: {enabled: false}, storageClass: ARCHIVE}`},

	"a retention shortened":              {before: `{retentionPolicy: {retentionSeconds: 20}}`, status: `{retentionPolicyLocked: false}`, after: `{retentionPolicy: {retentionSeconds: 10}}`},
	"a retention removed":                {before: `{retentionPolicy: {retentionSeconds: 20}}`, after: `{}`},
	"a retention locked":                 {before: `{retentionPolicy: {retentionSeconds: 20}}`, after: `{retentionPolicy: {retentionSeconds: 20, locked: true}}`},
	"a locked retention prolonged":       {before: `{retentionPolicy: {retentionSeconds: 20, locked: true}}`, status: `{retentionPolicyLocked: true}`, after: `{retentionPolicy: {retentionSeconds: 30, locked: true}}`},
	"a locked retention shortened":       {before: `{retentionPolicy: {retentionSeconds: 20, locked: true}}`, status: `{retentionPolicyLocked: true}`, after: `{retentionPolicy: {retentionSeconds: 10, locked: true}}`, sentence: "spec.retentionPolicy.retentionSeconds cannot be removed or lowered: the retention policy is permanently locked"},
	"a locked retention removed":         {before: `{retentionPolicy: {retentionSeconds: 20, locked: true}}`, status: `{retentionPolicyLocked: true}`, after: `{}`, sentence: "spec.retentionPolicy is permanently locked: it cannot be removed or unlocked"},
	"a locked retention emptied":         {before: `{retentionPolicy: {retentionSeconds: 20, locked: true}}`, status: `{retentionPolicyLocked: true}`, after: `{retentionPolicy: {}}`, sentence: "spec.retentionPolicy is permanently locked"},
	"a locked retention unlocked":        {before: `{retentionPolicy: {retentionSeconds: 20, locked: true}}`, status: `{retentionPolicyLocked: true}`, after: `{retentionPolicy: {retentionSeconds: 20, locked: false}}`, sentence: "spec.retentionPolicy is permanently locked"},
	"a lock of which nobody knows":       {before: `{retentionPolicy: {retentionSeconds: 20, locked: true}}`, after: `{retentionPolicy: {retentionSeconds: 20}}`, sentence: "spec.retentionPolicy is permanently locked"},
	"a shorter lock of which none knows": {before: `{retentionPolicy: {retentionSeconds: 20, locked: true}}`, after: `{retentionPolicy: {retentionSeconds: 10, locked: true}}`, sentence: "spec.retentionPolicy.retentionSeconds cannot be removed or lowered"},
	"a lock that was only planned":       {before: `{retentionPolicy: {retentionSeconds: 20, locked: true}}`, status: `{retentionPolicyLocked: false}`, after: `{retentionPolicy: {retentionSeconds: 10}}`},
	"somebody else locked it":            {before: `{retentionPolicy: {retentionSeconds: 20}}`, status: `{retentionPolicyLocked: true}`, after: `{retentionPolicy: {retentionSeconds: 10}}`, sentence: "spec.retentionPolicy.retentionSeconds cannot be removed or lowered"},
	"somebody else's lock taken on":      {before: `{retentionPolicy: {retentionSeconds: 20}}`, status: `{retentionPolicyLocked: true}`, after: `{retentionPolicy: {retentionSeconds: 20, locked: true}}`},
	"somebody else's lock denied":        {before: `{retentionPolicy: {retentionSeconds: 20}}`, status: `{retentionPolicyLocked: true}`, after: `{retentionPolicy: {retentionSeconds: 20, locked: false}}`, sentence: "spec.retentionPolicy.locked cannot be false: the retention policy of the bucket is permanently locked"},

	"a bad combination after a good": {before: `{storageClass: NEARLINE}`, after: `{storageClass: NEARLINE, autoclass: {enabled: true}}`, sentence: "spec.storageClass must be STANDARD or left out"},
	"all that may change":            {before: `{labels: {a: b}, versioning: {enabled: true}, website: {notFoundPage: x}, encryption: {defaultKMSKeyName: ` + bucketKey + `}}`, after: `{storageClass: COLDLINE, cors: [], requesterPays: true}`},
}

func TestBucketUpdates(t *testing.T) {
	for name, tc := range bucketUpdates {
		t.Run(name, func(t *testing.T) {
			expectUpdate(t, bucketManifest(t, "", tc.before), tc.status, bucketManifest(t, "", tc.after), tc.sentence)
		})
	}
}

// An object that nobody has looked at says so, and what was explicitly empty or false is still there for Go to see.
func TestBucketDefaultsAndEmpties(t *testing.T) {
	obj := bucketManifest(t, "", `{labels: {}, lifecycle: {rules: []}, retentionPolicy: {}, cors: [], website: {}, logging: {}, encryption: {}, requesterPays: false, softDeletePolicy: {retentionSeconds: 0}, ipFilter: {mode: Disabled, publicNetworkSource: {allowedIPCIDRRanges: []}, vpcNetworkSources: []}}`)
	want := v1alpha1.BucketSpec{
		CommonSpec: commonDefaults,
		Labels:     v1alpha1.Labels{}, Lifecycle: &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{}}, RetentionPolicy: &v1alpha1.RetentionPolicy{},
		CORS: []v1alpha1.CORS{}, Website: &v1alpha1.Website{}, Logging: &v1alpha1.Logging{}, Encryption: &v1alpha1.BucketEncryption{},
		RequesterPays: new(false), SoftDeletePolicy: &v1alpha1.SoftDeletePolicy{RetentionSeconds: new(int64(0))},
		IPFilter: &v1alpha1.IPFilter{
			Mode: v1alpha1.IPFilterDisabled, PublicNetworkSource: &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{}},
			VPCNetworkSources: []v1alpha1.VPCNetworkSource{},
		},
	}
	var got v1alpha1.Bucket
	expectDefaults(t, obj, &got, &got.Spec, want)
}

// The API server installed the rules, so their estimated cost is within the budget; here what they really cost is, too: each
// list has all the items that it may have. Texts are as long as they may be where etcd's limit on an object allows it.
func TestBucketAtItsLargest(t *testing.T) {
	name := strings.Repeat("n", 54) + strings.Repeat("."+strings.Repeat("m", 55), 3)
	rules := make([]string, 100)
	for i := range rules {
		affix := fmt.Sprintf("%s%03d", strings.Repeat("p", 600), i)
		rules[i] = `{action: {type: SetStorageClass, storageClass: DURABLE_REDUCED_AVAILABILITY}, condition: {age: 2147483647, createdBefore: "2026-01-31",
			customTimeBefore: "2026-01-31", daysSinceCustomTime: 2147483647, daysSinceNoncurrentTime: 2147483647, noncurrentTimeBefore: "2026-01-31",
			numNewerVersions: 2147483647, withState: ARCHIVED, matchesStorageClass: [STANDARD, NEARLINE, COLDLINE, ARCHIVE, MULTI_REGIONAL, REGIONAL,
			DURABLE_REDUCED_AVAILABILITY], matchesPrefix: [` + repeated(affix, 5) + `], matchesSuffix: [` + repeated(affix, 5) + `],
			matchesPattern: ` + strings.Repeat("p", 1024) + `, sizeAboveBytes: 5497558138880, sizeBelowBytes: 5497558138880}}`
	}
	cors := `{origin: [` + repeated(strings.Repeat("o", 15), 100) + `], method: [` + repeated("OPTIONS", 20) + `], responseHeader: [` +
		repeated(strings.Repeat("h", 15), 100) + `], maxAgeSeconds: 2147483647}`
	networks := make([]string, 25)
	for i := range networks {
		networks[i] = fmt.Sprintf(`{network: projects/%s/global/networks/%d, allowedIPCIDRRanges: ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"]}`, strings.Repeat("p", 100), i)
	}
	locations := strings.Repeat("a", 31) + "-" + strings.Repeat("b", 30)
	obj := bucketManifest(t, "", `
resourceID: `+name+`
projectID: "`+strings.Repeat("d", 32)+":"+strings.Repeat("p", 30)+`"
deletionPolicy: DeleteWithContents
location: `+strings.Repeat("L", 63)+`
customPlacementConfig: {dataLocations: [`+locations+"1, "+locations+`2]}
storageClass: DURABLE_REDUCED_AVAILABILITY
labels: {`+manyLabels(61, 63)+`}
versioning: {enabled: true}
lifecycle: {rules: [`+strings.Join(rules, ",")+`]}
softDeletePolicy: {retentionSeconds: 7776000}
retentionPolicy: {retentionSeconds: 3155760000, locked: true}
objectRetention: {mode: Enabled}
autoclass: {enabled: false}
rpo: ASYNC_TURBO
hierarchicalNamespace: {enabled: false}
uniformBucketLevelAccess: {enabled: true}
publicAccessPrevention: enforced
cors: [`+repeated(cors, 100)+`]
website: {mainPageSuffix: `+strings.Repeat("m", 1024)+`, notFoundPage: `+strings.Repeat("n", 1024)+`}
logging: {logBucket: `+strings.Repeat("l", 222)+`, logObjectPrefix: `+strings.Repeat("p", 900)+`}
encryption:
  defaultKMSKeyName: projects/`+strings.Repeat("p", 300)+`/locations/l/keyRings/r/cryptoKeys/`+strings.Repeat("k", 150)+`
  googleManagedEncryptionEnforcementConfig: {restrictionMode: FullyRestricted}
  customerManagedEncryptionEnforcementConfig: {restrictionMode: NotRestricted}
  customerSuppliedEncryptionEnforcementConfig: {restrictionMode: FullyRestricted}
ipFilter:
  mode: Enabled
  publicNetworkSource: {allowedIPCIDRRanges: [`+manyRanges(175)+`]}
  vpcNetworkSources: [`+strings.Join(networks, ",")+`]
  allowCrossOrgVPCs: true
  allowAllServiceAgentAccess: true
requesterPays: true
defaultEventBasedHold: true
`)
	setBindings(t, obj, manyBindings(40, 0))
	if err := create(t, obj); err != nil {
		t.Fatalf("creating: %.2000v", err)
	}
	for path, value := range map[string]any{
		"location": strings.Repeat("L", 63), "dataLocations": []any{locations + "1", locations + "2"}, "hierarchicalNamespace": false,
		"objectRetention": "Enabled", "retentionPolicyLocked": true, "project": strings.Repeat("p", 63),
	} {
		if err := unstructured.SetNestedField(obj.Object, value, "status", path); err != nil {
			t.Fatal(err)
		}
	}
	if err := kube.Status().Update(t.Context(), obj); err != nil {
		t.Fatalf("updating the status: %.2000v", err)
	}
	unstructured.RemoveNestedField(obj.Object, "spec", "website")
	if err := kube.Update(t.Context(), obj); err != nil {
		t.Fatalf("updating: %.2000v", err)
	}
}

// repeated writes an item n times, as the inside of a list in YAML.
func repeated(item string, n int) string {
	return strings.TrimSuffix(strings.Repeat(item+",", n), ",")
}

// bucketRule is a spec with one lifecycle rule.
func bucketRule(rule string) string { return `{lifecycle: {rules: [` + rule + `]}}` }

func bucketManifest(t *testing.T, name, spec string) *unstructured.Unstructured {
	t.Helper()
	return specManifest(t, "Bucket", "bucket", name, spec)
}

// manyRanges are so many ranges of addresses, in a list.
func manyRanges(n int) string {
	var ranges []string
	for i := range n {
		ranges = append(ranges, fmt.Sprintf("10.0.%d.0/24", i))
	}
	return strings.Join(ranges, ", ")
}
