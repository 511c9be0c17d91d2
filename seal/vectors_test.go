package seal_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/proof"
	"github.com/recourse/recourse/seal"
)

var update = flag.Bool("update", false, "write ledger/testdata/vectors.json, for a new version of the format")

const vectorFile = "../ledger/testdata/vectors.json"

// vectors are what docs/ledger-format.md is checked with. Byte strings are hex
// unless the format itself says base64.
type vectors struct {
	Tenant       string        `json:"tenant"`
	Entity       string        `json:"entity"`
	Genesis      string        `json:"genesis"`
	Transactions []vector      `json:"transactions"`
	Roots        []rootVector  `json:"roots"`
	LedgerKey    string        `json:"ledger_key"`
	WitnessKey   string        `json:"witness_key"`
	Checkpoint   string        `json:"checkpoint"`
	Bundle       proof.Bundle  `json:"bundle"`
	Consistency  consistencyIn `json:"consistency"`
}

type vector struct {
	Seq         int64        `json:"seq"`
	RecordedAt  int64        `json:"recorded_at_us"`
	ID          string       `json:"id"`
	Resolves    string       `json:"resolves"`
	Reverses    string       `json:"reverses"`
	ExpiresAt   int64        `json:"expires_at_us"`
	EffectiveOn string       `json:"effective_on"`
	Period      string       `json:"period"`
	Kind        string       `json:"kind"`
	Purpose     string       `json:"purpose"`
	Actor       string       `json:"actor"`
	Reason      string       `json:"reason"`
	SagaID      string       `json:"saga_id"`
	OrderRef    string       `json:"order_ref"`
	Document    string       `json:"document"`
	Approval    string       `json:"approval_id"`
	Lines       []lineVector `json:"lines"`
	Canonical   string       `json:"canonical"`
	Hash        string       `json:"hash"`
	Leaf        string       `json:"leaf"`
}

type lineVector struct {
	Line        int16  `json:"line"`
	Account     string `json:"account"`
	Currency    string `json:"currency"`
	Side        string `json:"side"`
	Layer       string `json:"layer"`
	Amount      int64  `json:"amount"`
	PostedAfter int64  `json:"posted_after"`
	HeldDebits  int64  `json:"held_debits_after"`
	HeldCredits int64  `json:"held_credits_after"`
}

type rootVector struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}

type consistencyIn struct {
	Old   int64    `json:"old"`
	Size  int64    `json:"size"`
	Proof []string `json:"proof"`
}

// fixedKey is a key everybody knows, for the vectors alone.
func fixedKey(t *testing.T, name string, purpose seal.Purpose) *seal.Key {
	t.Helper()
	seed := sha256.Sum256([]byte("a seed everybody knows: " + name))
	public, ok := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	require.True(t, ok)
	id := sha256.Sum256(append([]byte(name+"\n"+string([]byte{byte(purpose)})), public...))
	key, err := seal.ParseKey(fmt.Sprintf("PRIVATE+KEY+%s+%x+%s", name, id[:4], base64.StdEncoding.EncodeToString(append([]byte{byte(purpose)}, seed[:]...))), purpose)
	require.NoError(t, err)
	return key
}

