package postgres

import (
	"context"
	"embed"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

//go:embed queries/*.sql door/*.sql
var files embed.FS

// statement reads one of the files; a missing one is a fault of the build.
func statement(name string) string {
	raw, err := files.ReadFile(name + ".sql")
	if err != nil {
		panic(err)
	}
	return string(raw)
}

var (
	sqlLock           = statement("queries/lock")
	sqlDocumentKnown  = statement("queries/document_known")
	sqlEventsKnown    = statement("queries/events_known")
	sqlItemsByKey     = statement("queries/items_by_key")
	sqlItemsByID      = statement("queries/items_by_id")
	sqlItemsWithin    = statement("queries/items_within")
	sqlItemsAbove     = statement("queries/items_above")
	sqlHoldsOn        = statement("queries/holds_on")
	sqlFactsOf        = statement("queries/facts_of")
	sqlFactsBySeq     = statement("queries/facts_by_seq")
	sqlFactsDeclaring = statement("queries/facts_declaring")
	sqlHolds          = statement("queries/holds")
	sqlOwnersOfLot    = statement("queries/owners_of_lot")
	sqlHoldsPlaced    = statement("queries/holds_placed")
	sqlVerifyEntries  = statement("queries/verify_entries")
	sqlVerifyItems    = statement("queries/verify_items")
	sqlVerifyHops     = statement("queries/verify_hops")
	sqlGenesis        = statement("queries/genesis")
	sqlThingsKnown    = statement("queries/things_known")
	sqlChain          = statement("queries/chain")
	sqlHoldsInForce   = statement("queries/holds_in_force")
	sqlReserved       = statement("queries/reserved")
	sqlReservedSeller = statement("queries/reserved_seller")
	sqlLotEvents      = statement("queries/lot_events")
	sqlKeys           = statement("queries/keys")
	sqlHops           = statement("queries/hops")
	sqlEventsBySeq    = statement("queries/events_by_seq")
	sqlHold           = statement("queries/hold")
	sqlDocument       = statement("queries/document")
	sqlDocumentPart   = statement("queries/document_part")
	sqlEventByID      = statement("queries/event_by_id")
	sqlEventBySeq     = statement("queries/event_by_seq")
	sqlEventToProve   = statement("queries/event_to_prove")
	sqlSeesAll        = statement("queries/sees_all")
	sqlChains         = statement("queries/chains")
	sqlOrphans        = statement("queries/orphans")

	sqlAppend      = statement("door/append")
	sqlProject     = statement("door/project")
	sqlPutPart     = statement("door/put_part")
	sqlPlaceHold   = statement("door/place_hold")
	sqlReleaseHold = statement("door/release_hold")
	sqlCover       = statement("door/cover")
	sqlRetain      = statement("door/retain")
	sqlReserve     = statement("door/reserve")
	sqlUnreserve   = statement("door/unreserve")
)

// session is custody of one tenant in one transaction. Of the head, what the
// session has written itself is part.
type session struct {
	tx     pgx.Tx
	tenant uuid.UUID
	head

	calls calls
}

// collect runs a query and scans each row with into.
func collect[T any](ctx context.Context, tx pgx.Tx, what, sql string, into func(pgx.Rows) (T, error), args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return scanned(what, rows, into)
}

// scanned scans each row with into.
func scanned[T any](what string, rows pgx.Rows, into func(pgx.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := into(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return out, nil
}
