package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/ledger/ledgertest/rewrite"
)

// An edit is something a superuser does to what is stored, having switched
// every guard off. What it touches is kept, and put back afterwards.
type edit struct {
	name   string
	tables []string
	sql    string
	chain  string // how verify names the chain: "book" or "custody of"
	first  int64  // the first bad sequence it must name
}

// A scene is where the edits are made.
type scene struct {
	tenant   string
	book     int
	seq      int64  // a transaction in the middle of a full tile
	end      int64  // the last one to be left when the end is cut off
	kept     string // file with the checkpoint that covers more than that
	custody  int
	event    int64 // a shipment
	document int64 // a T3 document that was sent
}

var (
	lines    = []string{"ledger.posting", "ledger.journal", "ledger.journal_key", "ledger.journal_link", "ledger.hold"}
	everyRow = append([]string{"ledger.book", "ledger.balance", "ledger.tile", "ledger.checkpoint", "ledger.cosignature"}, lines...)
)

// edits are ten ways to change history.
func (s scene) edits() []edit {
	sql := func(text string, args ...any) string {
		return fmt.Sprintf(strings.ReplaceAll(text, "BOOK", fmt.Sprint(s.book)), args...)
	}
	both := sql(`update ledger.posting set amount = amount + 100 where book_id = BOOK and seq = %d; `, s.seq)
	gone := func(which string) string {
		var out strings.Builder
		for _, table := range lines[:4] {
			fmt.Fprintf(&out, "delete from %s where book_id = %d and seq %s; ", table, s.book, which)
		}
		return out.String()
	}
	swap := func(table string) string {
		return sql(`update `+table+` set seq = %d - seq where book_id = BOOK and seq in (%d, %d); `, 2*s.seq+1, s.seq, s.seq+1)
	}
	return []edit{
		{"an amount", everyRow, sql(`update ledger.posting set amount = amount + 1 where book_id = BOOK and seq = %d and line = 1`, s.seq), "book", s.seq},
		{"both sides of it", everyRow, both, "book", s.seq},
		{"both sides and every balance", everyRow, both + rewrite.Balances, "book", s.seq},
		{"both sides, every balance and the whole chain", everyRow, both + rewrite.Balances + ";" + rewrite.Chain, "book", s.seq},
		{"one gone from the middle", everyRow, gone(fmt.Sprint("= ", s.seq)) + rewrite.Balances, "book", s.seq},
		{
			"the end cut off, with every checkpoint, and all the rest recomputed", everyRow,
			gone(fmt.Sprint("> ", s.end)) + sql(`delete from ledger.cosignature where book_id = BOOK; delete from ledger.checkpoint where book_id = BOOK;
				delete from ledger.tile where book_id = BOOK; `) + rewrite.Balances + ";" + rewrite.Chain,
			"book", s.end + 1,
		},
		{"one put in at an earlier date", everyRow, sql(`
			insert into ledger.journal select seq, recorded_at - interval '1 second', '00000000-0000-4000-8000-000000000001', null, null, null, book_id, effective_on, period, kind,
			       purpose, actor, 'back-dated', null, null, null, null, hash from ledger.journal where book_id = BOOK and seq = 1;
			insert into ledger.posting select recorded_at - interval '1 second', seq, account_id, amount, posted_after, 0, 0, book_id, period, line, side, layer
			  from ledger.posting where book_id = BOOK and seq = 1; `) + rewrite.Balances, "book", 1},
		{"two in each other's place", everyRow, swap("ledger.journal") + swap("ledger.posting") + swap("ledger.journal_key"), "book", s.seq},
		{
			"an event of custody",
			[]string{"custody.event"},
			fmt.Sprintf(`update custody.event set body = convert_to(replace(convert_from(body, 'UTF8'), 'shipping', 'storing'), 'UTF8') where chain_id = %d and seq = %d`, s.custody, s.event),
			"custody of", s.event,
		},
		{
			"a T3 document",
			[]string{"custody.document_part"},
			fmt.Sprintf(`update custody.document_part set bytes = set_byte(bytes, 100, get_byte(bytes, 100) # 1) where chain_id = %d and document = %d and part = 0`, s.custody, s.document),
			"custody of", s.document,
		},
	}
}

const (
	guardsOff = `
alter event trigger guard_ddl disable;
alter event trigger guard_drop disable;
set local session_replication_role = replica;
create schema saved;
create table saved.guard as
  select t.tgrelid::regclass::text as guarded, t.tgname as name from pg_trigger t join pg_class c on c.oid = t.tgrelid
   where not t.tgisinternal and t.tgenabled = 'A' and c.relnamespace in ('ledger'::regnamespace, 'custody'::regnamespace);
do $$ declare g record; begin
  for g in table saved.guard loop execute format('alter table only %s disable trigger %I', g.guarded, g.name); end loop;
end $$;`
	guardsOn = `
do $$ declare g record; begin
  for g in table saved.guard loop execute format('alter table only %s enable always trigger %I', g.guarded, g.name); end loop;
end $$;
alter event trigger guard_ddl enable always;
alter event trigger guard_drop enable always;`
)

// writers are who writes into the product's database.
var writers = []string{"api", "api2", "worker", "sealer"}

