package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/audit"
	auditpg "github.com/recourse/recourse/audit/postgres"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	custodyproof "github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/ledger"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
)

// verify recomputes the books, custody and the audit logs from what is stored,
// as auditor_ro.
func verify(ctx context.Context, std streams, args []string) error {
	f := flags(std, "verify")
	limit := f.Int("limit", 100, "how many breaches of each invariant to list for each book")
	output := f.String("output", "table", outputUsage)
	keys := publicKeys{purpose: seal.ForLog}
	f.Func("key", "public key of the sealer, or a file with it; checks the signatures; once for each key that signed over time", keys.add)
	state := f.String("state", "", "file that keeps where an interrupted run was; run the same again to go on")
	dev := f.String("dev", ".recourse/dev.json", "what make run wrote; used for what is not given otherwise")
	witnesses := publicKeys{purpose: seal.ForWitness}
	f.Func("witness", "public key of a witness, or a file with it; may stand several times", witnesses.add)
	var kept [][]byte
	f.Func("from-checkpoint", "file with a checkpoint somebody kept: the books, custody or audit log it is of must continue it; may stand several times", func(name string) error {
		raw, err := os.ReadFile(name)
		kept = append(kept, raw)
		return err
	})
	if _, err := parse(f, args); err != nil {
		return err
	}
	a := ledgerpg.Audit{Limit: *limit, Witnesses: witnesses.keys, Progress: progress(std)}
	goods := custodypg.Audit{Witnesses: witnesses.keys}
	deeds := auditpg.Audit{Witnesses: witnesses.keys}
	for _, signed := range kept {
		c, err := seal.Peek(signed)
		if err != nil {
			return usagef("-from-checkpoint: %w", err)
		}
		if _, ok := custodyproof.TenantOf(c.Origin); ok {
			goods.Kept = append(goods.Kept, c)
		} else if _, ok := audit.TenantOf(c.Origin); ok {
			deeds.Kept = append(deeds.Kept, c)
		} else {
			a.Kept = append(a.Kept, signed)
		}
	}
	known := readDev(*dev)
	if len(keys.keys) == 0 && known.LedgerKey != "" {
		if err := keys.add(known.LedgerKey); err != nil {
			return err
		}
	}
	goods.Keys, deeds.Keys = keys.keys, keys.keys
	if a.Keys = keys.keys; len(a.Keys) == 0 {
		fmt.Fprintln(std.err, "no -key: checkpoints are compared with the tree, but nobody knows who signed them")
	}
	for _, signed := range kept {
		if _, err := seal.OpenAny(signed, a.Keys, a.Witnesses...); err != nil && len(a.Keys) > 0 {
			return usagef("-from-checkpoint: %w", err)
		}
	}
	goods.Progress = custodyProgress(std)
	if err := keepState(&a, &goods, *state); err != nil {
		return err
	}
	url, err := auditorURL(known)
	if err != nil {
		return err
	}
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return databaseAway(err)
	}
	began := time.Now()
	report, err := a.Run(ctx, cfg)
	if errors.Is(err, ledgerpg.ErrSeesNotAll) || errors.Is(err, ledgerpg.ErrGivenOther) {
		return usageError{err}
	}
	if err != nil {
		return unreachableError{err}
	}
	all := found{Report: report}
	if err := all.verifyChains(ctx, url, goods, deeds); err != nil {
		return err
	}
	if *state != "" {
		if err := os.Remove(*state); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the state: %w", err)
		}
	}
	return tell(std, all, *output, time.Since(began))
}

// found is what was found of the books, of custody and of the audit logs.
type found struct {
	ledgerpg.Report

	Custody []custodypg.ChainReport `json:"custody"`
	Actions []auditpg.LogReport     `json:"audit"`
}

// verifyChains adds what is found of custody and of the audit logs.
func (all *found) verifyChains(ctx context.Context, url string, goods custodypg.Audit, deeds auditpg.Audit) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return databaseAway(err)
	}
	defer pool.Close()
	chains, wrong, err := custodypg.New(pool).Audit(ctx, goods)
	var logs []auditpg.LogReport
	var broken []auditpg.Finding
	if err == nil {
		logs, broken, err = auditpg.New(pool).Audit(ctx, deeds)
	}
	if errors.Is(err, custodypg.ErrSeesNotAll) || errors.Is(err, custodypg.ErrGivenOther) || errors.Is(err, auditpg.ErrSeesNotAll) {
		return usageError{err}
	}
	if err != nil {
		return unreachableError{err}
	}
	for _, f := range wrong {
		all.Violations = append(all.Violations, ledgerpg.Violation{Invariant: f.Invariant, Tenant: f.Tenant, Seq: f.Seq, Where: f.Where, Detail: f.Detail})
	}
	for _, f := range broken {
		all.Violations = append(all.Violations, ledgerpg.Violation{Invariant: "I3", Tenant: f.Tenant, Seq: f.Seq, Where: f.Where, Detail: f.Detail})
	}
	all.Custody, all.Actions = append([]custodypg.ChainReport{}, chains...), append([]auditpg.LogReport{}, logs...)
	return nil
}

