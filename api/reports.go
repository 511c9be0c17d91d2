package api

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/report"
)

// Reports is what the ledger reports, and keeps of who took it.
type Reports interface {
	// Report calls write with the cover and rows of a report, as of one moment.
	Report(ctx context.Context, book ledger.Book, q report.Query, write func(report.Cover, iter.Seq2[[]report.Cell, error]) error) error
	// Cover tells whether a report is final and what it covers.
	Cover(ctx context.Context, book ledger.Book, q report.Query) (report.Cover, error)
	RecordExport(ctx context.Context, tenant uuid.UUID, e ledgerpg.Export) error

	Entries(ctx context.Context, book ledger.Book, p ledgerpg.Page) ([]report.EntryLine, error)
	TransactionsOfOrder(ctx context.Context, book ledger.Book, orderRef string) ([]*ledger.Recorded, error)
	TransactionByID(ctx context.Context, book ledger.Book, id uuid.UUID) ([]*ledger.Recorded, error)
}

// exportsAtOnce is how many reports are written at a time by one process. Each
// holds a connection to the database for as long as its reader takes.
const exportsAtOnce = 4

// refuseReport turns what is wrong with a report's parameters into a problem.
func refuseReport(err error) error {
	var wrong *report.FieldError
	switch {
	case errors.As(err, &wrong):
		return &refusal{code: "validation_failed", fields: []FieldError{{Pointer: "#/parameters/" + wrong.Field, Code: "invalid", Detail: wrong.Detail}}}
	case errors.Is(err, ledgerpg.ErrNoBook):
		return &refusal{code: "not_found", detail: "There is no book of this legal entity; its first posting opens it."}
	case errors.Is(err, ledgerpg.ErrNoAccount):
		return &refusal{code: "not_found", detail: "The book has no such account, or none in this currency."}
	case errors.Is(err, ledgerpg.ErrNoTransaction):
		return &refusal{code: "not_found", detail: "The book has no such transaction."}
	}
	return err
}

// reportQuery reads a report's parameters.
func reportQuery(name string, p GetReportParams) (q report.Query, err error) {
	q = report.Query{Report: report.Name(name)}
	if p.Period != nil {
		if q.Period, err = report.ParsePeriod(*p.Period); err != nil {
			return q, err
		}
	}
	if p.From != nil {
		q.From = p.From.UTC()
	}
	if p.To != nil {
		q.To = p.To.UTC()
	}
	if p.Account != nil {
		q.Account = *p.Account
	}
	if p.Currency != nil {
		q.Currency = *p.Currency
	}
	if p.Transaction != nil {
		if err := q.ParseTransaction(*p.Transaction); err != nil {
			return q, err
		}
	}
	if p.Line != nil {
		q.Line = *p.Line
	}
	return q, q.Validate()
}

// GetReport answers with a report. What can be refused is refused before the
// first byte; a final report that the client has already is not read again.
func (s *server) GetReport(ctx context.Context, request GetReportRequestObject) (GetReportResponseObject, error) {
	q, err := reportQuery(string(request.Report), request.Params)
	if err != nil {
		return nil, refuseReport(err)
	}
	e := &export{s: s, ctx: ctx, book: bookOf(ctx, request.Params.Entity), q: q, format: report.JSON}
	if request.Params.Format != nil {
		e.format = report.Format(*request.Params.Format)
	}
	if request.Params.IfNoneMatch != nil {
		cover, err := s.cfg.Books.Cover(ctx, e.book, q)
		if err != nil {
			return nil, refuseReport(err)
		}
		if tag := e.tag(cover); cover.Final && matches(*request.Params.IfNoneMatch, tag) {
			return Answer{Status: http.StatusNotModified, Header: map[string]string{"ETag": tag, "Cache-Control": forEver}}, nil
		}
	}
	return e, nil
}

const forEver = "private, max-age=31536000, immutable"

// An export writes one report to one client.
type export struct {
	s      *server
	ctx    context.Context //nolint:containedctx // the response is written after the handler has returned
	book   ledger.Book
	q      report.Query
	format report.Format
}

// tag names the bytes of a final report: they follow from what was asked and
// from the place in the chain that it covers.
func (e *export) tag(c report.Cover) string {
	h := sha256.New()
	fmt.Fprintf(h, "recourse report 1\n%s\n%s\n%s\n%s\n%d %x\n%s\n", e.book.Tenant, e.book.Entity, e.q.Report, e.format, c.Checkpoint.Seq, c.Checkpoint.Hash, c.Checkpoint.Note)
	parameters := e.q.Parameters()
	for _, name := range []string{"period", "from", "to", "account", "currency", "transaction", "line"} {
		fmt.Fprintf(h, "%s=%s\n", name, parameters[name])
	}
	return `"` + hex.EncodeToString(h.Sum(nil)[:16]) + `"`
}