func makeVectors(t *testing.T) []byte {
	t.Helper()
	book := ledger.Book{Tenant: uuid.MustParse("0190a000-0000-7000-8000-000000000001"), Entity: "main"}
	sheet := ledger.Sheet{
		Head: ledger.Head{Hash: book.Genesis()}, Accounts: map[ledger.AccountKey]*ledger.OpenAccount{}, Known: map[uuid.UUID]*ledger.Recorded{},
		Resolved: map[uuid.UUID]bool{}, Reversed: map[uuid.UUID]bool{},
	}
	for i, a := range []ledger.AccountKey{{Code: "1020", Currency: "usd"}, {Code: "2010", Currency: "usd"}, {Code: "1020", Currency: "jpy"}, {Code: "dept:1900_x.y", Currency: "jpy"}} {
		sheet.Accounts[a] = &ledger.OpenAccount{ID: int64(i + 1), Normal: ledger.Debit}
	}
	id := func(n int) uuid.UUID { return uuid.MustParse(fmt.Sprintf("0190a000-0000-7000-8000-0000000001%02d", n)) }
	entries := func(debit, credit, currency string, amount int64) []ledger.Entry {
		return []ledger.Entry{
			{Account: debit, Side: ledger.Debit, Amount: amount, Currency: currency}, {Account: credit, Side: ledger.Credit, Amount: amount, Currency: currency},
		}
	}
	at := time.Date(2026, 11, 24, 22, 0, 0, 123456000, time.UTC)
	v := vectors{Tenant: book.Tenant.String(), Entity: book.Entity, Genesis: hexOf(sheet.Head.Hash[:])}
	tree := &memory{roots: map[[2]int64]seal.Hash{}}
	var all []*ledger.Recorded
	prev := [][32]byte{book.Genesis()}
	for i, x := range []ledger.Transaction{
		{ID: id(1), Kind: ledger.Posted, Purpose: "booking.capture", Actor: "saga", Reason: "captured", SagaID: "sg_1", OrderRef: "A-1001", Document: "pi_1", Entries: entries("1020", "2010", "usd", 150_000)},
		{ID: id(2), Kind: ledger.Pending, Purpose: "booking.hold", Actor: "saga", ExpiresAt: at.AddDate(0, 0, 7), Entries: entries("1020", "2010", "usd", 90_000)},
		{ID: id(3), Kind: ledger.PostPending, Resolves: id(2), Purpose: "booking.capture", Actor: "saga", Entries: entries("1020", "2010", "usd", 45_000)},
		{ID: id(4), Kind: ledger.Posted, Reverses: id(1), Purpose: "booking.refund", Actor: "saga", EffectiveOn: time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC), Entries: entries("2010", "1020", "usd", 150_000)},
		{ID: id(5), Kind: ledger.Posted, Purpose: "manual.correction", Actor: "key_7", Reason: "Übertrag für 旅行 – geprüft", Approval: "apr_1", Entries: entries("dept:1900_x.y", "1020", "jpy", 1<<53-1)},
	} {
		r, result := sheet.Next(x, at.Add(time.Duration(i)*time.Microsecond))
		require.Equal(t, ledger.Created, result.Outcome)
		leaf := seal.Leaf(r.Hash)
		one := vector{
			Seq: r.Seq, RecordedAt: r.RecordedAt.UnixMicro(), ID: r.ID.String(), Resolves: orEmpty(r.Resolves), Reverses: orEmpty(r.Reverses),
			EffectiveOn: r.EffectiveOn.Format(time.DateOnly), Period: r.Period.Format(time.DateOnly), Kind: string(r.Kind), Purpose: r.Purpose, Actor: r.Actor,
			Reason: r.Reason, SagaID: r.SagaID, OrderRef: r.OrderRef, Document: r.Document, Approval: r.Approval,
			Canonical: hexOf(r.AppendCanonical(nil)), Hash: hexOf(r.Hash[:]), Leaf: hexOf(leaf[:]),
		}
		if !r.ExpiresAt.IsZero() {
			one.ExpiresAt = r.ExpiresAt.UnixMicro()
		}
		for _, l := range r.Lines {
			one.Lines = append(one.Lines, lineVector{
				l.Number, l.Account, l.Currency, string(l.Side), string(l.Layer), l.Amount, l.PostedAfter, l.HeldDebitsAfter, l.HeldCreditsAfter,
			})
		}
		tree.leaves = append(tree.leaves, leaf)
		all, prev = append(all, r), append(prev, r.Hash)
		root, err := seal.Root(t.Context(), tree, r.Seq)
		require.NoError(t, err)
		v.Transactions, v.Roots = append(v.Transactions, one), append(v.Roots, rootVector{r.Seq, hexOf(root[:])})
	}
	key, w := fixedKey(t, "books.example/ledger", seal.ForLog), fixedKey(t, "witness.example/w1", seal.ForWitness)
	c, err := seal.Advance(t.Context(), tree, book.Origin(key.Name), 5)
	require.NoError(t, err)
	signed, err := seal.Sign(c, key)
	require.NoError(t, err)
	line, err := seal.Cosign(c, w, at)
	require.NoError(t, err)
	signed = append(signed, line...)
	inclusion, err := seal.ProveInclusion(t.Context(), tree, 5, 2)
	require.NoError(t, err)
	consistent, err := seal.ProveConsistency(t.Context(), tree, 3, 5)
	require.NoError(t, err)
	v.LedgerKey, v.WitnessKey, v.Checkpoint = key.String(), w.String(), string(signed)
	v.Bundle = proof.NewBundle(all[2], seal.NewProof(prev[2], inclusion, signed))
	v.Consistency = consistencyIn{Old: 3, Size: 5}
	for _, h := range consistent {
		v.Consistency.Proof = append(v.Consistency.Proof, h.String())
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	require.NoError(t, e.Encode(v))
	return out.Bytes()
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func orEmpty(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

// The format does not change by accident.
func TestTheFormatIsThePublishedOne(t *testing.T) {
	t.Parallel()
	got := makeVectors(t)
	if *update {
		require.NoError(t, os.WriteFile(vectorFile, got, 0o600))
	}
	want, err := os.ReadFile(vectorFile)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))

	var v vectors
	require.NoError(t, json.Unmarshal(want, &v))
	log, err := seal.ParsePublicKey(v.LedgerKey, seal.ForLog)
	require.NoError(t, err)
	witness, err := seal.ParsePublicKey(v.WitnessKey, seal.ForWitness)
	require.NoError(t, err)
	proven, err := v.Bundle.Verify(log, witness)
	require.NoError(t, err)
	require.Equal(t, v.Transactions[2].Hash, hexOf(proven.Hash[:]))
	for _, x := range v.Transactions {
		raw, err := hex.DecodeString(x.Canonical)
		require.NoError(t, err)
		r, err := ledger.ParseCanonical(raw)
		require.NoError(t, err)
		require.Equal(t, raw, r.AppendCanonical(nil))
		require.Equal(t, x.ID, r.ID.String())
	}
}
