package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/audit"
	custodyproof "github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/ledger"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/proof"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// prove prints the offline proof of one transaction, of one event of custody, of
// the entry that says that a document is gone, or of one action in the audit log.
func prove(ctx context.Context, std streams, args []string) error {
	what, args, err := verb("prove", args, "transaction", "custody-event", "custody-purge", "action")
	if err != nil {
		return err
	}
	switch what {
	case "custody-event", "custody-purge":
		return proveEntry(ctx, std, what, args)
	case "action":
		return proveAction(ctx, std, args)
	}
	return proveTransaction(ctx, std, args)
}

// proveTransaction reads the database with -database, otherwise the API.
func proveTransaction(ctx context.Context, std streams, args []string) error {
	f := flags(std, "prove transaction")
	api := addAPIFlags(f, "auditor")
	direct := f.Bool("database", false, "read the database as auditor_ro (RECOURSE_DATABASE_URL) instead of asking the API")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("name one transaction: recourse prove transaction txn_…")
	}
	id, err := uuid.Parse(strings.TrimPrefix(rest[0], "txn_"))
	if err != nil {
		return usagef("%q is not the id of a transaction: txn_ and a UUID", rest[0])
	}
	var bundle any
	if *direct {
		bundle, err = proveFromDatabase(ctx, id, readDev(*api.file))
	} else {
		bundle, err = proveFromAPI(ctx, id, api)
	}
	if err != nil {
		return err
	}
	return printBundle(std, bundle)
}

func printBundle(std streams, bundle any) error {
	e := json.NewEncoder(std.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(bundle)
}

func proveFromAPI(ctx context.Context, id uuid.UUID, api apiFlags) (proof.Bundle, error) {
	c, err := api.client()
	if err != nil {
		return proof.Bundle{}, err
	}
	var b proof.Bundle
	return b, c.get(ctx, "/v1/ledger/proofs/txn_"+id.String(), &b)
}

func proveFromDatabase(ctx context.Context, id uuid.UUID, d devFile) (proof.Bundle, error) {
	url, err := auditorURL(d)
	if err != nil {
		return proof.Bundle{}, err
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return proof.Bundle{}, databaseAway(err)
	}
	defer pool.Close()
	store := ledgerpg.New(pool)
	book, err := store.BookOf(ctx, id)
	if err == nil {
		var b proof.Bundle
		if b, err = store.Prove(ctx, book, id); err == nil {
			return b, nil
		}
	}
	if errors.Is(err, ledgerpg.ErrNoTransaction) || errors.Is(err, sealpg.ErrNotSealed) || errors.Is(err, seal.ErrInconsistent) {
		return proof.Bundle{}, err
	}
	return proof.Bundle{}, databaseAway(err)
}

// verifyProof checks a proof with nothing but public keys: no database, no
// network.
func verifyProof(_ context.Context, std streams, args []string) error {
	f := flags(std, "verify-proof")
	key := f.String("key", "", "public key of the sealer, or a file with it")
	output := f.String("output", "table", outputUsage)
	witnesses := publicKeys{purpose: seal.ForWitness}
	f.Func("witness", "public key of a witness that must have co-signed, or a file with it; may stand several times", witnesses.add)
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || *key == "" {
		return usagef("recourse verify-proof BUNDLE -key PUBLIC_KEY [-witness PUBLIC_KEY] (BUNDLE is a file, or - for stdin)")
	}
	log, err := publicKey(*key, seal.ForLog)
	if err != nil {
		return err
	}
	raw, err := readFileOrStdin(rest[0])
	if err != nil {
		return usagef("the bundle cannot be read: %w", err)
	}
	switch formatOf(raw) {
	case custodyproof.BundleFormat:
		return verifyEventProof(std, raw, log, witnesses.keys, *output)
	case audit.BundleFormat:
		return verifyActionProof(std, raw, log, witnesses.keys, *output)
	case custodyproof.DecisionFormat:
		return verifyDecisionProof(std, raw, log, witnesses.keys, *output)
	}
	bundle, err := proof.ParseBundle(raw)
	if err != nil {
		return usageError{err}
	}
	proven, err := bundle.Verify(log, witnesses.keys...)
	if err != nil {
		return fmt.Errorf("NOT PROVED: %w", err)
	}
	facts := proven.Facts()
	s := sheet{Columns: []string{"transaction", "seq", "recorded_at", "purpose", "actor", "account", "debit", "credit", "currency", "layer"}, JSON: facts}
	for _, l := range facts.Lines {
		debit, credit := ledger.FormatAmount(l.Amount, l.Currency), ""
		if l.Side == ledger.Credit {
			debit, credit = "", debit
		}
		s.Rows = append(s.Rows, []string{
			facts.Transaction, fmt.Sprint(facts.Seq), facts.RecordedAt.Format("2006-01-02T15:04:05.000000Z"), facts.Purpose, facts.Actor,
			l.Account, debit, credit, l.Currency, string(l.Layer),
		})
	}
	if err := s.write(std.out, *output); err != nil {
		return err
	}
	return tellProved(std, facts.Seq, facts.Origin, facts.Size, log, facts.Witnesses)
}

// formatOf tells one kind of proof from another.
func formatOf(raw []byte) string {
	var b struct {
		Format string `json:"format"`
	}
	_ = json.Unmarshal(raw, &b) // what is no JSON has no format, and is refused as such
	return b.Format
}

// tellProved says where what was proved stands and who vouches for it.
func tellProved(std streams, seq int64, origin string, size int64, log seal.PublicKey, witnesses []string) error {
	_, err := fmt.Fprintf(std.err, "proved: sequence %d of %s, in the tree of %d that %s signed%s\n", seq, origin, size, log.Name, cosigners(witnesses))
	return err
}

func cosigners(names []string) string {
	if len(names) == 0 {
		return "; no witness was asked for"
	}
	return " and " + strings.Join(names, ", ") + " co-signed"
}

func readFileOrStdin(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, 4<<20))
	}
	return os.ReadFile(name)
}