// tamper makes each edit while orders come in, and has recourse verify, as a
// program of its own, name where it was. The writers stand still from an edit
// until it is undone: nobody may build on what will not have been.
func tamper(ctx context.Context, t *trouble) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute) // what was begun is put back
	defer cancel()
	conn, err := pgx.Connect(ctx, t.dev.Postgres)
	if err != nil {
		return fmt.Errorf("connect to edit: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := set(ctx, conn); err != nil {
		return err
	}
	for n := range 10 {
		if err := t.edit(ctx, conn, n); err != nil {
			return err
		}
	}
	if said, code, err := t.verify(ctx, ""); err != nil || code != 0 {
		return errors.Join(err, fmt.Errorf("put back, recourse verify still ends with %d: %s", code, said))
	}
	return nil
}

// edit makes the nth edit, asks what is wrong, and puts everything back.
func (t *trouble) edit(ctx context.Context, conn *pgx.Conn, n int) (err error) {
	run := func(sql string) error {
		_, err := conn.PgConn().Exec(ctx, sql).ReadAll() // one transaction
		return err
	}
	defer func() {
		for _, name := range writers {
			err = errors.Join(err, t.system.Signal(name, syscall.SIGCONT))
		}
	}()
	for _, name := range writers {
		if err := t.system.Signal(name, syscall.SIGSTOP); err != nil {
			return err
		}
	}
	// What they had begun would lock the edits out, and end later.
	if err := run(`select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename in ('app_api', 'app_worker', 'sealer')`); err != nil {
		return fmt.Errorf("end the writers' transactions: %w", err)
	}
	s, err := find(ctx, conn, t.system.Dir)
	if err != nil {
		return err
	}
	e := s.edits()[n]
	var save, restore strings.Builder
	for _, table := range e.tables {
		fmt.Fprintf(&save, "create table saved.%s as table %s;", strings.ReplaceAll(table, ".", "_"), table)
		fmt.Fprintf(&restore, "delete from %s; insert into %s overriding system value table saved.%s;", table, table, strings.ReplaceAll(table, ".", "_"))
	}
	if err := run(guardsOff + save.String() + e.sql + ";" + guardsOn); err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	said, code, err := t.verify(ctx, s.kept)
	restored := run(strings.Replace(guardsOff, "create schema saved;", "drop table saved.guard;", 1) + restore.String() + guardsOn + "drop schema saved cascade;")
	if err := errors.Join(err, restored); err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	named := regexp.MustCompile(e.chain + ` ` + s.tenant + `[^\n]*: the first bad sequence is ` + fmt.Sprint(e.first) + `\n`)
	if code != 1 || !named.MatchString(said) {
		return fmt.Errorf("%s at %d: recourse verify ends with %d: %s", e.name, e.first, code, said)
	}
	t.hit()
	return nil
}

// verify runs recourse verify and returns what it says.
func (t *trouble) verify(ctx context.Context, kept string) (said string, code int, err error) {
	args := []string{"verify", "-dev", filepath.Join(t.system.Dir, "dev.json")}
	if kept != "" {
		args = append(args, "-from-checkpoint", kept)
	}
	var talk strings.Builder
	cmd := exec.CommandContext(ctx, filepath.Join(t.system.Bin, "recourse"), args...)
	cmd.Stdout, cmd.Stderr = &talk, &talk
	err = cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return talk.String(), ended.ExitCode(), nil
	}
	return talk.String(), 0, err
}

// tile is how many transactions a full tile covers: of an edit in one, verify
// names the very sequence.
const tile = 256

// set waits until there is enough to edit.
func set(ctx context.Context, conn *pgx.Conn) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		var ready bool
		err := conn.QueryRow(ctx, `select exists (select from ledger.checkpoint where size > $1)
			and exists (select from custody.document where direction = 'sent')`, tile+10).Scan(&ready)
		if err != nil || ready {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("too little was sealed to edit it: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// find chooses what to edit: in the book with the most in it, and what the
// custody of its tenant has sent.
func find(ctx context.Context, conn *pgx.Conn, dir string) (s scene, err error) {
	err = conn.QueryRow(ctx, `
		select b.tenant_id::text, b.id, c.size, n.id
		  from ledger.book b join ledger.checkpoint c on c.book_id = b.id join custody.chain n on n.tenant_id = b.tenant_id
		 order by c.size desc limit 1`).Scan(&s.tenant, &s.book, &s.end, &s.custody)
	if err != nil {
		return s, fmt.Errorf("find a book: %w", err)
	}
	s.kept = filepath.Join(dir, "checkpoints", s.tenant, "main", fmt.Sprintf("%020d.checkpoint", s.end))
	if _, err := os.Stat(s.kept); err != nil {
		return s, fmt.Errorf("find the checkpoint that was kept: %w", err)
	}
	s.seq, s.end = tile/2, s.end-5
	err = conn.QueryRow(ctx, `
		select (select min(seq) from custody.event where chain_id = $1 and biz_step = 'shipping'),
		       (select min(seq) from custody.document where chain_id = $1 and direction = 'sent')`, s.custody).Scan(&s.event, &s.document)
	if err != nil {
		return s, fmt.Errorf("find a shipment: %w", err)
	}
	return s, nil
}
