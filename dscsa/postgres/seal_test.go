package postgres_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

func logKey(tb testing.TB) *seal.Key {
	tb.Helper()
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(tb, err)
	return key
}

// seal makes the tenant's next checkpoint and returns it as it is kept outside.
func (c *custody) seal(tb testing.TB, key *seal.Key) seal.Checkpoint {
	tb.Helper()
	seals := postgres.NewSeals(c.db.Pool("sealer"))
	due, err := seals.Due(tb.Context(), nil)
	require.NoError(tb, err)
	for _, d := range due {
		if d.Tenant == c.tenant {
			next, _, put, err := seals.Seal(tb.Context(), d, key)
			require.NoError(tb, err)
			require.True(tb, put)
			return next
		}
	}
	require.FailNow(tb, "nothing is due")
	return seal.Checkpoint{}
}

func (c *custody) audit(tb testing.TB, a postgres.Audit) ([]postgres.ChainReport, []postgres.Finding) {
	tb.Helper()
	reports, found, err := postgres.New(c.db.Pool("auditor_ro")).Audit(tb.Context(), a)
	require.NoError(tb, err)
	return reports, found
}

// attack is what a superuser can do who takes the guards away.
func (c *custody) attack(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	_, err := c.db.Super().Exec(tb.Context(), `do $$ declare t record; begin
		perform guard.open_maintenance('an attack');
		for t in select c.relname from pg_class c where c.relnamespace = 'custody'::regnamespace and c.relkind = 'r' loop
			execute format('alter table custody.%I disable trigger all', t.relname);
		end loop; end $$`)
	require.NoError(tb, err)
	_, err = c.db.Super().Exec(tb.Context(), sql, args...)
	require.NoError(tb, err)
}

// chainAgain makes the chain of one tenant follow from the facts as they are
// now: what a careful forger does.
const chainAgain = `do $$ declare
	c custody.chain; e record; prev bytea; said bytea;
begin
	select * into c from custody.chain where tenant_id = 'TENANT';
	prev := c.genesis;
	for e in select * from custody.entry where chain_id = c.id order by seq loop
		select coalesce((select custody.document_content(d) from custody.document d where d.chain_id = c.id and d.seq = e.seq),
		                (select custody.decision_content(d) from custody.decision d where d.chain_id = c.id and d.seq = e.seq),
		                (select sha256(int8send(v.document) || int4send(v.ordinal) || v.hash || v.body) from custody.event v where v.chain_id = c.id and v.seq = e.seq))
		  into said;
		prev := sha256(prev || '\x0001' || int8send(e.seq) || int8send((extract(epoch from e.recorded_at) * 1000000)::bigint) || int2send(e.kind) || said);
		update custody.entry set content = said, hash = prev where chain_id = c.id and seq = e.seq;
		update custody.chain set seq = e.seq, hash = prev, recorded_at = e.recorded_at where id = c.id;
	end loop;
end $$`

func (c *custody) forge(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	c.attack(tb, sql, args...)
	c.attack(tb, strings.ReplaceAll(chainAgain, "TENANT", c.tenant.String()))
	c.verify(tb) // all that is in the database agrees with itself
}

// scanned is a document of n events of one package, after those so far.
func (c *custody) scanned(tb testing.TB, after, n int) {
	tb.Helper()
	var d document
	for i := range n {
		d.events = append(d.events, dscsatest.Receive(began.Add(time.Duration(after+i)*time.Hour), wholesaler, dscsatest.Unit("S")))
	}
	c.record(tb, doc("scans", d.events...), dscsa.Accept)
}

func (c *custody) legalHold(tb testing.TB) (seq int64) {
	tb.Helper()
	require.NoError(tb, c.tx(tb, func(ctx context.Context, tx pgx.Tx) (err error) {
		h, err := c.store.LegalHoldTx(ctx, tx, c.tenant, 0, "Cy Counsel", "subpoena 12")
		seq = h.ID
		return err
	}))
	return seq
}

