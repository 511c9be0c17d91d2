package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/internal/pgtenant"
)

var sqlInventory = statement("queries/inventory")

// InventoryFilter selects packages; its zero is all of them.
type InventoryFilter struct {
	GTIN, Lot      string
	Owner          string    // GLN
	ExpiringBefore time.Time // what expires before that day; unknown expiries are left out
	Sellable       *bool
}

// Stock is a package as it stands, with what the law wants known of it to be
// sold: its product's master data, lot and expiry.
type Stock struct {
	dscsa.Unit

	Name, NDC, Manufacturer string     // "" when the product is not on record
	Code                    dscsa.Code // why it cannot be sold by its owner today; "" it can
	Why                     string
}

// How many things a page looks at, at most, when it filters them; a page of
// which little passes is short and goes on.
const inventoryWindow = 5000

// Inventory is a page of packages by their keys, those of a lot in the order in
// which they became known, after one: at most limit, and where to go on; "" is
// the end. A page can be short, or empty, and not the
// last one. Containers are not listed; what is in them is. Three statements,
// whatever the size.
func (st *Store) Inventory(ctx context.Context, tenant uuid.UUID, f InventoryFilter, after string, today time.Time, limit int) (out []Stock, next string, err error) {
	from, to := "01/", "010" // what has a GTIN
	if f.GTIN != "" {
		from, to = "01/"+f.GTIN+"/", "01/"+f.GTIN+"0"
	}
	if f.Lot == "" {
		after = max(from, after)
	}
	window := 2 * (limit + 1)
	if f.Owner != "" || !f.ExpiringBefore.IsZero() || f.Sellable != nil {
		window = max(window, inventoryWindow)
	}
	var before *time.Time
	if !f.ExpiringBefore.IsZero() {
		before = &f.ExpiringBefore
	}
	var found []*item
	var upto pgtype.Text
	var looked int64
	stock := map[int64]*Stock{}
	promised := map[int64]string{}
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s := &session{tx: tx, tenant: tenant}
		_, err := collect(ctx, tx, "read the inventory", sqlInventory, func(rows pgx.Rows) (struct{}, error) {
			var parent, saga string
			x := &Stock{}
			i, err := scanStock(rows, &upto, &looked, &s.id, x, &parent, &saga)
			if i != nil {
				x.Unit = i.unit()
				x.Parent = parent
				found, stock[i.id], promised[i.id] = append(found, i), x, saga
			}
			return struct{}{}, err
		}, tenant, after, to, window, f.Lot, f.Owner, before, f.GTIN)
		if err != nil || len(found) == 0 {
			return err
		}
		holds, err := s.holdsOver(ctx, found)
		for id, h := range holds {
			stock[id].Holds = h
		}
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if looked == int64(window) {
		next = upto.String
	}
	for _, i := range found {
		x := stock[i.id]
		x.judge(promised[i.id], today)
		if f.Sellable != nil && *f.Sellable != (x.Code == "") {
			continue
		}
		if len(out) == limit {
			return out, out[limit-1].Key, nil
		}
		out = append(out, *x)
	}
	return out, next, nil
}

// judge says whether its owner can sell it today, by the rules that a
// reservation goes by.
func (x *Stock) judge(promised string, today time.Time) {
	x.Code, x.Why = dscsa.Sellable(&x.Unit, x.Owner, today, true)
	switch {
	case x.Code != "":
	case x.Owner == "":
		x.Code, x.Why = dscsa.NotHolder, "nobody is known to own it"
	case x.Name == "":
		x.Code, x.Why = dscsa.ProductUnknown, "its product is not on record"
	case promised != "":
		x.Code, x.Why = dscsa.UnitReserved, "it is reserved for order "+promised
	}
}

// scanStock reads a row; nil when it only says how far the page came.
func scanStock(rows pgx.Rows, upto *pgtype.Text, looked *int64, chain *int32, x *Stock, parent, saga *string) (*item, error) {
	i := &item{}
	var head pgtype.Int4
	var expiry pgtype.Date
	var id, commissioned, conflict, within, last pgtype.Int8
	var at pgtype.Timestamptz
	var key, gtin, serial, lot, state, blocked, why, owner, holder, location pgtype.Text
	var sure pgtype.Bool
	var hops, version pgtype.Int4
	err := rows.Scan(upto, looked, &head, &id, &key, &gtin, &serial, &lot, &expiry, &state, &commissioned, &blocked, &conflict, &why,
		&owner, &sure, &holder, &location, &within, &at, &last, &hops, &version, &x.Name, &x.NDC, &x.Manufacturer, parent, saga)
	if err != nil || !id.Valid {
		return nil, err
	}
	*chain = head.Int32
	i.id, i.key, i.gtin, i.serial, i.version = id.Int64, key.String, gtin.String, serial.String, version.Int32
	i.Lot, i.State, i.Blocked, i.ConflictWhy = lot.String, dscsa.State(state.String), blocked.String, why.String
	i.Owner, i.OwnerSure, i.Holder, i.Location, i.Hops = owner.String, sure.Bool, holder.String, location.String, hops.Int32
	i.Commissioned, i.Conflict, i.Parent, i.LastEvent = commissioned.Int64, conflict.Int64, within.Int64, last.Int64
	if expiry.Valid {
		i.Expiry = expiry.Time
	}
	if at.Valid {
		i.LastAt = at.Time.UnixMicro()
	}
	return i, nil
}
