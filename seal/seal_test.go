package seal_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/proof"
	"github.com/recourse/recourse/seal"
)

// memory is a tree in memory, kept as storage keeps it: full tiles, and leaves.
type memory struct {
	leaves []seal.Hash
	roots  map[[2]int64]seal.Hash // level of the tile, index
	tiles  int
}

func grow(n int, salt string) *memory {
	m := &memory{roots: map[[2]int64]seal.Hash{}}
	var t seal.Tiler
	for i := range n {
		leaf := seal.Leaf(sha256.Sum256(fmt.Appendf(nil, "%s %d", salt, i)))
		m.leaves = append(m.leaves, leaf)
		for _, full := range t.Append(leaf) {
			m.roots[[2]int64{int64(full.Level), full.Index}] = full.Root
			m.tiles++
		}
	}
	return m
}

func (m *memory) Hashes(_ context.Context, level int, from, to int64) ([]seal.Hash, error) {
	if level == 0 {
		return m.leaves[from:to], nil
	}
	var out []seal.Hash
	for i := from; i < to; i++ {
		h, ok := m.roots[[2]int64{int64(level - 1), i}]
		if !ok {
			return nil, fmt.Errorf("no tile %d of level %d", i, level-1)
		}
		out = append(out, h)
	}
	return out, nil
}

// reference is the tree as tlog itself stores it.
type reference []tlog.Hash

func (r *reference) add(leaf tlog.Hash, n int64) error {
	hashes, err := tlog.StoredHashesForRecordHash(n, leaf, r)
	*r = append(*r, hashes...)
	return err
}

func (r *reference) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, (*r)[i])
	}
	return out, nil
}

func TestTheTreeIsRFC6962s(t *testing.T) {
	t.Parallel()
	const n = 70_000 // one tile of level 1 and more
	m := grow(n, "a")
	require.Equal(t, n/256+1, m.tiles)
	var ref reference
	var f seal.Frontier
	for i, leaf := range m.leaves {
		require.NoError(t, ref.add(leaf, int64(i)))
		f.Append(leaf)
		if size := int64(i + 1); size < 600 && size%7 == 0 || size%9973 == 0 || size == n || size == 65_536 {
			want, err := tlog.TreeHash(size, &ref)
			require.NoError(t, err)
			require.Equal(t, want, f.Root())
			got, err := seal.Root(t.Context(), m, size)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
}

func TestProofsHoldAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	m, forged := grow(3000, "a"), grow(3000, "b")
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.Int64Range(1, 3000).Draw(rt, "size")
		old := rapid.Int64Range(0, size).Draw(rt, "old")
		index := rapid.Int64Range(0, size-1).Draw(rt, "index")
		at := func(from *memory, n int64) seal.Checkpoint {
			r, err := seal.Root(t.Context(), from, n)
			require.NoError(rt, err)
			return seal.Checkpoint{Origin: "o", Size: n, Root: r}
		}
		inclusion, err := seal.ProveInclusion(t.Context(), m, size, index)
		require.NoError(rt, err)
		require.NoError(rt, tlog.CheckRecord(inclusion, size, at(m, size).Root, index, m.leaves[index]))
		require.Error(rt, tlog.CheckRecord(inclusion, size, at(m, size).Root, index, forged.leaves[index]))

		consistency, err := seal.ProveConsistency(t.Context(), m, old, size)
		require.NoError(rt, err)
		require.NoError(rt, seal.CheckConsistency(consistency, at(m, old), at(m, size)))
		if old > 0 {
			require.ErrorIs(rt, seal.CheckConsistency(consistency, at(forged, old), at(m, size)), seal.ErrInconsistent)
			_, err := seal.Advance(t.Context(), m, "o", size, at(forged, old))
			require.ErrorIs(rt, err, seal.ErrInconsistent)
			_, err = seal.Advance(t.Context(), m, "o", old-1, at(m, old))
			require.ErrorIs(rt, err, seal.ErrInconsistent, "a tree that shrank")
		}
		next, err := seal.Advance(t.Context(), m, "o", size, at(m, old))
		require.NoError(rt, err)
		require.Equal(rt, at(m, size), next)
	})
}