func TestCustodyIsHeldAgainstWhatWasSealed(t *testing.T) {
	t.Parallel()
	c, key := setup(t), logKey(t)
	c.scanned(t, 0, 600)
	first := c.seal(t, key)
	require.Equal(t, key.Name+"/custody/"+c.tenant.String(), first.Origin)
	require.Equal(t, int64(601), first.Size)
	c.record(t, stocked(20), dscsa.Accept)
	last := c.seal(t, key)
	other := c.another()
	other.record(t, stocked(10), dscsa.Accept) // sealed by nobody yet

	reports, found := c.audit(t, postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}, Kept: []seal.Checkpoint{first, last}})
	require.Empty(t, found)
	require.Len(t, reports, 2)
	require.Equal(t, int64(2), reports[0].Checkpoints)
	require.Equal(t, last.Size, reports[0].Entries)

	_, _, err := c.store.Audit(t.Context(), postgres.Audit{})
	require.ErrorIs(t, err, postgres.ErrSeesNotAll, "who sees nothing must not find it sound")

	// A stranger's signature, and the same chain's under another tenant's name.
	_, found = c.audit(t, postgres.Audit{Keys: []seal.PublicKey{logKey(t).PublicKey}})
	require.Len(t, found, 2)
	gone := seal.Checkpoint{Origin: key.Name + "/" + proof.Name(uuid.New()), Size: 1}
	_, found = c.audit(t, postgres.Audit{Kept: []seal.Checkpoint{gone}})
	require.Len(t, found, 1)
	require.Contains(t, found[0].Detail, "is not there")

	c.attack(t, `update custody.tile set hashes = set_byte(hashes, 32 * 7, get_byte(hashes, 32 * 7) # 1) where index = 1`)
	_, found = c.audit(t, postgres.Audit{})
	require.Equal(t, int64(256+8), found[0].Seq, found)
	c.attack(t, `delete from custody.chain where tenant_id = $1`, c.tenant)
	_, found = c.audit(t, postgres.Audit{Kept: []seal.Checkpoint{last}})
	require.Len(t, found, 2, "what is left of it, and what was kept: %v", found)
}

// Who can write everything in the database makes it agree with itself, and is
// found by what was signed before.
func TestAForgedChainIsCaughtByItsCheckpoint(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		forge func(t *testing.T, c *custody)
		says  string
	}{
		"a T3 document's bytes": {func(t *testing.T, c *custody) {
			t.Helper()
			c.forge(t, `update custody.document_part set bytes = 'forged' where document = 1; update custody.document set sha256 = sha256('forged'), size = 6 where seq = 1`)
		}, "has another root"},
		"who sent it": {func(t *testing.T, c *custody) {
			t.Helper()
			c.forge(t, `update custody.document set sender = '0860009999992' where seq = 1`)
		}, "has another root"},
		"when it was recorded": {func(t *testing.T, c *custody) {
			t.Helper()
			c.forge(t, `update custody.entry set recorded_at = recorded_at - interval '1 day' where seq <= 2`)
		}, "has another root"},
		"another history": {func(t *testing.T, c *custody) {
			t.Helper()
			c.attack(t, `do $$ declare t record; begin
				for t in select c.relname from pg_class c where c.relnamespace = 'custody'::regnamespace and c.relkind = 'r'
					and c.relname not in ('chain', 'tile', 'checkpoint', 'cosignature') loop
					execute format('delete from custody.%I', t.relname);
				end loop;
				update custody.chain set seq = 0, hash = genesis, items = 0, recorded_at = 'epoch'; end $$`)
			forged := stocked(20)
			forged.events[0].EventTime = forged.events[0].EventTime.Add(-time.Hour)
			c.record(t, forged, dscsa.Accept)
			c.legalHold(t)
			c.verify(t)
		}, "has another root"},
		"the tail cut off": {func(t *testing.T, c *custody) {
			t.Helper()
			c.forge(t, `delete from custody.legal_hold; with e as (delete from custody.decision returning chain_id, seq)
				delete from custody.entry n using e where n.chain_id = e.chain_id and n.seq = e.seq`)
		}, "the end was cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, key := setup(t), logKey(t)
			c.record(t, stocked(20), dscsa.Accept)
			c.legalHold(t)
			kept := c.seal(t, key)
			x.forge(t, c)

			reports, found := c.audit(t, postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}})
			require.Len(t, found, 1, "%v", found)
			require.Contains(t, found[0].Detail, x.says)
			require.Equal(t, "I3", found[0].Invariant)
			require.NotZero(t, reports[0].FirstBad)

			// With everything that was signed removed too, what somebody kept says it.
			c.attack(t, `delete from custody.cosignature; delete from custody.checkpoint; delete from custody.tile`)
			_, found = c.audit(t, postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}})
			require.Empty(t, found)
			_, found = c.audit(t, postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}, Kept: []seal.Checkpoint{kept}})
			require.Len(t, found, 1)
			require.Contains(t, found[0].Detail, x.says)

			// And the sealer does not sign it on.
			seals := postgres.NewSeals(c.db.Pool("sealer"))
			all, err := seals.All(t.Context())
			require.NoError(t, err)
			_, _, _, err = seals.Seal(t.Context(), all[0], key, kept)
			require.ErrorIs(t, err, seal.ErrInconsistent)
		})
	}
}

