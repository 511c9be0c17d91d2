package postgres

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/gs1"
	"github.com/recourse/recourse/dscsa/query"
	"github.com/recourse/recourse/internal/pgtenant"
)

// ErrPlace means that a place to go on from is not one that was given out.
var ErrPlace = errors.New("this is not where a page ended")

const (
	// chunk is how many events one statement reads.
	chunk = 200
	// mostScanned bounds what one page may look through: a query that little
	// answers ends early, with a place to go on from.
	mostScanned = 20_000
)

// Query is a page of the events that answer q: at most limit, from after the
// place, and the place to go on from, "" at the end. The database narrows down
// by what it has indexes for, query.Match has the last word. With parties, GLNs,
// it is of events in documents that one of them sent or was sent.
//
// Errors: ErrPlace, or the database.
func (s *Store) Query(ctx context.Context, tenant uuid.UUID, q query.Query, parties []string, after string, limit int) ([]dscsa.Recorded, string, error) {
	at, err := pageEnd(after)
	if err != nil {
		return nil, "", err
	}
	var found []dscsa.Recorded
	next := ""
	err = pgtenant.ReadTx(ctx, s.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		session, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		for scanned := 0; ; {
			rows, err := events(ctx, tx, narrow(session.id, &q, parties, at))
			if err != nil {
				return err
			}
			for i := range rows {
				r := &rows[i]
				at = &end{time: r.EventTime, seq: r.Seq}
				if q.Match(&r.Event, r.RecordedAt) {
					found = append(found, *r)
				}
				if len(found) == limit {
					more := len(rows) == chunk || i < len(rows)-1
					if more {
						next = at.String()
					}
					return nil
				}
			}
			scanned += len(rows)
			if len(rows) < chunk {
				return nil
			}
			if scanned >= mostScanned {
				next = at.String()
				return nil
			}
		}
	})
	if err != nil {
		return nil, "", fmt.Errorf("query events: %w", err)
	}
	return found, next, nil
}

// An end is the last event of a page.
type end struct {
	time time.Time
	seq  int64
}

func (p *end) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(p.time.UnixMicro()))
	binary.BigEndian.PutUint64(b[8:], uint64(p.seq))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func pageEnd(s string) (*end, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // the beginning is no place
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != 16 {
		return nil, ErrPlace
	}
	return &end{time: time.UnixMicro(int64(binary.BigEndian.Uint64(b[:8]))).UTC(), seq: int64(binary.BigEndian.Uint64(b[8:]))}, nil
}

// A filter is SQL with its arguments, of which the chain is the first.
type filter struct {
	where strings.Builder
	order string
	args  []any
}

// and adds a condition; each ? is an argument.
func (s *filter) and(condition string, args ...any) {
	s.where.WriteString("\n   and ")
	for part := range strings.SplitSeq(condition, "?") {
		s.where.WriteString(part)
		if len(args) > 0 {
			s.args = append(s.args, args[0])
			args = args[1:]
			s.where.WriteString("$" + strconv.Itoa(len(s.args)))
		}
	}
}

// itemRoles are the roles of event_item for those of a query.
var itemRoles = map[query.Role][]int16{
	query.InEPCs: {0, 2}, query.AsParent: {1}, query.AsInput: {3}, query.AsOutput: {4},
}

var refKinds = map[query.List]int16{query.BizTransactions: 1, query.Sources: 2, query.Destinations: 3}

// narrow is what the database can say of a query.
func narrow(chain int32, q *query.Query, parties []string, at *end) *filter {
	s := &filter{args: []any{chain}}
	if parties != nil {
		s.and(`exists (select from custody.document d
                 where d.chain_id = $1 and (d.sender = any (?) or d.receiver = any (?))
                   and (d.seq = e.document
                        or d.seq in (select y.document from custody.event_copy y where y.chain_id = $1 and y.event = e.seq)))`, parties, parties)
	}
	text(s, "e.type", q.EventTypes)
	text(s, "e.action", q.Actions)
	text(s, "e.biz_step", q.BizSteps)
	text(s, "e.disposition", q.Dispositions)
	text(s, "e.event_id", q.EventIDs)
	text(s, "e.transformation", q.Transformations)
	places(s, "e.read_point", q.ReadPoints)
	places(s, "e.biz_location", q.BizLocations)
	span(s, "e.event_time", q.EventTime)
	if !q.RecordTime.From.IsZero() {
		s.and("e.seq >= custody.first_at($1, ?)", q.RecordTime.From)
	}
	if !q.RecordTime.To.IsZero() {
		s.and("e.seq < custody.first_at($1, ?)", q.RecordTime.To)
	}
	if q.Declared || !q.DeclaredAt.Empty() || len(q.ErrorReasons) > 0 || len(q.CorrectiveIDs) > 0 {
		s.and("e.declared")
	}
	for i := range q.Items {
		items(s, &q.Items[i])
	}
	for _, r := range q.References {
		var refs []string
		for _, v := range r.Values {
			refs = append(refs, refKey(v))
		}
		s.and("e.seq in (select r.event from custody.event_ref r where r.chain_id = $1 and r.kind = ? and r.ref = any (?) and r.type = ?)",
			refKinds[r.Of], refs, r.Type)
	}
	direction, beyond := "desc", "<"
	if q.Ascending {
		direction, beyond = "asc", ">"
	}
	if q.OrderBy == query.ByEventTime {
		s.order = "e.event_time " + direction + ", e.seq " + direction
		if at != nil {
			s.and("(e.event_time, e.seq) "+beyond+" (?, ?)", at.time, at.seq)
		}
		return s
	}
	s.order = "e.seq " + direction
	if at != nil {
		s.and("e.seq "+beyond+" ?", at.seq)
	}
	return s
}