// name is what the file is called.
func (e *export) name() string {
	name := string(e.q.Report)
	parameters := e.q.Parameters()
	for _, part := range []string{e.book.Entity, parameters["period"], parameters["account"], parameters["currency"]} {
		if part != "" {
			name += "-" + part
		}
	}
	return name + "." + string(e.format)
}

// VisitGetReportResponse implements the generated interface. The order is:
// rows, the record of the export, and only then the last bytes. A complete
// report has its record; one that breaks off has one too, and no end.
func (e *export) VisitGetReportResponse(w http.ResponseWriter) error {
	select {
	case e.s.exports <- struct{}{}:
		defer func() { <-e.s.exports }()
	default:
		return &refusal{code: "unavailable", detail: "As many reports as this process writes at a time are being written.", retry: "5"}
	}
	started := e.s.cfg.Now().UTC()
	out := &patient{w: w, out: http.NewResponseController(w), hash: sha256.New()}
	out.buffered = bufio.NewWriterSize(&out.raw, 64<<10)
	out.raw.p = out
	var target io.Writer = out
	if e.format == report.XLSX {
		// A workbook is sent when it is whole: the database need not wait for it.
		file, err := os.CreateTemp("", "recourse-export-*")
		if err != nil {
			return fmt.Errorf("make a temporary file: %w", err)
		}
		defer func() { _, _ = file.Close(), os.Remove(file.Name()) }()
		target = file
	}
	var done report.Cover
	err := e.s.cfg.Books.Report(e.ctx, e.book, e.q, func(c report.Cover, rows iter.Seq2[[]report.Cell, error]) (err error) {
		if !c.Final {
			c.GeneratedAt, c.GeneratedBy = started, whereOf(e.ctx).who.KeyID
		}
		done = c
		e.header(w.Header(), c)
		done, err = report.Write(target, e.format, report.Find(e.q.Report), c, rows)
		return err
	})
	if err != nil && !out.begun {
		clearHeader(w.Header())
		return refuseReport(err)
	}
	if file, ok := target.(*os.File); ok && err == nil {
		_, err = io.Copy(out, io.NewSectionReader(file, 0, 1<<62))
	}
	if err == nil {
		w.Header().Set(http.TrailerPrefix+"Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(out.hash.Sum(nil))+":")
	}
	if recorded := e.record(started, done, out, err == nil); recorded != nil {
		if !out.begun {
			clearHeader(w.Header())
			return fmt.Errorf("%w: %w", ErrUnavailable, recorded)
		}
		err = errors.Join(err, recorded)
	}
	if err == nil {
		err = out.buffered.Flush()
	}
	if err != nil {
		e.s.log.WarnContext(e.ctx, "a report broke off", slog.String("request_id", whereOf(e.ctx).requestID), slog.Any("error", err))
		panic(http.ErrAbortHandler) // so that the client does not take the part for the whole
	}
	return nil
}

func (e *export) record(started time.Time, c report.Cover, out *patient, complete bool) error {
	where := whereOf(e.ctx)
	x := ledgerpg.Export{
		Query: e.q, Entity: e.book.Entity, Format: e.format, RequestedBy: where.who.KeyID, RequestID: where.requestID,
		StartedAt: started, Cover: c, Complete: complete,
	}
	if complete {
		x.SHA256 = [32]byte(out.hash.Sum(nil))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), slowest)
	defer cancel()
	return e.s.cfg.Books.RecordExport(ctx, e.book.Tenant, x)
}

var ofReports = []string{"Content-Type", "Content-Disposition", "ETag", "Trailer", "Report-Final", "Report-Checkpoint"}

func (e *export) header(h http.Header, c report.Cover) {
	h.Set("Content-Type", e.format.ContentType())
	h.Set("Content-Disposition", `attachment; filename="`+e.name()+`"`)
	h.Set("Report-Final", strconv.FormatBool(c.Final))
	h.Set("Report-Checkpoint", fmt.Sprintf("%d %x", c.Checkpoint.Seq, c.Checkpoint.Hash))
	if c.Final {
		h.Set("ETag", e.tag(c))
		h.Set("Cache-Control", forEver)
	}
}

