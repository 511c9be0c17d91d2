package postgres

import "io/fs"

// Statements are the queries of one kind of chains. In all of them $1 is the
// chain's number, but in due and where a tenant comes first.
type Statements struct {
	due, leaves, tileCounts, tileHashes, tileRoots, lastSize, checkpointFor string // for the sealer and for proofs
	putCheckpoint, putCosignature                                           string // the sealer's doors
	checkpoints, tile, tileExtra                                            string // for an audit
}

// Load reads the statements from folder seal of an embedded tree. It panics
// when one is missing: the package that embeds them does not work at all.
func Load(files fs.FS) *Statements {
	read := func(name string) string {
		raw, err := fs.ReadFile(files, "seal/"+name+".sql")
		if err != nil {
			panic(err)
		}
		return string(raw)
	}
	return &Statements{
		due: read("due"), leaves: read("leaves"), tileCounts: read("tile_counts"), tileHashes: read("tile_hashes"), tileRoots: read("tile_roots"),
		lastSize: read("last_size"), checkpointFor: read("checkpoint_for"),
		putCheckpoint: read("put_checkpoint"), putCosignature: read("put_cosignature"),
		checkpoints: read("checkpoints"), tile: read("tile"), tileExtra: read("tile_extra"),
	}
}