func tell(std streams, report found, output string, took time.Duration) error {
	s := sheet{Columns: []string{"invariant", "tenant", "entity", "sequence", "where", "detail"}, JSON: report}
	for _, v := range report.Violations {
		s.Rows = append(s.Rows, []string{v.Invariant, v.Tenant, v.Entity, seqText(v.Seq), v.Where, v.Detail})
	}
	if err := s.write(std.out, output); err != nil {
		return err
	}
	var transactions, postings, checkpoints int64
	for _, b := range report.Books {
		transactions, postings, checkpoints = transactions+b.Transactions, postings+b.Postings, checkpoints+b.Checkpoints
		if b.FirstBad > 0 {
			fmt.Fprintf(std.err, "book %s/%s: the first bad sequence is %d\n", b.Tenant, b.Entity, b.FirstBad)
		}
	}
	fmt.Fprintf(std.err, "%d books, %d transactions, %d lines, %d checkpoints in %.1f s\n", len(report.Books), transactions, postings, checkpoints, took.Seconds())
	var entries, items, purged int64
	checkpoints = 0
	for _, c := range report.Custody {
		entries, items, checkpoints, purged = entries+c.Entries, items+c.Items, checkpoints+c.Checkpoints, purged+c.Purged
		if c.FirstBad > 0 {
			fmt.Fprintf(std.err, "custody of %s: the first bad sequence is %d\n", c.Tenant, c.FirstBad)
		}
	}
	fmt.Fprintf(std.err, "%d custody chains, %d entries, %d items, %d checkpoints\n", len(report.Custody), entries, items, checkpoints)
	if purged > 0 {
		fmt.Fprintf(std.err, "the bytes of %d documents are gone, each by an entry that says so\n", purged)
	}
	entries, checkpoints = 0, 0
	for _, l := range report.Actions {
		entries, checkpoints = entries+l.Actions, checkpoints+l.Checkpoints
		if l.FirstBad > 0 {
			fmt.Fprintf(std.err, "audit log of %s: the first bad sequence is %d\n", l.Tenant, l.FirstBad)
		}
	}
	fmt.Fprintf(std.err, "%d audit logs, %d actions, %d checkpoints\n", len(report.Actions), entries, checkpoints)
	if n := len(report.Violations); n > 0 {
		return problemsError{n}
	}
	fmt.Fprintln(std.err, "the books add up: debits equal credits, balances follow from the lines, sequence, chain and tree are whole")
	fmt.Fprintln(std.err, "custody is whole: every entry says what was recorded, and every item stands as the entries say")
	fmt.Fprintln(std.err, "the audit logs are whole: every action says what was done, and none is missing")
	return nil
}

func seqText(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// progress tells every two seconds where a long run is.
func progress(std streams) func(ledger.Book, int64, int64, int64) {
	began := time.Now()
	last := began
	total := int64(0)
	before := int64(0)
	return func(b ledger.Book, n, of, postings int64) {
		if postings < before {
			before = 0
		}
		total, before = total+postings-before, postings
		if time.Since(last) < 2*time.Second {
			return
		}
		last = time.Now()
		fmt.Fprintf(std.err, "book %s/%s: %d of %d transactions, %.0f lines/s\n", b.Tenant, b.Entity, n, of, float64(total)/time.Since(began).Seconds())
	}
}

// custodyProgress is progress for custody.
func custodyProgress(std streams) func(tenant uuid.UUID, entries, ofEntries, items, ofItems int64) {
	last := time.Now()
	return func(tenant uuid.UUID, entries, ofEntries, items, ofItems int64) {
		if time.Since(last) < 2*time.Second {
			return
		}
		last = time.Now()
		fmt.Fprintf(std.err, "custody of %s: %d of %d entries, %d of %d items\n", tenant, entries, ofEntries, items, ofItems)
	}
}

// devFile is the part of dev.json that the auditor's tools use.
type devFile struct {
	LedgerKey  string            `json:"ledger_key"`
	WitnessKey string            `json:"witness_key"`
	Databases  map[string]string `json:"database_urls"`
	Postgres   string            `json:"postgres"`
}

// readDev reads what make run wrote; empty when nothing runs.
func readDev(name string) (d devFile) {
	raw, err := os.ReadFile(name)
	if err != nil || json.Unmarshal(raw, &d) != nil {
		return devFile{}
	}
	return d
}

// auditorURL is a database URL of a role that sees every book.
func auditorURL(d devFile) (string, error) {
	url, err := databaseURL()
	switch {
	case err == nil || os.Getenv("RECOURSE_DATABASE_URL_FILE") != "":
		return url, err
	case d.Databases["auditor_ro"] != "":
		return d.Databases["auditor_ro"], nil
	case d.Postgres != "":
		return d.Postgres, nil
	}
	return "", usagef("no database is named: start one with make run, or set RECOURSE_DATABASE_URL (or _FILE) to the postgres:// URL of role auditor_ro")
}
