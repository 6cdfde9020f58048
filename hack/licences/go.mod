// The check of licences, and the list of them that the image and the archives have. A
// module of its own: nothing of it reaches the product.
module github.com/holdfast-dev/holdfast/hack/licences

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/google/licensecheck v0.3.1
)
