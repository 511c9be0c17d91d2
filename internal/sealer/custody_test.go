package sealer_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/sealer"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// scan records n events of one package after the last one.
func (f fixture) scan(tenant uuid.UUID, after, n int) {
	f.Helper()
	events := make([]epcis.Event, n)
	for i := range events {
		events[i] = dscsatest.Receive(time.Date(2026, 3, 1, 0, after+i, 0, 0, time.UTC), "0860001234107", dscsatest.Unit("1"))
	}
	pool := f.db.Pool("app_worker")
	require.NoError(f, pgtenant.Tx(f.Context(), pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		_, err := custodypg.New(pool).AppendTx(ctx, tx, tenant, custodypg.Batch{Events: events})
		return err
	}))
}

// custody is a tenant's chain as the sealer sees it.
func (f fixture) custody(tenant uuid.UUID) sealpg.Chain {
	f.Helper()
	all, err := custodypg.NewSeals(f.db.Pool("sealer")).All(f.Context())
	require.NoError(f, err)
	for _, c := range all {
		if c.Tenant == tenant {
			return c
		}
	}
	require.FailNow(f, "the tenant has no custody")
	return sealpg.Chain{}
}

func (f fixture) requireCustodySound(kept ...seal.Checkpoint) {
	f.Helper()
	_, found, err := custodypg.New(f.db.Pool("auditor_ro")).Audit(f.Context(), custodypg.Audit{Keys: []seal.PublicKey{f.key.PublicKey}, Kept: kept})
	require.NoError(f, err)
	require.Empty(f, found)
}

func TestCustodyIsSealedKeptAndCosignedAsTheBooksAre(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	w := f.witness("witness.example/w1")
	s := f.sealer(w.Witness)
	mine, theirs := f.db.Tenant(), f.db.Tenant()
	f.post(ledger.Main(mine), 2)
	f.scan(mine, 0, 300)
	f.scan(theirs, 0, 5)
	require.NoError(t, s.Round(t.Context()))
	require.Equal(t, int64(3), s.Sealed.Load(), "a book and two chains of custody")
	require.Equal(t, int64(300), f.custody(mine).Sealed)
	require.NoError(t, s.Round(t.Context()))
	require.Equal(t, int64(3), s.Sealed.Load(), "what is at rest is left alone")

	w.away.Store(true)
	f.scan(mine, 300, 400)
	require.Error(t, s.Round(t.Context()))
	require.Equal(t, int64(700), f.custody(mine).Sealed, "a witness that is away holds nobody up")
	w.away.Store(false)
	require.NoError(t, s.Round(t.Context()))
	for kind, n := range map[string]int{"checkpoint": 2, "cosigned": 2} {
		files, err := filepath.Glob(filepath.Join(f.dir, "custody", mine.String(), "*."+kind))
		require.NoError(t, err)
		require.Len(t, files, n, kind)
	}
	archive, err := sealer.NewArchive(f.dir, false, nil)
	require.NoError(t, err)
	kept, err := archive.Last(f.key.Name+"/"+proof.Name(mine), []seal.PublicKey{f.key.PublicKey})
	require.NoError(t, err)
	f.requireCustodySound(*kept)
	f.requireSound()

	bundle, err := custodypg.New(f.db.Pool("auditor_ro")).Prove(t.Context(), mine, 299)
	require.NoError(t, err)
	facts, err := bundle.Verify(f.key.PublicKey, w.Key)
	require.NoError(t, err)
	require.Equal(t, []string{"witness.example/w1"}, facts.Witnesses)
	require.Equal(t, int64(700), facts.Size)
}

func TestCustodyThatWasForkedIsNotSigned(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	w := f.witness("witness.example/w1")
	tenant := f.db.Tenant()
	f.scan(tenant, 0, 20)
	require.NoError(t, f.sealer(w.Witness).Round(t.Context()))

	// What was sealed is forgotten, and nothing was changed: it is sealed again.
	super := f.db.Super()
	_, err := super.Exec(t.Context(), `do $$ declare t record; begin
		perform guard.open_maintenance('an attack');
		for t in select c.relname from pg_class c where c.relnamespace = 'custody'::regnamespace and c.relkind = 'r' loop
			execute format('alter table custody.%I disable trigger all', t.relname);
		end loop; end $$`)
	require.NoError(t, err)
	forget := `delete from custody.cosignature; delete from custody.checkpoint; `
	_, err = super.Exec(t.Context(), forget)
	require.NoError(t, err)
	s := f.sealer(sealer.NewWitness(w.URL, w.Key))
	require.NoError(t, s.Round(t.Context()))
	require.Equal(t, int64(20), f.custody(tenant).Sealed)

	// Another history: the file kept refuses it, and without the file the witness.
	_, err = super.Exec(t.Context(), forget+`update custody.entry set hash = sha256('x') where seq = 7`)
	require.NoError(t, err)
	s = f.sealer(sealer.NewWitness(w.URL, w.Key))
	require.ErrorIs(t, s.Round(t.Context()), seal.ErrInconsistent)
	require.Zero(t, s.Sealed.Load())
	require.Equal(t, int64(1), s.Refused.Load())
	s.Archive = nil
	require.ErrorIs(t, s.Round(t.Context()), sealer.ErrFork)
	require.Equal(t, int64(2), s.Refused.Load())

	// Cut, and sealed again without a memory: the witness is further.
	_, err = super.Exec(t.Context(), forget+`delete from custody.entry where seq > 10;
		update custody.chain set seq = 10, hash = (select hash from custody.entry where seq = 10)`)
	require.NoError(t, err)
	require.ErrorIs(t, s.Round(t.Context()), sealer.ErrFork)
	require.Equal(t, int64(3), s.Refused.Load())
}

// A custody chain at rest that lost its tail is found in the first round.
func TestCustodyAtRestIsHeldAgainstTheArchive(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	tenant := f.db.Tenant()
	f.scan(tenant, 0, 20)
	require.NoError(t, f.sealer().Round(t.Context()))
	_, err := f.db.Super().Exec(t.Context(), `do $$ begin
		perform guard.open_maintenance('an attack');
		alter table custody.entry disable trigger all;
		alter table custody.chain disable trigger all;
		alter table custody.checkpoint disable trigger all;
		delete from custody.entry where seq > 10;
		delete from custody.checkpoint;
		update custody.chain set seq = 0; end $$`)
	require.NoError(t, err)
	s := f.sealer()
	require.ErrorIs(t, s.Round(t.Context()), seal.ErrInconsistent)
	require.Equal(t, int64(1), s.Refused.Load())
}
