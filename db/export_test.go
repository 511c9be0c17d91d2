package db

import "context"

// MigrateTo brings a database to an older version, for tests of what comes after.
func MigrateTo(ctx context.Context, url string, version int64) error {
	return migrate(ctx, url, version)
}
