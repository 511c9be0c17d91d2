package investigation

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/tradebook"
)

// Book shows investigations and notifications of all tenants.
type Book struct{ pool *pgxpool.Pool }

// New returns the book behind pool, whose role is app_api.
func New(pool *pgxpool.Pool) *Book { return &Book{pool: pool} }

func (b *Book) read(ctx context.Context, tenant uuid.UUID, fn func(ctx context.Context, d *Desk) error) error {
	return pgtenant.ReadTx(ctx, b.pool, tenant, func(ctx context.Context, tx pgx.Tx) error { return fn(ctx, At(tx, tenant)) })
}

// Investigation is one as it stands. ErrNotFound.
func (b *Book) Investigation(ctx context.Context, tenant uuid.UUID, id string) (v *Investigation, err error) {
	err = b.read(ctx, tenant, func(ctx context.Context, d *Desk) (err error) {
		v, err = d.Investigation(ctx, id)
		return err
	})
	return v, err
}

// Investigations is a page of them, newest first; state "" is any.
func (b *Book) Investigations(ctx context.Context, tenant uuid.UUID, state State, after tradebook.After, limit int) (out []*Investigation, err error) {
	err = b.read(ctx, tenant, func(ctx context.Context, d *Desk) (err error) {
		out, err = collect(ctx, d.tx, "read investigations", sqlInvestigations, scanInvestigation, tenant, "", string(state), after.At, after.ID, limit)
		return err
	})
	return out, err
}

// Verifications are what was said of the packages of an investigation, newest
// first, from before one; 0 is the beginning. ErrNotFound.
func (b *Book) Verifications(ctx context.Context, tenant uuid.UUID, id string, before int64, limit int) (out []Verification, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = b.read(ctx, tenant, func(ctx context.Context, d *Desk) (err error) {
		if _, err := d.find(ctx, id); err != nil {
			return err
		}
		out, err = collect(ctx, d.tx, "read verifications", sqlVerifications, func(row pgx.CollectableRow) (v Verification, err error) {
			err = row.Scan(&v.N, &v.Unit, &v.Result, &v.Failure, &v.Source, &v.Note, &v.At, &v.By)
			return v, err
		}, tenant, id, before, limit)
		return err
	})
	return out, err
}

// Matches are the units under an investigation that came in, or moved, since
// its hold was placed, by their keys, after one. ErrNotFound.
func (b *Book) Matches(ctx context.Context, tenant uuid.UUID, id, after string, limit int) (out []Match, err error) {
	err = b.read(ctx, tenant, func(ctx context.Context, d *Desk) (err error) {
		if _, err := d.find(ctx, id); err != nil {
			return err
		}
		out, err = collect(ctx, d.tx, "read matches", sqlMatches, func(row pgx.CollectableRow) (m Match, err error) {
			err = row.Scan(&m.Unit, &m.GTIN, &m.Serial, &m.Lot, &m.State, &m.Owner, &m.New, &m.Event, &m.BizStep, &m.EventTime, &m.Document, &m.Sender)
			return m, err
		}, tenant, id, after, limit)
		return err
	})
	return out, err
}

// Notification is one as it stands. ErrNotFound.
func (b *Book) Notification(ctx context.Context, tenant uuid.UUID, id string) (n *Notification, err error) {
	err = b.read(ctx, tenant, func(ctx context.Context, d *Desk) (err error) {
		n, err = d.Notification(ctx, id)
		return err
	})
	return n, err
}

// Notifications is a page of them, what is due first, those without a time
// last; of one investigation, or of all with "". open leaves out what is
// submitted.
func (b *Book) Notifications(ctx context.Context, tenant uuid.UUID, of string, open bool, after tradebook.After, limit int) (out []*Notification, err error) {
	err = b.read(ctx, tenant, func(ctx context.Context, d *Desk) (err error) {
		out, err = d.notifications(ctx, "", of, open, after, limit)
		return err
	})
	return out, err
}

// ClearedNotice is what FDA is told by e-mail of product that it had asked about
// and that is cleared, or would be today. ErrNotFound, also when it had not
// asked.
func (b *Book) ClearedNotice(ctx context.Context, tenant uuid.UUID, id string, today time.Time) (text string, err error) {
	err = b.read(ctx, tenant, func(ctx context.Context, d *Desk) error {
		v, err := d.find(ctx, id)
		if err != nil {
			return err
		}
		if v.FDAAskedOn == nil || v.State != Open && v.State != Cleared {
			return ErrNotFound
		}
		packs, err := d.packages(ctx, id)
		text = clearedNotice(v, packs, today)
		return err
	})
	return text, err
}

// Investigation is one as it stands, with its progress. ErrNotFound.
func (d *Desk) Investigation(ctx context.Context, id string) (*Investigation, error) {
	v, err := d.find(ctx, id)
	if err == nil && v.State == Open {
		err = d.count(ctx, v)
	}
	return v, err
}

// find is an investigation without the progress of what is open.
func (d *Desk) find(ctx context.Context, id string) (*Investigation, error) {
	found, err := collect(ctx, d.tx, "read investigations", sqlInvestigations, scanInvestigation, d.tenant, id, "", time.Time{}, "", 1)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return found[0], nil
}

func (d *Desk) count(ctx context.Context, v *Investigation) error {
	_, err := collect(ctx, d.tx, "count verifications", sqlProgress, func(row pgx.CollectableRow) (struct{}, error) {
		p := &v.Progress
		return struct{}{}, row.Scan(&p.Packages, &p.Required, &p.Verified, &p.Failed)
	}, d.tenant, v.ID)
	return err
}

func scanInvestigation(row pgx.CollectableRow) (*Investigation, error) {
	v, e, x := &Investigation{}, &End{}, &Disposition{}
	p := &v.Progress
	var endedAt, disposedAt, disposedOn *time.Time
	err := row.Scan(&v.ID, &v.State, &v.Company, &v.CompanyName, &v.Role, &v.Suspicion, &v.Summary, &v.Units, &v.GTIN, &v.Lot, &v.Hold,
		&v.FDAAskedOn, &v.FDAOffice, &v.OpenedAt, &v.OpenedBy, &p.Packages, &p.Required, &p.Verified, &p.Failed,
		&endedAt, &e.By, &e.Person, &e.Position, &e.Summary, &e.FDAToldAt, &e.Hold, &x.Method, &disposedOn, &x.Summary, &disposedAt, &x.By)
	if endedAt != nil {
		e.At, v.End = *endedAt, e
	}
	if disposedAt != nil && disposedOn != nil {
		x.At, x.ConcludedOn, v.Disposition = *disposedAt, *disposedOn, x
	}
	return v, err
}

func (d *Desk) packages(ctx context.Context, id string) ([]pack, error) {
	return collect(ctx, d.tx, "read packages", sqlPackages, func(row pgx.CollectableRow) (p pack, err error) {
		err = row.Scan(&p.lot, &p.expiry, &p.packages, &p.serials, &p.name, &p.strength, &p.dosageForm, &p.ndc, &p.containerSize)
		return p, err
	}, d.tenant, id, listSerials)
}