func text[T ~string](s *filter, column string, values []T) {
	if len(values) == 0 {
		return
	}
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	s.and(column+" = any (?)", list)
}

// places narrows by places that are asked for as they are; what is within
// another is left to the last word.
func places(s *filter, column string, asked []query.Place) {
	var keys []string
	for _, p := range asked {
		if p.Within {
			return
		}
		keys = append(keys, p.Key)
	}
	text(s, column, keys)
}

func span(s *filter, column string, asked query.Span) {
	if !asked.From.IsZero() {
		s.and(column+" >= ?", asked.From)
	}
	if !asked.To.IsZero() {
		s.and(column+" < ?", asked.To)
	}
}

// items narrows by the things an event names. A family is looked up by its
// GTIN; one without is left to the last word.
func items(s *filter, m *query.ItemMatch) {
	var roles []int16
	classes := false
	for _, r := range m.Roles {
		roles = append(roles, itemRoles[r]...)
		classes = classes || itemRoles[r] == nil
	}
	keys, gtins := []string{}, []string{}
	for _, p := range m.Items {
		if !p.Family {
			keys = append(keys, p.Key)
			continue
		}
		gtin, ok := strings.CutPrefix(p.Key, "01/")
		if !ok || classes {
			return
		}
		gtins = append(gtins, gtin)
	}
	if classes {
		s.and("e.seq in (select q.event from custody.event_quantity q where q.chain_id = $1 and q.class = any (?))", keys)
		return
	}
	// An item's first event stands on the item itself.
	which, args := "i.key = any (?)", []any{keys}
	if len(gtins) > 0 {
		which, args = "(i.key = any (?) or i.gtin = any (?))", []any{keys, gtins}
	}
	both := append(append([]any{}, args...), roles)
	s.and(`e.seq in (select x.event from custody.item i join custody.event_item x on x.chain_id = i.chain_id and x.item = i.id
                 where i.chain_id = $1 and `+which+` and x.role = any (?)
                union
                select i.first_event from custody.item i where i.chain_id = $1 and `+which+` and i.first_role = any (?))`,
		append(both, both...)...)
}

// refKey is how a transaction or party is kept: by its canonical key where it
// has one.
func refKey(s string) string {
	id, err := gs1.Parse(s)
	if err != nil && !gs1.IsCheckDigit(err) {
		return s
	}
	return id.Key()
}

// sql is the statement that reads the next chunk.
func (s *filter) sql() string {
	s.args = append(s.args, chunk)
	return `select e.seq, (select n.recorded_at from custody.entry n where n.chain_id = $1 and n.seq = e.seq),
       e.document, e.ordinal, e.hash, e.event_id, e.body
  from custody.event e
 where e.chain_id = $1` + s.where.String() + `
 order by ` + s.order + `
 limit $` + strconv.Itoa(len(s.args))
}

// events reads one chunk.
func events(ctx context.Context, tx pgx.Tx, s *filter) ([]dscsa.Recorded, error) {
	rows, err := tx.Query(ctx, s.sql(), s.args...)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (dscsa.Recorded, error) {
		var r dscsa.Recorded
		var hash, raw []byte
		var id string
		err := row.Scan(&r.Seq, &r.RecordedAt, &r.Document, &r.Ordinal, &hash, &id, &raw)
		if err == nil {
			r.Event, err = decodeEvent(raw)
		}
		copy(r.Hash[:], hash)
		r.EventID = id // as given, or the one it was given here
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return out, nil
}