// In a full tile the entry that was changed is named, however well the rest was
// made to agree with it.
func TestAForgedEntryInAFullTileIsNamed(t *testing.T) {
	t.Parallel()
	c, key := setup(t), logKey(t)
	c.scanned(t, 0, 300)
	hold := c.legalHold(t)
	require.Equal(t, int64(302), hold)
	c.scanned(t, 300, 300)
	c.seal(t, key)
	c.forge(t, `update custody.decision set reason = 'subpoena 13' where seq = $1`, hold)
	reports, found := c.audit(t, postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}})
	require.Len(t, found, 2, "the tile, and the checkpoint: %v", found)
	require.Equal(t, hold, found[0].Seq)
	require.Equal(t, hold, reports[0].FirstBad)
}

func TestAnEventIsProvedWithoutADatabase(t *testing.T) {
	t.Parallel()
	c, key := setup(t), logKey(t)
	events := []string{"urn:uuid:5c0a2c53-0f2f-4b3c-9a55-2b0e4e0e6a11", ""}
	named := dscsatest.Ship(began, maker, wholesaler, dscsatest.Unit("1"))
	named.EventID = events[0]
	c.record(t, doc("two", named, dscsatest.Receive(began.Add(time.Hour), wholesaler, dscsatest.Unit("1"))), dscsa.Accept)
	auditor := postgres.New(c.db.Pool("auditor_ro"))
	_, err := auditor.Prove(t.Context(), c.tenant, 2)
	require.ErrorIs(t, err, sealpg.ErrNotSealed)
	c.seal(t, key)
	_, err = auditor.Prove(t.Context(), c.tenant, 1)
	require.ErrorIs(t, err, postgres.ErrUnknown, "it is a document")

	places, err := auditor.EventPlaces(t.Context(), uuid.NullUUID{}, events[0], 0)
	require.NoError(t, err)
	require.Equal(t, []postgres.EventPlace{{Tenant: c.tenant, Seq: 2}}, places)
	places, err = auditor.EventPlaces(t.Context(), uuid.NullUUID{UUID: uuid.New(), Valid: true}, "", 2)
	require.NoError(t, err)
	require.Empty(t, places)

	// The one without an id is called by its hash.
	hashed, err := auditor.Prove(t.Context(), c.tenant, 3)
	require.NoError(t, err)
	facts, err := hashed.Verify(key.PublicKey)
	require.NoError(t, err)
	require.Equal(t, facts.CBVHash, facts.EventID)

	made, err := auditor.Prove(t.Context(), c.tenant, 2)
	require.NoError(t, err)
	raw, err := json.Marshal(made)
	require.NoError(t, err)
	bundle, err := proof.ParseBundle(raw)
	require.NoError(t, err)
	facts, err = bundle.Verify(key.PublicKey)
	require.NoError(t, err)
	require.Equal(t, events[0], facts.EventID)
	require.Equal(t, int64(2), facts.Seq)
	require.Equal(t, int64(1), facts.Document)
	require.Contains(t, string(facts.Event), dscsatest.Unit("1"))

	for name, change := range map[string]func(b *proof.Bundle){
		"the event": func(b *proof.Bundle) {
			b.Content = []byte(strings.Replace(string(b.Content), "shipping", "thieving", 1))
		},
		"its document":        func(b *proof.Bundle) { b.Content[7]++ },
		"a byte more":         func(b *proof.Bundle) { b.Content = append(b.Content, ' ') },
		"the time":            func(b *proof.Bundle) { b.Record[16]++ },
		"the kind":            func(b *proof.Bundle) { b.Record[18]++ },
		"a short record":      func(b *proof.Bundle) { b.Record = b.Record[:50] },
		"the hash before":     func(b *proof.Bundle) { b.Previous[0]++ },
		"the proof":           func(b *proof.Bundle) { b.Inclusion[0][0]++ },
		"a shorter proof":     func(b *proof.Bundle) { b.Inclusion = b.Inclusion[1:] },
		"another sequence":    func(b *proof.Bundle) { b.Seq++ },
		"another id":          func(b *proof.Bundle) { b.EventID = "urn:uuid:x" },
		"another tenant":      func(b *proof.Bundle) { b.Tenant[0]++ },
		"the root":            func(b *proof.Bundle) { b.Checkpoint = strings.Replace(b.Checkpoint, "\n3\n", "\n4\n", 1) },
		"another's proof":     func(b *proof.Bundle) { b.Proof = hashed.Proof },
		"nothing":             func(b *proof.Bundle) { *b = proof.Bundle{} },
		"an unknown sequence": func(b *proof.Bundle) { b.Record[1], b.Seq = 0xff, -1 },
	} {
		b, err := proof.ParseBundle(raw)
		require.NoError(t, err)
		change(&b)
		_, err = b.Verify(key.PublicKey)
		require.Error(t, err, name)
	}
	w, err := seal.NewKey("witness.example/w1", seal.ForWitness)
	require.NoError(t, err)
	_, err = bundle.Verify(key.PublicKey, w.PublicKey)
	require.ErrorContains(t, err, "has not co-signed")
	_, err = bundle.Verify(logKey(t).PublicKey)
	require.Error(t, err)

	// What was changed in the database is not proved.
	c.attack(t, `update custody.event set body = convert_to(replace(convert_from(body, 'UTF8'), 'shipping', 'thieving'), 'UTF8') where seq = 2`)
	_, err = auditor.Prove(t.Context(), c.tenant, 2)
	require.ErrorIs(t, err, seal.ErrInconsistent)
	c.attack(t, strings.ReplaceAll(chainAgain, "TENANT", c.tenant.String()))
	_, err = auditor.Prove(t.Context(), c.tenant, 2)
	require.ErrorIs(t, err, seal.ErrInconsistent)
}

