package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// A batch whose predecessor ends between its look at the head and the next is
// taken all the same. To be refused then would cost no money, but every other
// trip of a busy writer would go twice.
func TestTheDoorTakesABatchWhosePredecessorHasJustEnded(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	ctx := t.Context()
	// The head's update of a session that asks for it stops after its snapshot was taken.
	const gate = 7_264
	_, err := h.super.Exec(ctx, `select guard.open_maintenance('a test'); 
		create function public.wait_at_the_head() returns trigger language plpgsql as $$
		begin
		  if current_setting('test.wait', true) = 'yes' then
		    perform set_config('test.wait', 'no', true), pg_advisory_xact_lock_shared(7264);
		  end if;
		  return null;
		end $$;
		create trigger book_a_gate before update on ledger.book for each statement execute function public.wait_at_the_head();`)
	require.NoError(t, err)

	var head ledger.Head
	var recorded []*ledger.Recorded
	tx, err := h.pool.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, h.book.Tenant.String())
	require.NoError(t, err)
	head, recorded, _, err = h.store.Compute(ctx, tx, h.book, []ledger.Transaction{
		ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 100),
		ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 30),
	})
	require.NoError(t, err)
	require.NoError(t, tx.Rollback(ctx))
	after := head
	after.Seq, after.Hash, after.RecordedAt = recorded[0].Seq, recorded[0].Hash, recorded[0].RecordedAt

	call := func(tx pgx.Tx, wait string, head ledger.Head, recorded []*ledger.Recorded) error {
		if _, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true), set_config('test.wait', $2, true)`, h.book.Tenant.String(), wait); err != nil {
			return err
		}
		args, err := postgres.DoorRows(ctx, tx.Conn(), h.book, head, recorded)
		if err != nil {
			return err
		}
		_, err = tx.Conn().PgConn().ExecParams(ctx, postgres.Door, args, nil, []int16{1}, nil).Close()
		return err
	}
	first, err := h.pool.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = first.Rollback(context.WithoutCancel(ctx)) }()
	require.NoError(t, call(first, "no", head, recorded[:1]))

	guard, err := h.super.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = guard.Rollback(context.WithoutCancel(ctx)) }()
	_, err = guard.Exec(ctx, `select pg_advisory_xact_lock($1)`, gate)
	require.NoError(t, err)
	second := make(chan error, 1)
	go func() {
		second <- pgx.BeginFunc(ctx, h.pool, func(tx pgx.Tx) error { return call(tx, "yes", after, recorded[1:]) })
	}()
	require.Eventually(t, func() bool {
		var waiting bool
		err := h.super.QueryRow(ctx, `select exists (select from pg_locks where locktype = 'advisory' and objid = $1 and not granted)`, gate).Scan(&waiting)
		return err == nil && waiting
	}, time.Minute, 5*time.Millisecond)
	require.NoError(t, first.Commit(ctx))
	require.NoError(t, guard.Rollback(ctx))
	require.NoError(t, <-second)
	requireSound(t, h.db)
}
