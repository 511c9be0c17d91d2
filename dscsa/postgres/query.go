package postgres

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/internal/pgtenant"
)

// EventQuery is the part of EPCIS 2.0's SimpleEventQuery (section 8.2.7.1)
// that is answered. Lists are alternatives; what is given must all hold.
// Identifiers may be spelled any way.
type EventQuery struct {
	Types                 []epcis.EventType
	EventTimeFrom         time.Time // GE_eventTime
	EventTimeBefore       time.Time // LT_eventTime
	RecordTimeFrom        time.Time // GE_recordTime
	RecordTimeBefore      time.Time // LT_recordTime
	Actions               []epcis.Action
	BizSteps              []string // bare CBV words or URIs, as events hold them
	Dispositions          []string
	ReadPoints            []string
	BizLocations          []string
	EventIDs              []string
	TransformationIDs     []string
	Declared              *bool    // EXISTS_errorDeclaration
	EPCs                  []string // MATCH_epc: in epcList or childEPCs
	Parents               []string // MATCH_parentID
	InputEPCs, OutputEPCs []string
	AnyEPCs               []string            // MATCH_anyEPC
	AnyClasses            []string            // MATCH_anyEPCClass
	Transactions          map[string][]string // EQ_bizTransaction_type; type "" is any
	Sources, Destinations map[string][]string
	ByRecordTime          bool // orderBy recordTime instead of eventTime
	Ascending             bool // orderDirection ASC
	PerPage               int  // 1 to 1000; 0: 30
	After                 string
}

// ErrPageToken means that a page token is not one this query gave.
var ErrPageToken = errors.New("nextPageToken is not one this query gave")

// Page is some events of an answer.
type Page struct {
	Events []dscsa.Recorded
	Next   string // token of the next page; "": this is the last
}

// condition collects the parts of a where clause and their parameters.
type condition struct {
	parts []string
	args  []any
}

func (c *condition) add(format string, arg any) {
	c.args = append(c.args, arg)
	c.parts = append(c.parts, strings.ReplaceAll(format, "?", "$"+strconv.Itoa(len(c.args))))
}

func (c *condition) oneOf(column string, list []string) {
	if len(list) > 0 {
		c.add(column+" = any(?)", list)
	}
}

// Query answers one page of events, the latest first unless asked otherwise.
func (st *Store) Query(ctx context.Context, tenant uuid.UUID, q EventQuery) (page Page, err error) {
	if q.PerPage == 0 {
		q.PerPage = 30
	}
	if q.PerPage < 1 || q.PerPage > 1000 {
		return page, fmt.Errorf("a page has 1 to 1000 events, not %d", q.PerPage)
	}
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		sql, args, err := q.sql(s.id)
		if err != nil {
			return err
		}
		page.Events, err = collect(ctx, tx, "query events", sql, scanRecorded, args...)
		return err
	})
	if err == nil && len(page.Events) > q.PerPage {
		page.Events = page.Events[:q.PerPage]
		page.Next = q.token(&page.Events[q.PerPage-1])
	}
	return page, err
}

