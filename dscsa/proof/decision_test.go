package proof_test

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/seal"
)

// ofContent is a bundle whose content stands alone in a chain under the key
// that everybody knows.
func ofContent(tb testing.TB, content []byte) (proof.Bundle, seal.PublicKey) {
	tb.Helper()
	b := proof.Bundle{Format: proof.DecisionFormat, Tenant: uuid.MustParse("0190a000-0000-7000-8000-000000000001"), Seq: 1, Content: content}
	b.Record = proof.Record(1, time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), 3, sha256.Sum256(content))
	before := sha256.Sum256(append([]byte("recourse custody chain 1\x00"), b.Tenant[:]...))
	tree := leaves{seal.Leaf(sha256.Sum256(append(append(before[:], 0), b.Record...)))}
	key := fixedKey(tb, "books.example/ledger", seal.ForLog)
	c, err := seal.Advance(tb.Context(), tree, ofCustody(key.Name, b.Tenant), 1)
	require.NoError(tb, err)
	signed, err := seal.Sign(c, key)
	require.NoError(tb, err)
	b.Proof = seal.NewProof(before, nil, signed)
	return b, key.PublicKey
}

func TestADecisionIsProved(t *testing.T) {
	t.Parallel()
	content := proof.DecisionContent("purged", "Ada", "ordered by entry 9", []byte(`{"order":9}`))
	require.Equal(t, "\x00\x00\x00\x06\x00\x00\x00\x03\x00\x00\x00\x12purgedAdaordered by entry 9{\"order\":9}", string(content), "docs/custody.md gives the bytes")
	b, key := ofContent(t, content)
	facts, err := b.VerifyDecision(key)
	require.NoError(t, err)
	require.Equal(t, []string{"purged", "Ada", "ordered by entry 9", `{"order":9}`}, []string{facts.Kind, facts.Actor, facts.Reason, string(facts.Body)})
	_, err = b.Verify(key)
	require.ErrorContains(t, err, "not the proof of an event")
	b.Seq = 2
	_, err = b.VerifyDecision(key)
	require.ErrorContains(t, err, "another sequence")

	// What was signed and is no decision is refused, however it is cut.
	for _, content := range []string{
		"", "\x00\x00\x00\x01", strings.Repeat("\x00", 12), strings.Repeat("\xff", 12) + "{}", "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", string(content[:len(content)-1]),
	} {
		b, key := ofContent(t, []byte(content))
		_, err := b.VerifyDecision(key)
		require.Error(t, err, "%q", content)
	}
}

func FuzzDecision(f *testing.F) {
	want, key := ofContent(f, proof.DecisionContent("purged", "Ada", "r", []byte(`{}`)))
	seed, err := json.Marshal(want)
	require.NoError(f, err)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := proof.ParseBundle(raw)
		if err != nil {
			return
		}
		if _, err := b.VerifyDecision(key); err == nil {
			require.Equal(t, want.Content, b.Content, "only this decision is proved")
		}
	})
}
