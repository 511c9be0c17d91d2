package seal_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/proof"
	"github.com/recourse/recourse/seal"
)

func readVectors(tb testing.TB) (v vectors, raw []byte) {
	tb.Helper()
	raw, err := os.ReadFile(vectorFile)
	require.NoError(tb, err)
	require.NoError(tb, json.Unmarshal(raw, &v))
	return v, raw
}

// What strangers send is read without harm, and only one text means one thing.

func FuzzCanonicalBytes(f *testing.F) {
	v, _ := readVectors(f)
	for _, x := range v.Transactions {
		b, err := hex.DecodeString(x.Canonical)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ledger.ParseCanonical(b); err == nil {
			require.Equal(t, b, r.AppendCanonical(nil))
		}
	})
}

func FuzzSubmission(f *testing.F) {
	v, _ := readVectors(f)
	f.Add(seal.Submission{Old: 3, Proof: []seal.Hash{{1}, {2}}, Signed: []byte(v.Checkpoint)}.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := seal.ParseSubmission(b); err == nil {
			require.Equal(t, b, s.Bytes())
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	v, _ := readVectors(f)
	log, err := seal.ParsePublicKey(v.LedgerKey, seal.ForLog)
	require.NoError(f, err)
	witness, err := seal.ParsePublicKey(v.WitnessKey, seal.ForWitness)
	require.NoError(f, err)
	f.Add([]byte(v.Checkpoint))
	f.Fuzz(func(t *testing.T, b []byte) {
		opened, err := seal.Open(b, log, witness)
		if err != nil {
			return
		}
		c, err := seal.Peek([]byte(v.Checkpoint))
		require.NoError(t, err)
		require.Equal(t, c, opened.Checkpoint, "nobody but the key makes another")
	})
}

func FuzzBundle(f *testing.F) {
	v, _ := readVectors(f)
	log, err := seal.ParsePublicKey(v.LedgerKey, seal.ForLog)
	require.NoError(f, err)
	raw, err := json.Marshal(v.Bundle)
	require.NoError(f, err)
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		bundle, err := proof.ParseBundle(b)
		if err != nil {
			return
		}
		if proven, err := bundle.Verify(log); err == nil {
			require.Equal(t, v.Bundle.Record, proven.Record.AppendCanonical(nil), "only this record is proved")
		}
	})
}