func (q *EventQuery) sql(chain int32) (sql string, args []any, err error) {
	c := &condition{}
	c.add("e.chain_id = ?", chain)
	types, actions := make([]string, len(q.Types)), make([]string, len(q.Actions))
	for i, t := range q.Types {
		types[i] = string(t)
	}
	for i, a := range q.Actions {
		actions[i] = string(a)
	}
	c.oneOf("e.type", types)
	c.oneOf("e.action", actions)
	c.oneOf("e.biz_step", q.BizSteps)
	c.oneOf("e.disposition", q.Dispositions)
	c.oneOf("e.read_point", keysOf(q.ReadPoints))
	c.oneOf("e.biz_location", keysOf(q.BizLocations))
	c.oneOf("e.event_id", q.EventIDs)
	c.oneOf("e.transformation", q.TransformationIDs)
	if q.Declared != nil {
		c.add("e.declared = ?", *q.Declared)
	}
	for _, t := range []struct {
		column string
		at     time.Time
	}{
		{"e.event_time >= ?", q.EventTimeFrom},
		{"e.event_time < ?", q.EventTimeBefore},
		{"n.recorded_at >= ?", q.RecordTimeFrom},
		{"n.recorded_at < ?", q.RecordTimeBefore},
	} {
		if !t.at.IsZero() {
			c.add(t.column, t.at)
		}
	}
	for _, m := range []struct {
		list  []string
		roles string
	}{{q.EPCs, "0, 2"}, {q.Parents, "1"}, {q.InputEPCs, "3"}, {q.OutputEPCs, "4"}, {q.AnyEPCs, "0, 1, 2, 3, 4"}} {
		if len(m.list) > 0 {
			c.add(`e.seq in (select x.event from custody.item i join custody.event_item x on x.chain_id = $1 and x.item = i.id and x.role in (`+m.roles+`)
                where i.chain_id = $1 and i.key = any(?)
               union select i.first_event from custody.item i where i.chain_id = $1 and i.key = any(?) and i.first_role in (`+m.roles+`))`, keysOf(m.list))
		}
	}
	if len(q.AnyClasses) > 0 {
		c.add("e.seq in (select y.event from custody.event_quantity y where y.chain_id = $1 and y.class = any(?))", keysOf(q.AnyClasses))
	}
	for kind, m := range []map[string][]string{q.Transactions, q.Sources, q.Destinations} {
		for typ, list := range m {
			sub := fmt.Sprintf("e.seq in (select r.event from custody.event_ref r where r.chain_id = $1 and r.kind = %d and r.ref = any(?)", kind+1)
			if typ == "" {
				c.add(sub+")", keysOf(list))
				continue
			}
			c.add(sub, keysOf(list))
			last := c.parts[len(c.parts)-1]
			c.parts = c.parts[:len(c.parts)-1]
			c.add(last+" and r.type = ?)", typ)
		}
	}
	order, direction, compare := "e.event_time", "desc", "<"
	if q.Ascending {
		direction, compare = "asc", ">"
	}
	if q.After != "" {
		at, seq, err := parseToken(q.After)
		if err != nil {
			return "", nil, err
		}
		if q.ByRecordTime {
			c.add("e.seq "+compare+" ?", seq)
		} else {
			c.args = append(c.args, at, seq)
			c.parts = append(c.parts, fmt.Sprintf("(e.event_time, e.seq) %s ($%d, $%d)", compare, len(c.args)-1, len(c.args)))
		}
	}
	by := order + " " + direction + ", e.seq " + direction
	if q.ByRecordTime {
		by = "e.seq " + direction // entries are recorded in their order
	}
	return `select e.seq, e.hash, e.document, e.ordinal, e.event_id, e.body, n.recorded_at
  from custody.event e join custody.entry n on n.chain_id = $1 and n.seq = e.seq
 where ` + strings.Join(c.parts, "\n   and ") + "\n order by " + by + "\n limit " + strconv.Itoa(q.PerPage+1), c.args, nil
}

func keysOf(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = keyOf(s)
	}
	return out
}

// A token is the place of the last event of a page.
func (q *EventQuery) token(e *dscsa.Recorded) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", e.EventTime.UnixMicro(), e.Seq))
}

func parseToken(s string) (at time.Time, seq int64, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return at, 0, ErrPageToken
	}
	micros, rest, ok := strings.Cut(string(raw), ".")
	m, err1 := strconv.ParseInt(micros, 10, 64)
	seq, err2 := strconv.ParseInt(rest, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return at, 0, ErrPageToken
	}
	return time.UnixMicro(m).UTC(), seq, nil
}

// Listing is what the events of a tenant have in a column, for EPCIS 2.0's
// listings.
type Listing string

// The listings.
const (
	EventTypes   Listing = "type"
	BizSteps     Listing = "biz_step"
	Dispositions Listing = "disposition"
)

// List is every value that the tenant's events have, in order, after one; at
// most limit.
func (st *Store) List(ctx context.Context, tenant uuid.UUID, what Listing, after string, limit int) (out []string, err error) {
	switch what {
	case EventTypes, BizSteps, Dispositions:
	default:
		return nil, fmt.Errorf("there is no listing of %q", what)
	}
	sql := fmt.Sprintf(`select distinct %[1]s collate "C" as v from custody.event where chain_id = $1 and %[1]s > $2 collate "C" order by v limit $3`, string(what))
	return st.list(ctx, tenant, sql, after, limit)
}

// EPCs is every thing that the tenant's events name, by key, in order, after
// one; at most limit.
func (st *Store) EPCs(ctx context.Context, tenant uuid.UUID, after string, limit int) ([]string, error) {
	return st.list(ctx, tenant, `select key from custody.item where chain_id = $1 and key > $2 order by key limit $3`, after, limit)
}

func (st *Store) list(ctx context.Context, tenant uuid.UUID, sql, after string, limit int) (out []string, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		out, err = collect(ctx, tx, "list", sql, func(rows pgx.Rows) (v string, err error) { return v, rows.Scan(&v) }, s.id, after, limit)
		return err
	})
	return out, err
}