func TestCheckpointsAreSignedNotes(t *testing.T) {
	t.Parallel()
	book := ledger.Book{Tenant: uuid.New(), Entity: "main"}
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	c := seal.Checkpoint{Origin: book.Origin(key.Name), Size: 3, Root: seal.Leaf([32]byte{1})}
	signed, err := seal.Sign(c, key)
	require.NoError(t, err)

	t.Run("which x/mod's verifier takes", func(t *testing.T) {
		t.Parallel()
		v, err := note.NewVerifier(key.For(c.Origin).String())
		require.NoError(t, err)
		n, err := note.Open(signed, note.VerifierList(v))
		require.NoError(t, err)
		require.Equal(t, c.Text(), n.Text)
	})
	t.Run("and ours", func(t *testing.T) {
		t.Parallel()
		got, err := seal.Open(signed, key.PublicKey)
		require.NoError(t, err)
		require.Equal(t, c, got.Checkpoint)
	})
	t.Run("no other key", func(t *testing.T) {
		t.Parallel()
		other, err := seal.NewKey(key.Name, seal.ForLog)
		require.NoError(t, err)
		_, err = seal.Open(signed, other.PublicKey)
		require.Error(t, err)
	})
	t.Run("no other name", func(t *testing.T) {
		t.Parallel()
		stranger := key.PublicKey
		stranger.Name = "books.example/led"
		_, err := seal.Open(signed, stranger)
		require.ErrorContains(t, err, "does not sign for")
	})
	t.Run("no changed byte", func(t *testing.T) {
		t.Parallel()
		for i := range signed {
			b := append([]byte(nil), signed...)
			b[i] ^= 1
			got, err := seal.Open(b, key.PublicKey)
			if err == nil { // base64 has spare bits at its end
				require.Equal(t, c, got.Checkpoint, "byte %d", i)
			}
		}
	})
	t.Run("witnesses add to them", func(t *testing.T) {
		t.Parallel()
		w, err := seal.NewKey("witness.example/w1", seal.ForWitness)
		require.NoError(t, err)
		at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		line, err := seal.Cosign(c, w, at)
		require.NoError(t, err)
		both := append(append([]byte(nil), signed...), line...)
		got, err := seal.Open(both, key.PublicKey, w.PublicKey)
		require.NoError(t, err)
		require.Equal(t, []seal.Cosignature{{Name: w.Name, Time: at, Line: line}}, got.Cosigned)
		got, err = seal.Open(both, key.PublicKey)
		require.NoError(t, err)
		require.Empty(t, got.Cosigned, "a witness nobody asked for is ignored")
		_, err = seal.Open([]byte(c.Text()+"\n"+line), key.PublicKey, w.PublicKey)
		require.ErrorContains(t, err, "not signed by the key")
	})
}

func TestKeysSurviveTheirText(t *testing.T) {
	t.Parallel()
	for _, purpose := range []seal.Purpose{seal.ForLog, seal.ForWitness} {
		k, err := seal.NewKey("a.example/b", purpose)
		require.NoError(t, err)
		again, err := seal.ParseKey(k.Secret()+"\n", purpose)
		require.NoError(t, err)
		require.Equal(t, k, again)
		public, err := seal.ParsePublicKey(k.String(), purpose)
		require.NoError(t, err)
		require.Equal(t, k.PublicKey, public)
		_, err = seal.ParsePublicKey(k.String(), purpose^5)
		require.ErrorContains(t, err, "something else")
		_, err = seal.ParsePublicKey(k.Secret(), purpose)
		require.ErrorContains(t, err, "private")
		require.NotContains(t, err.Error(), k.Secret())
		_, err = seal.ParsePublicKey(strings.Replace(k.String(), "a.example", "c.example", 1), purpose)
		require.Error(t, err)
	}
	_, err := seal.NewKey("has space", seal.ForLog)
	require.Error(t, err)
}

func TestSubmissionsSurviveTheirText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := seal.Submission{Old: rapid.Int64Range(0, 1<<40).Draw(rt, "old"), Signed: []byte("a\n1\nb\n\n— x y\n")}
		for range rapid.IntRange(0, 63).Draw(rt, "proof") {
			s.Proof = append(s.Proof, seal.Leaf([32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "hash"))))
		}
		again, err := seal.ParseSubmission(s.Bytes())
		require.NoError(rt, err)
		require.Equal(rt, s, again)
	})
	for _, bad := range []string{"", "old 1\n", "old 01\n\nx", "old -1\n\nx", "new 1\n\nx", "old 1\nnot base64\n\nx", "old 1\n" + strings.Repeat("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 64) + "\nx"} {
		_, err := seal.ParseSubmission([]byte(bad))
		require.ErrorIs(t, err, seal.ErrSubmission, bad)
	}
}

