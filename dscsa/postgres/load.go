package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
)

// item is a row of the table.
type item struct {
	id                int64
	key, gtin, serial string
	version           int32
	firstEvent        int64 // of a new one: the event that names it
	firstRole         int16
	dscsa.Standing
}

func scanItem(rows pgx.Rows) (*item, error) {
	var i item
	var expiry pgtype.Date
	var commissioned, conflict, parent, last pgtype.Int8
	var at pgtype.Timestamptz
	err := rows.Scan(&i.id, &i.key, &i.gtin, &i.serial, &i.Lot, &expiry, &i.State, &commissioned, &i.Blocked, &conflict, &i.ConflictWhy,
		&i.Owner, &i.OwnerSure, &i.Holder, &i.Location, &parent, &at, &last, &i.Hops, &i.version)
	if expiry.Valid {
		i.Expiry = expiry.Time
	}
	i.Commissioned, i.Conflict, i.Parent, i.LastEvent = commissioned.Int64, conflict.Int64, parent.Int64, last.Int64
	if at.Valid {
		i.LastAt = at.Time.UnixMicro()
	}
	return &i, err
}

func (i *item) unit() dscsa.Unit {
	u := dscsa.Unit{
		ID: i.id, Key: i.key, GTIN: i.gtin, Serial: i.serial, Lot: i.Lot, Expiry: i.Expiry, State: i.State, Blocked: i.Blocked,
		ConflictWhy: i.ConflictWhy, Conflict: i.Conflict, Owner: i.Owner, OwnerSure: i.OwnerSure, Holder: i.Holder, Location: i.Location,
		ParentID: i.Parent, LastEvent: i.LastEvent, Hops: i.Hops, Version: i.version, Commissioned: i.Commissioned,
	}
	if i.LastAt != 0 {
		u.LastTime = time.UnixMicro(i.LastAt).UTC()
	}
	return u
}

func (s *session) items(ctx context.Context, sql string, arg any) ([]*item, error) {
	return collect(ctx, s.tx, "read items", sql, scanItem, s.id, arg)
}

func scanFact(rows pgx.Rows) (dscsa.Fact, error) {
	var f dscsa.Fact
	var at time.Time
	var hash, members, outputs []byte
	var parent pgtype.Int8
	var expiry pgtype.Date
	var typ, action, persistent, location, read string
	err := rows.Scan(&f.Seq, &at, &hash, &f.EventID, &f.Declared, &typ, &action, &f.BizStep, &f.Disposition, &persistent, &parent, &members,
		&outputs, &f.SourceOwner, &f.DestOwner, &f.DestHolder, &f.DestLocation, &location, &read, &f.Lot, &expiry, &f.Holds)
	if err != nil {
		return f, err
	}
	f.At, f.Type, f.Action, f.Parent = at.UnixMicro(), epcis.EventType(typ), epcis.Action(action), parent.Int64
	copy(f.Hash[:], hash)
	f.Members, f.Outputs = unpacked(members), unpacked(outputs)
	f.Set, f.Unset = unpackDispositions(persistent)
	if f.Location = placeOf(location); f.Location == "" {
		f.Location = placeOf(read)
	}
	if expiry.Valid {
		f.Expiry = expiry.Time
	}
	return f, nil
}

// placeOf is the GLN in a stored key, else the key.
func placeOf(key string) string {
	if rest, ok := strings.CutPrefix(key, "414/"); ok && len(rest) >= 13 {
		return rest[:13]
	}
	if rest, ok := strings.CutPrefix(key, "417/"); ok && len(rest) >= 13 {
		return rest[:13]
	}
	return key
}

// closure is everything that decides where some items stand: their events,
// those of all they have ever been in, and who else that concerns.
type closure struct {
	facts    []dscsa.Fact
	affected map[int64]bool // the items asked for and all that was ever in them
}

