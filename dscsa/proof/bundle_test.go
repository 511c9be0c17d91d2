package proof_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/seal"
)

var update = flag.Bool("update", false, "write testdata/vector.json, for a new version of the format")

const vectorFile = "testdata/vector.json"

// vector is a proof that every version of the program must accept, and make
// again byte for byte.
type vector struct {
	LedgerKey  string       `json:"ledger_key"`
	WitnessKey string       `json:"witness_key"`
	Bundle     proof.Bundle `json:"bundle"`
}

func fixedKey(tb testing.TB, name string, purpose seal.Purpose) *seal.Key {
	tb.Helper()
	seed := sha256.Sum256([]byte("a seed everybody knows: " + name))
	public, ok := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	require.True(tb, ok)
	id := sha256.Sum256(append([]byte(name+"\n"+string([]byte{byte(purpose)})), public...))
	key, err := seal.ParseKey(fmt.Sprintf("PRIVATE+KEY+%s+%x+%s", name, id[:4], base64.StdEncoding.EncodeToString(append([]byte{byte(purpose)}, seed[:]...))), purpose)
	require.NoError(tb, err)
	return key
}

type leaves []seal.Hash

func (l leaves) Hashes(_ context.Context, _ int, from, to int64) ([]seal.Hash, error) {
	return l[from:to], nil
}

func makeVector(tb testing.TB, origin func(key string, tenant uuid.UUID) string) []byte {
	tb.Helper()
	tenant := uuid.MustParse("0190a000-0000-7000-8000-000000000001")
	at := time.Date(2026, 11, 25, 12, 0, 0, 123456000, time.UTC)
	prev := sha256.Sum256(append([]byte("recourse custody chain 1\x00"), tenant[:]...))
	var tree leaves
	b := proof.Bundle{Format: proof.BundleFormat, Tenant: tenant, EventID: "urn:uuid:0190a000-0000-7000-8000-0000000000aa", Seq: 3}
	var before [32]byte
	for seq := int64(1); seq <= 5; seq++ {
		kind, content := int16(2), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, 1), uint32(seq-1))
		if seq == 1 {
			kind = 1
		}
		hash := sha256.Sum256(fmt.Appendf(nil, "event %d", seq))
		content = append(append(content, hash[:]...), fmt.Sprintf(
			`{"type":"ObjectEvent","at":"2026-03-01T12:0%d:00Z","zone":"+00:00","id":"urn:uuid:0190a000-0000-7000-8000-0000000000a%c","action":"OBSERVE","step":"shipping","epcs":["urn:epc:id:sgtin:0369999.012345.1"]}`,
			seq, "89abc"[seq-1])...)
		record := proof.Record(seq, at.Add(time.Duration(seq)*time.Second), kind, sha256.Sum256(content))
		if seq == b.Seq {
			b.Record, b.Content, before = record, content, prev
		}
		prev = sha256.Sum256(append(append(prev[:], 0), record...))
		tree = append(tree, seal.Leaf(prev))
	}
	key, w := fixedKey(tb, "books.example/ledger", seal.ForLog), fixedKey(tb, "witness.example/w1", seal.ForWitness)
	c, err := seal.Advance(tb.Context(), tree, origin(key.Name, tenant), 5)
	require.NoError(tb, err)
	signed, err := seal.Sign(c, key)
	require.NoError(tb, err)
	line, err := seal.Cosign(c, w, at)
	require.NoError(tb, err)
	inclusion, err := seal.ProveInclusion(tb.Context(), tree, 5, b.Seq-1)
	require.NoError(tb, err)
	b.Proof = seal.NewProof(before, inclusion, append(signed, line...))
	raw, err := json.MarshalIndent(vector{LedgerKey: key.String(), WitnessKey: w.String(), Bundle: b}, "", "  ")
	require.NoError(tb, err)
	return append(raw, '\n')
}

func ofCustody(key string, tenant uuid.UUID) string { return key + "/" + proof.Name(tenant) }

func readVector(tb testing.TB, raw []byte) (v vector, log, witness seal.PublicKey) {
	tb.Helper()
	require.NoError(tb, json.Unmarshal(raw, &v))
	log, err := seal.ParsePublicKey(v.LedgerKey, seal.ForLog)
	require.NoError(tb, err)
	witness, err = seal.ParsePublicKey(v.WitnessKey, seal.ForWitness)
	require.NoError(tb, err)
	return v, log, witness
}

func TestTheFormatIsWhatItWas(t *testing.T) {
	t.Parallel()
	made := makeVector(t, ofCustody)
	if *update {
		require.NoError(t, os.WriteFile(vectorFile, made, 0o600))
	}
	kept, err := os.ReadFile(vectorFile)
	require.NoError(t, err)
	require.Equal(t, string(kept), string(made))
	v, log, w := readVector(t, kept)
	facts, err := v.Bundle.Verify(log, w)
	require.NoError(t, err)
	require.Equal(t, v.Bundle.EventID, facts.EventID)
	require.Equal(t, "2026-11-25T12:00:03.123456Z", facts.RecordedAt.Format(time.RFC3339Nano))
	require.Equal(t, int64(1), facts.Document)
	require.Equal(t, int32(2), facts.Ordinal)
	require.Equal(t, []string{"witness.example/w1"}, facts.Witnesses)
}

func TestAProofIsOfThisTenantsCustodyAlone(t *testing.T) {
	t.Parallel()
	for name, origin := range map[string]func(string, uuid.UUID) string{
		"a book":         func(key string, tenant uuid.UUID) string { return key + "/" + tenant.String() + "/main" },
		"another tenant": func(key string, _ uuid.UUID) string { return key + "/" + proof.Name(uuid.Nil) },
		"a longer word":  func(key string, tenant uuid.UUID) string { return key + "/no" + proof.Name(tenant) },
	} {
		v, log, _ := readVector(t, makeVector(t, origin))
		_, err := v.Bundle.Verify(log)
		require.ErrorContains(t, err, "not of this tenant's custody", name)
	}
	for origin, ok := range map[string]bool{
		"books.example/ledger/custody/0190a000-0000-7000-8000-000000000001":     true,
		"books.example/ledger/custody/0190A000-0000-7000-8000-000000000001":     false,
		"books.example/ledger/0190a000-0000-7000-8000-000000000001/custody":     false,
		"custody/0190a000-0000-7000-8000-000000000001":                          false,
		"books.example/ledger/custody/{0190a000-0000-7000-8000-000000000001}":   false,
		"books.example/ledger/custody/urn:0190a000-0000-7000-8000-000000000001": false,
		"": false,
	} {
		_, is := proof.TenantOf(origin)
		require.Equal(t, ok, is, origin)
	}
}

func FuzzBundle(f *testing.F) {
	raw, err := os.ReadFile(vectorFile)
	require.NoError(f, err)
	v, log, _ := readVector(f, raw)
	seed, err := json.Marshal(v.Bundle)
	require.NoError(f, err)
	f.Add(seed)
	f.Add(bytes.Replace(seed, []byte(`"seq":3`), []byte(`"seq":4`), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		bundle, err := proof.ParseBundle(b)
		if err != nil {
			return
		}
		if facts, err := bundle.Verify(log); err == nil {
			require.Equal(t, v.Bundle.Content, bundle.Content, "only this event is proved")
			require.Equal(t, v.Bundle.Seq, facts.Seq)
		}
	})
}
