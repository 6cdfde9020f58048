package kind

import (
	"context"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Contents are a sort of what a resource contains, which deletionPolicy: DeleteWithContents deletes before the resource.
type Contents struct {
	// Name is what people call several pieces of it: "object generations".
	Name string
	// Rare says that there is hardly ever any. It is looked for once Google says NotEmpty though nothing else is left.
	Rare bool
	// Deleted is where the pieces are counted that were deleted; nil for nowhere.
	Deleted func(*v1alpha1.DeletionProgress) *int64
	// List lists a page, of at most a thousand pieces, with one call. The page is the next of another page, or empty for the first; next
	// is empty after the last. It is no error if the resource is gone.
	List func(ctx context.Context, page string) (pieces []Piece, next string, err error)
}

// Piece is a piece of contents.
type Piece struct {
	// Name tells it from others of its sort, to people.
	Name string
	// Depth is in how many others it is: those that are in more go first.
	Depth int
	// Kept is why it cannot be deleted now; nil if it can.
	Kept *Kept
	// Delete deletes it with one call, on condition that it is still the one that was listed. It is no error if it is gone already. An
	// error of class Retained, NotEmpty, Invalid or Denied is about this piece, and says nothing of others.
	Delete func(ctx context.Context) error
}

// Kept is why contents cannot be deleted now.
type Kept struct {
	// Why follows the name of the contents: "under a temporary hold". It is the same for all that are kept for the same reason.
	Why string
	// Advice says what a person can do about it; empty for nothing.
	Advice string
	// Until is when it ends without anybody's doing; zero if it does not, or nobody knows.
	Until time.Time
	// Leaving says that Google deletes it, in its own time.
	Leaving bool
}
