package gcp

import "github.com/holdfast-dev/holdfast/internal/kind"

// quota is a rate of calls that Google grants within a scope.
type quota struct {
	// name is what is counted, as in "iam writes for project p".
	name      string
	perSecond float64
}

// perMinute are calls a minute.
func perMinute(name string, calls float64) quota { return quota{name, calls / 60} }

// Google's quotas for every project that has not been granted others. Where Google counts several kinds of calls together, they have the
// same quota here.
var (
	// https://cloud.google.com/iam/quotas: read requests and write requests per project. Creations and deletions are writes, lists are reads.
	iamReads  = perMinute("reads", 6000)
	iamWrites = perMinute("writes", 600)
	// https://cloud.google.com/resource-manager/docs/limits: per API consumer project. Lists have 240 to 600, by what is listed.
	projectReads  = perMinute("reads", 600)
	projectLists  = perMinute("lists", 240)
	projectWrites = perMinute("writes", 600)
	// https://cloud.google.com/asset-inventory/docs/quota: per consumer project. An organization has 800, and 650,000 a day, from all projects.
	assetLists = perMinute("lists", 100)
	// https://cloud.google.com/pubsub/quotas: administrator operations per project.
	pubSubOperations = perMinute("administrator operations", 6000)
	// https://cloud.google.com/storage/quotas: about one creation or deletion of a bucket in two seconds per project, one update of the
	// metadata a second per bucket. Google states no limit of the reads of buckets, nor of the updates of different ones: 50 a second are
	// plenty.
	bucketReads   = quota{"reads of buckets", 50}
	bucketWrites  = quota{"updates of buckets", 50}
	bucketUpdates = quota{"updates", 1}
	bucketCreates = quota{"creations and deletions of buckets", 0.5}
	// https://cloud.google.com/storage/docs/request-rate: a bucket begins with about 1,000 writes of objects a second, deletions included
	// (and 5,000 reads, lists included; one list goes with up to a thousand deletions). It takes more only if the rate grows slowly. No
	// limit is stated for a project, and none for folders.
	bucketsContents = quota{"calls", 1000}
)

// defaultQuotas has what each service counts a call against, by what the call does.
var defaultQuotas = map[kind.Service]map[kind.Quota]quota{
	kind.ServiceIAM: {
		kind.QuotaReads: iamReads, kind.QuotaLists: iamReads, kind.QuotaWrites: iamWrites, kind.QuotaCreates: iamWrites,
	},
	kind.ServiceResourceManager: {
		kind.QuotaReads: projectReads, kind.QuotaLists: projectLists, kind.QuotaWrites: projectWrites,
	},
	kind.ServiceAsset: {kind.QuotaLists: assetLists},
	kind.ServicePubSub: {
		kind.QuotaReads: pubSubOperations, kind.QuotaLists: pubSubOperations, kind.QuotaWrites: pubSubOperations, kind.QuotaCreates: pubSubOperations,
	},
	kind.ServiceStorage: {
		kind.QuotaReads: bucketReads, kind.QuotaLists: bucketReads, kind.QuotaWrites: bucketWrites, kind.QuotaCreates: bucketCreates,
		kind.QuotaContents: bucketsContents,
	},
}

// quotaOf is what a call of a method counts against; ok is false if nobody knows.
func quotaOf(m kind.Method) (q quota, ok bool) {
	q, ok = defaultQuotas[m.Service][m.Step.Quota()]
	return q, ok
}