// The sealer signs hashes: it sees neither what happened nor to what.
func TestTheSealerSeesHashesAndWritesSealsAlone(t *testing.T) {
	t.Parallel()
	c, key := setup(t), logKey(t)
	c.record(t, stocked(10), dscsa.Accept)
	c.seal(t, key)
	denied := func(role, sql string) {
		_, err := c.db.Pool(role).Exec(t.Context(), sql)
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused, "%s: %s", role, sql)
		require.Equal(t, "42501", refused.Code, "%s: %s", role, sql)
	}
	for _, sql := range []string{
		`select body from custody.event`, `select * from custody.document`, `select content from custody.entry`, `select key from custody.item`,
		`select hash from custody.chain`,
		`insert into custody.checkpoint (chain_id, size, root, signed) values (1, 9, sha256('x'), 'x')`, `update custody.checkpoint set signed = 'x'`, `delete from custody.tile`,
	} {
		denied("sealer", sql)
	}
	for _, role := range []string{"app_api", "app_worker", "auditor_ro", "finance_ro"} {
		denied(role, `select custody.put_checkpoint('`+c.tenant.String()+`', 1, 1, 2, '', '', '{}', '{}', '{}', '{}')`)
		denied(role, `select custody.put_cosignature('`+c.tenant.String()+`', 1, 1, '', '')`)
	}
	denied("sealer", `select custody.put_checkpoint('`+uuid.NewString()+`', 1, 1, 2, '', '', '{}', '{}', '{}', '{}')`)
}
