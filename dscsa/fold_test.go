package dscsa_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
)

// numbering gives items numbers in the order in which they are asked for.
type numbering map[string]int64

func (n numbering) of(s string) int64 {
	key, _ := dscsa.KeyOf(s)
	if n[key] == 0 {
		n[key] = int64(len(n) + 1)
	}
	return n[key]
}

func (n numbering) facts(events []epcis.Event) []dscsa.Fact {
	out := make([]dscsa.Fact, len(events))
	for i := range events {
		e := events[i]
		f := dscsa.FactOf(&e)
		f.Seq = int64(i + 1)
		e.Error = nil
		f.Hash = sha256.Sum256(fmt.Appendf(nil, "%+v", e))
		if e.Parent != "" {
			f.Parent = n.of(e.Parent)
		}
		for _, s := range e.EPCs {
			f.Members = append(f.Members, n.of(s))
		}
		out[i] = f
	}
	return out
}

var seen = cmpopts.IgnoreUnexported(dscsa.Standing{})

func all(b *dscsa.Book, n numbering) map[string]dscsa.Standing {
	out := map[string]dscsa.Standing{}
	for key, id := range n {
		if s := b.Of(id); s != nil {
			x := *s
			slices.Sort(x.Holds)
			out[key] = x
		}
	}
	return out
}

// Where things stand depends on the set of facts, not on their order.
func TestFoldDependsOnTheSetOfFactsAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := numbering{}
		facts := n.facts(dscsatest.Chain(rapid.IntRange(8, 40).Draw(t, "events"), func(k int) int { return rapid.IntRange(0, k-1).Draw(t, "next") }))
		want := all(dscsa.Fold(facts), n)
		got := all(dscsa.Fold(rapid.Permutation(facts).Draw(t, "order")), n)
		require.Empty(t, cmp.Diff(want, got, seen))
	})
}

// On top of what is known, later facts lead where all of them lead; what is
// not later says so.
func TestApplyingLaterFactsIsFoldingAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := numbering{}
		var facts []dscsa.Fact
		for _, f := range n.facts(dscsatest.Chain(rapid.IntRange(8, 40).Draw(t, "events"), func(k int) int { return rapid.IntRange(0, k-1).Draw(t, "next") })) {
			if !f.Declared {
				facts = append(facts, f)
			}
		}
		cut := rapid.IntRange(1, len(facts)-1).Draw(t, "cut")
		known := dscsa.Fold(facts[:cut])
		base := dscsa.NewBook(len(n))
		before := all(known, n)
		for key, s := range before {
			base.Put(n[key], &s)
		}
		err := base.Apply(facts[cut:])
		if errors.Is(err, dscsa.ErrLate) {
			return // the store folds all facts then
		}
		require.NoError(t, err)
		want := all(dscsa.Fold(facts), n)
		got := all(base, n)
		for key, s := range got {
			// Put forgets the hops it was given.
			s.Fresh = append(slices.Clone(before[key].Fresh), s.Fresh...)
			got[key] = s
		}
		require.Empty(t, cmp.Diff(want, got, seen, cmpopts.EquateEmpty()))
	})
}

// Whatever is claimed, an item has one owner, and each owner had it from the
// one before.
func TestHopsNeverFork(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := numbering{}
		facts := n.facts(dscsatest.Chain(rapid.IntRange(8, 60).Draw(t, "events"), func(k int) int { return rapid.IntRange(0, k-1).Draw(t, "next") }))
		book := dscsa.Fold(facts)
		for _, key := range slices.Sorted(maps.Keys(n)) {
			s := book.Of(n[key])
			if s == nil {
				continue
			}
			require.Len(t, s.Fresh, int(s.Hops), key)
			for i, h := range s.Fresh {
				require.Equal(t, int32(i+1), h.Number)
				require.NotEqual(t, h.From, h.To)
				if i > 0 {
					require.Equal(t, s.Fresh[i-1].To, h.From, key)
					require.False(t, h.At.Before(s.Fresh[i-1].At))
				}
			}
			if s.Hops > 0 {
				require.Equal(t, s.Fresh[s.Hops-1].To, s.Owner, key)
			}
		}
	})
}
