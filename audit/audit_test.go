package audit_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/audit"
	"github.com/recourse/recourse/seal"
)

var someAction = rapid.Custom(func(t *rapid.T) audit.Action {
	text := rapid.StringN(0, 40, 160)
	return audit.Action{
		Seq: rapid.Int64Min(1).Draw(t, "seq"), RecordedAt: time.UnixMicro(rapid.Int64Range(0, 1<<52).Draw(t, "at")).UTC(),
		Actor: text.Draw(t, "actor"), Role: text.Draw(t, "role"), Operation: text.Draw(t, "operation"), Path: text.Draw(t, "path"),
		RequestID: text.Draw(t, "request"), Remote: text.Draw(t, "remote"), Status: rapid.Int32Range(0, 599).Draw(t, "status"),
		Request: sha256.Sum256([]byte(text.Draw(t, "asked"))), Answer: sha256.Sum256([]byte(text.Draw(t, "answered"))),
	}
})

func TestCanonicalBytesReadBackAndTellActionsApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := someAction.Draw(t, "a"), someAction.Draw(t, "b")
		raw := a.AppendCanonical(nil)
		back, err := audit.ParseCanonical(raw)
		require.NoError(t, err)
		require.Equal(t, a, back)
		require.Equal(t, a == b, string(raw) == string(b.AppendCanonical(nil)))
		cut := rapid.IntRange(0, len(raw)-1).Draw(t, "cut")
		_, err = audit.ParseCanonical(raw[:cut])
		require.Error(t, err)
		_, err = audit.ParseCanonical(append(raw, 0))
		require.Error(t, err)
	})
}

func FuzzParseCanonical(f *testing.F) {
	a := audit.Action{Seq: 3, RecordedAt: time.UnixMicro(1).UTC(), Actor: "k", Operation: "o"}
	f.Add(a.AppendCanonical(nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := audit.ParseCanonical(raw)
		if err == nil {
			require.Equal(t, raw, a.AppendCanonical(nil))
		}
	})
}

func TestTheTenantIsReadOutOfAnOrigin(t *testing.T) {
	t.Parallel()
	tenant := uuid.MustParse("0190a000-0000-7000-8000-000000000001")
	got, ok := audit.TenantOf("books.example/ledger/" + audit.Name(tenant))
	require.True(t, ok)
	require.Equal(t, tenant, got)
	for _, origin := range []string{
		"", "/", audit.Name(tenant), "/" + audit.Name(tenant), "books.example/custody/" + tenant.String(), "books.example/" + tenant.String(),
		"books.example/audit/x", "books.example/xaudit/" + tenant.String(), "books.example/audit/" + strings.ToUpper(tenant.String()),
	} {
		_, ok := audit.TenantOf(origin)
		require.False(t, ok, origin)
	}
}

type leaves []seal.Hash

func (l leaves) Hashes(_ context.Context, _ int, from, to int64) ([]seal.Hash, error) {
	return l[from:to], nil
}

func TestABundleProvesItsActionAndNothingElse(t *testing.T) {
	t.Parallel()
	tenant := uuid.New()
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	other, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	var tree leaves
	prev, before := audit.Genesis(tenant), [32]byte{}
	var third audit.Action
	for i := range int64(7) {
		a := audit.Action{Seq: i + 1, RecordedAt: time.UnixMicro(i).UTC(), Actor: "key", Role: "operator", Operation: "placeQuarantine", Path: "/v1/quarantines", Status: 201}
		if a.Seq == 3 {
			third, before = a, prev
		}
		prev = a.Hash(prev)
		tree = append(tree, seal.Leaf(prev))
	}
	bundleOf := func(origin string) audit.Bundle {
		c, err := seal.Advance(t.Context(), tree, origin, 7)
		require.NoError(t, err)
		signed, err := seal.Sign(c, key)
		require.NoError(t, err)
		path, err := seal.ProveInclusion(t.Context(), tree, 7, 2)
		require.NoError(t, err)
		return audit.NewBundle(tenant, &third, seal.NewProof(before, path, signed))
	}
	raw, err := json.Marshal(bundleOf(key.Name + "/" + audit.Name(tenant)))
	require.NoError(t, err)
	b, err := audit.ParseBundle(raw)
	require.NoError(t, err)
	facts, err := b.Verify(key.PublicKey)
	require.NoError(t, err)
	require.Equal(t, "placeQuarantine", facts.Operation)
	require.Equal(t, int64(7), facts.Size)

	_, err = b.Verify(other.PublicKey)
	require.Error(t, err, "another key")
	for i := range b.Record {
		changed := b
		changed.Record = append([]byte{}, b.Record...)
		changed.Record[i] ^= 1
		_, err := changed.Verify(key.PublicKey)
		require.Error(t, err, "byte %d", i)
	}
	wrong := b
	wrong.Tenant = uuid.New()
	_, err = wrong.Verify(key.PublicKey)
	require.ErrorContains(t, err, "not of this tenant's audit log")
	wrong = b
	wrong.Seq = 4
	_, err = wrong.Verify(key.PublicKey)
	require.ErrorContains(t, err, "another action")
	_, err = bundleOf(key.Name + "/custody/" + tenant.String()).Verify(key.PublicKey)
	require.ErrorContains(t, err, "not of this tenant's audit log")
	for _, raw := range []string{"", "{}", `{"format":"recourse-ledger-proof/1"}`} {
		_, err := audit.ParseBundle([]byte(raw))
		require.Error(t, err)
	}
}