func clearHeader(h http.Header) {
	for _, name := range ofReports {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
}

// patient writes to a client that may be slow but must not stop: a write that
// takes longer than slowest ends the export.
type patient struct {
	w        http.ResponseWriter
	out      *http.ResponseController
	hash     hash.Hash
	buffered *bufio.Writer
	raw      rawWriter
	begun    bool
}

func (p *patient) Write(b []byte) (int, error) {
	p.hash.Write(b)
	return p.buffered.Write(b)
}

type rawWriter struct{ p *patient }

func (r *rawWriter) Write(b []byte) (int, error) {
	r.p.begun = true
	// Not every writer has deadlines; the server's does.
	_ = r.p.out.SetWriteDeadline(time.Now().Add(slowest))
	return r.p.w.Write(b)
}

type lineView struct {
	Object        string `json:"object"`
	Seq           int64  `json:"seq"`
	Line          int16  `json:"line"`
	RecordedAt    string `json:"recorded_at"`
	EffectiveOn   string `json:"effective_on"`
	Period        string `json:"period"`
	TransactionID string `json:"transaction_id"`
	Kind          string `json:"kind"`
	AccountCode   string `json:"account_code"`
	Currency      string `json:"currency"`
	Side          string `json:"side"`
	Layer         string `json:"layer"`
	Amount        int64  `json:"amount"`
	PostedAfter   int64  `json:"posted_after"`
	Purpose       string `json:"purpose"`
	Actor         string `json:"actor"`
	Reason        string `json:"reason"`
	SagaID        string `json:"saga_id,omitempty"`
	OrderRef      string `json:"order_ref,omitempty"`
	Document      string `json:"document,omitempty"`
	Reverses      string `json:"reverses,omitempty"`
	ApprovalID    string `json:"approval_id,omitempty"`
	ApprovedBy    string `json:"approved_by,omitempty"`
}

var layers = map[ledger.Layer]string{ledger.LayerPosted: "posted", ledger.LayerHeld: "held", ledger.LayerReleased: "released"}

// LedgerEntries lists the lines of one account a page at a time.
func (s *server) LedgerEntries(ctx context.Context, request LedgerEntriesRequestObject) (LedgerEntriesResponseObject, error) {
	p, who := request.Params, whereOf(ctx).who
	page := ledgerpg.Page{Account: p.Account, Limit: 100}
	if p.Currency != nil {
		page.Currency = *p.Currency
	}
	if p.Limit != nil {
		page.Limit = *p.Limit
	}
	if p.Cursor != nil {
		at, line, ok := s.openCursor(who.Tenant[:], *p.Cursor)
		n, err := strconv.ParseInt(line, 10, 16)
		if !ok || err != nil {
			return nil, &refusal{code: "validation_failed", fields: []FieldError{{Pointer: "#/parameters/cursor", Code: "invalid", Detail: "is not a next_cursor of this list"}}}
		}
		page.AfterAt, page.AfterLine = at, int16(n)
	}
	one := page
	one.Limit++
	lines, err := s.cfg.Books.Entries(ctx, bookOf(ctx, p.Entity), one)
	if err != nil {
		return nil, refuseReport(err)
	}
	out := struct {
		list[lineView]

		HasMore    bool    `json:"has_more"`
		NextCursor *string `json:"next_cursor"`
	}{list: listOf[lineView](nil)}
	if out.HasMore = len(lines) > page.Limit; out.HasMore {
		lines = lines[:page.Limit]
		last := lines[len(lines)-1]
		next := s.cursor(who.Tenant[:], last.RecordedAt, strconv.Itoa(int(last.Line)))
		out.NextCursor = &next
	}
	for i := range lines {
		l := &lines[i]
		out.Data = append(out.Data, lineView{
			Object: "ledger_line", Seq: l.Seq, Line: l.Line, RecordedAt: l.RecordedAt.UTC().Format("2006-01-02T15:04:05.000000Z"),
			EffectiveOn: l.EffectiveOn.Format(time.DateOnly), Period: l.Period.Format("2006-01"), TransactionID: transactionName(l.ID), Kind: string(l.Kind),
			AccountCode: l.Account, Currency: l.Currency, Side: string(l.Side), Layer: layers[l.Layer], Amount: l.Amount, PostedAfter: l.PostedAfter,
			Purpose: l.Purpose, Actor: l.Actor, Reason: l.Reason, SagaID: l.SagaID, OrderRef: l.OrderRef, Document: l.Document,
			Reverses: transactionName(l.Reverses), ApprovalID: l.ApprovalID, ApprovedBy: l.ApprovedBy,
		})
	}
	return jsonAnswer(http.StatusOK, out)
}

// transactionsOf finds the transactions of what exactly one parameter names.
func (s *server) transactionsOf(ctx context.Context, book ledger.Book, p LedgerTransactionsParams) ([]*ledger.Recorded, error) {
	named := []bool{p.SagaId != nil, p.OrderRef != nil, p.Id != nil}
	if len(slices.DeleteFunc(named, func(is bool) bool { return !is })) != 1 {
		return nil, &refusal{code: "validation_failed", fields: []FieldError{{Pointer: "#/parameters/saga_id", Code: "required", Detail: "name exactly one of saga_id, order_ref and id"}}}
	}
	switch {
	case p.SagaId != nil:
		if _, _, err := s.cfg.Store.SagaVersion(ctx, book.Tenant, *p.SagaId); err != nil {
			return nil, err
		}
		return s.cfg.Books.TransactionsOfSaga(ctx, book, *p.SagaId)
	case p.OrderRef != nil:
		return s.cfg.Books.TransactionsOfOrder(ctx, book, *p.OrderRef)
	default:
		id, err := uuid.Parse((*p.Id)[len("txn_"):])
		if err != nil {
			return nil, ErrNotFound
		}
		found, err := s.cfg.Books.TransactionByID(ctx, book, id)
		if err == nil && len(found) == 0 {
			return nil, ErrNotFound
		}
		return found, err
	}
}
