package postgres

// What the tests of plans look at: the statements as they are.
var (
	BalancesSQL  = balancesSQL
	EntriesSQL   = entriesSQL
	JournalSQL   = journalSQL
	MovementsSQL = movementsSQL
	TrailSQL     = trailSQL
	PageSQL      = pageSQL
	OfSagaSQL    = ofSaga
	OfOrderSQL   = ofOrder
	OfIDSQL      = ofID
)