// gather reads the closure of some items. fresh are facts that are not stored
// yet, and change what was in what and when it was taken out: what the items
// were ever in is affected then as well.
func (s *session) gather(ctx context.Context, start []int64, fresh []dscsa.Fact) (*closure, error) {
	c := &closure{affected: map[int64]bool{}, facts: slices.Clone(fresh)}
	have := map[int64]bool{}
	var packings []int // facts that put something into something
	note := func(i int) {
		if f := &c.facts[i]; f.Type == epcis.AggregationEvent && f.Parent != 0 {
			packings = append(packings, i)
		}
	}
	for i := range c.facts {
		have[c.facts[i].Seq] = true
		note(i)
	}
	asked := map[int64]bool{}
	fetch := func(ids []int64) error {
		facts, err := collect(ctx, s.tx, "read events", sqlFactsOf, scanFact, s.id, ids)
		for _, f := range facts {
			if !have[f.Seq] {
				have[f.Seq] = true
				c.facts = append(c.facts, f)
				note(len(c.facts) - 1)
			}
		}
		return err
	}
	// Everything within reach goes into set; which way says what reach is.
	spread := func(set map[int64]bool, from []int64, which func(f *dscsa.Fact, add func(int64))) error {
		for _, id := range from {
			set[id] = true
		}
		for len(from) > 0 {
			var ask []int64
			for _, id := range from {
				if !asked[id] {
					asked[id] = true
					ask = append(ask, id)
				}
			}
			if len(ask) > 0 {
				if err := fetch(ask); err != nil {
					return err
				}
			}
			from = from[:0:0]
			for _, i := range packings {
				which(&c.facts[i], func(id int64) {
					if !set[id] {
						set[id] = true
						from = append(from, id)
					}
				})
			}
		}
		return nil
	}
	down := func(f *dscsa.Fact, add func(int64)) {
		if c.affected[f.Parent] {
			for _, id := range f.Members {
				add(id)
			}
		}
	}
	if err := spread(c.affected, start, down); err != nil {
		return nil, err
	}
	if len(fresh) > 0 {
		var around []int64
		for _, i := range packings {
			if f := &c.facts[i]; slices.ContainsFunc(f.Members, func(id int64) bool { return c.affected[id] }) {
				around = append(around, f.Parent)
			}
		}
		if err := spread(c.affected, around, down); err != nil {
			return nil, err
		}
	}
	needed := map[int64]bool{}
	from := make([]int64, 0, len(c.affected))
	for id := range c.affected {
		from = append(from, id)
	}
	err := spread(needed, from, func(f *dscsa.Fact, add func(int64)) {
		for _, id := range f.Members {
			if needed[id] {
				add(f.Parent)
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return c, s.complete(ctx, c, have, needed)
}

// complete adds what events alone do not tell: error declarations by id, and
// holds that were placed on items.
func (s *session) complete(ctx context.Context, c *closure, have, needed map[int64]bool) error {
	ids := make([]string, 0, len(c.facts))
	for i := range c.facts {
		ids = append(ids, c.facts[i].EventID)
	}
	declared, err := collect(ctx, s.tx, "read error declarations", sqlFactsDeclaring, scanFact, s.id, ids)
	if err != nil {
		return err
	}
	for _, f := range declared {
		if !have[f.Seq] {
			c.facts = append(c.facts, f)
		}
	}
	list := make([]int64, 0, len(needed))
	for id := range needed {
		list = append(list, id)
	}
	holds := map[int64]int{}
	_, err = collect(ctx, s.tx, "read holds", sqlHoldsPlaced, func(rows pgx.Rows) (struct{}, error) {
		var id, on int64
		var at time.Time
		if err := rows.Scan(&id, &at, &on); err != nil {
			return struct{}{}, err
		}
		if have[id] {
			return struct{}{}, nil // it is being placed now
		}
		i, ok := holds[id]
		if !ok {
			i = len(c.facts)
			holds[id] = i
			c.facts = append(c.facts, dscsa.Fact{Seq: id, At: at.UnixMicro(), Holds: []int64{id}})
		}
		c.facts[i].Members = append(c.facts[i].Members, on)
		return struct{}{}, nil
	}, s.id, list)
	return err
}
