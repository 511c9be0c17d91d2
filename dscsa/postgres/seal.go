package postgres

import (
	"embed"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

//go:embed seal/*.sql
var sealFiles embed.FS

var sealSQL = sealpg.Load(sealFiles)

// NewSeals returns the sealer's store of custody chains. old are keys that
// signed before the present one: what they signed is continued.
func NewSeals(pool *pgxpool.Pool, old ...seal.PublicKey) *sealpg.Seals {
	return sealpg.New(pool, sealSQL, old...)
}