// A chain of n transactions with its tree.
func chain(n int) (*memory, []*ledger.Recorded, [][32]byte) {
	m := &memory{roots: map[[2]int64]seal.Hash{}}
	var all []*ledger.Recorded
	prev := [][32]byte{ledger.Main(uuid.Nil).Genesis()}
	var t seal.Tiler
	var buf []byte
	for i := range n {
		id := uuid.UUID{}
		binary.BigEndian.PutUint64(id[8:], uint64(i+1))
		e := ledger.Entry{Account: "1020", Side: ledger.Debit, Amount: int64(i + 1), Currency: "usd"}
		r := &ledger.Recorded{
			Transaction: ledger.Transaction{ID: id, Kind: ledger.Posted, Purpose: "test", Actor: "saga", Reason: "äöü", EffectiveOn: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)},
			Seq:         int64(i + 1), RecordedAt: time.UnixMicro(int64(i) + 1).UTC(), Period: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		}
		c := e
		c.Account, c.Side = "2010", ledger.Credit
		r.WithLines([]ledger.Line{{Entry: e, Number: 1, Layer: ledger.LayerPosted, PostedAfter: 5}, {Entry: c, Number: 2, Layer: ledger.LayerPosted, PostedAfter: -5}})
		r.Hash, buf = r.ChainHash(prev[i], buf)
		all, prev = append(all, r), append(prev, r.Hash)
		leaf := seal.Leaf(r.Hash)
		m.leaves = append(m.leaves, leaf)
		for _, full := range t.Append(leaf) {
			m.roots[[2]int64{int64(full.Level), full.Index}] = full.Root
		}
	}
	return m, all, prev
}

func TestABundleProvesItsTransactionAndNothingElse(t *testing.T) {
	t.Parallel()
	m, all, prev := chain(1000)
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	w, err := seal.NewKey("witness.example/w1", seal.ForWitness)
	require.NoError(t, err)
	c, err := seal.Advance(t.Context(), m, ledger.Main(uuid.Nil).Origin(key.Name), 1000)
	require.NoError(t, err)
	signed, err := seal.Sign(c, key)
	require.NoError(t, err)
	line, err := seal.Cosign(c, w, time.Unix(1_800_000_000, 0))
	require.NoError(t, err)
	inclusion, err := seal.ProveInclusion(t.Context(), m, 1000, 499)
	require.NoError(t, err)
	raw, err := json.Marshal(proof.NewBundle(all[499], seal.NewProof(prev[499], inclusion, append(signed, line...))))
	require.NoError(t, err)

	b, err := proof.ParseBundle(raw)
	require.NoError(t, err)
	got, err := b.Verify(key.PublicKey, w.PublicKey)
	require.NoError(t, err)
	want := *all[499]
	want.Hash = [32]byte{}
	require.Equal(t, &want, got.Record)
	require.Equal(t, all[499].Hash, got.Hash)
	require.Equal(t, int64(500), got.Facts().Seq)
	require.Equal(t, []string{w.Name}, got.Facts().Witnesses)

	for name, change := range map[string]func(b *proof.Bundle){
		"an amount":           func(b *proof.Bundle) { b.Record[len(b.Record)-30]++ },
		"a text":              func(b *proof.Bundle) { b.Record = []byte(strings.Replace(string(b.Record), "saga", "SAGA", 1)) },
		"a byte more":         func(b *proof.Bundle) { b.Record = append(b.Record, 0) },
		"the hash before":     func(b *proof.Bundle) { b.Previous[0]++ },
		"a short hash before": func(b *proof.Bundle) { b.Previous = b.Previous[1:] },
		"the proof":           func(b *proof.Bundle) { b.Inclusion[2][0]++ },
		"a shorter proof":     func(b *proof.Bundle) { b.Inclusion = b.Inclusion[1:] },
		"another sequence":    func(b *proof.Bundle) { b.Seq++ },
		"another id":          func(b *proof.Bundle) { b.Transaction = uuid.NewString() },
		"the root":            func(b *proof.Bundle) { b.Checkpoint = strings.Replace(b.Checkpoint, "\n1000\n", "\n1001\n", 1) },
		"no cosignature":      func(b *proof.Bundle) { b.Checkpoint = strings.TrimSuffix(b.Checkpoint, line) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := proof.ParseBundle(raw)
			require.NoError(t, err)
			change(&b)
			_, err = b.Verify(key.PublicKey, w.PublicKey)
			require.Error(t, err)
		})
	}
}

func TestCanonicalBytesReadBack(t *testing.T) {
	t.Parallel()
	_, all, _ := chain(3)
	b := all[2].AppendCanonical(nil)
	r, err := ledger.ParseCanonical(b)
	require.NoError(t, err)
	require.Equal(t, b, r.AppendCanonical(nil))
	for n := range b {
		r, err := ledger.ParseCanonical(b[:n])
		if err == nil { // it ended between two lines
			require.Equal(t, b[:n], r.AppendCanonical(nil))
		}
	}
}
