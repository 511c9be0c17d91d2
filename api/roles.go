package api

import (
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Who may do what. A route without an entry does not start.
var (
	everybody = []string{"marketplace", "finance_preparer", "finance_reviewer", "recall_operator", "auditor", "operator"}
	// Who proposes; which action is decided by whom is app.approval_rule's.
	finance    = []string{"finance_preparer", "finance_reviewer"}
	readsBooks = []string{"finance_preparer", "finance_reviewer", "auditor"}
	// Who looks after the register of partners and products.
	keepsRegister = []string{"operator", "recall_operator"}
	// A trading partner sees its own documents, and the handler that they are.
	andPartners = []string{"marketplace", "finance_preparer", "finance_reviewer", "recall_operator", "auditor", "operator", "trading_partner"}
	roles       = map[string][]string{
		"createBooking":      {"marketplace"},
		"cancelSaga":         {"marketplace", "operator"},
		"listSagas":          everybody,
		"getSaga":            everybody,
		"sagaEvents":         everybody,
		"createStreamTicket": everybody,
		"proposeResolution":  {"operator", "finance_preparer"},
		"decideApproval":     {"operator", "recall_operator", "finance_reviewer"},
		"getApproval":        {"operator", "recall_operator", "finance_preparer", "finance_reviewer", "auditor"},
		"listApprovals":      {"operator", "recall_operator", "finance_preparer", "finance_reviewer", "auditor"},
		"trialBalance":       {"finance_preparer", "finance_reviewer", "auditor"},
		"postTransaction":    {"marketplace"},
		"ledgerTransactions": {"marketplace", "finance_preparer", "finance_reviewer", "auditor", "operator"},

		"createPartner":     keepsRegister,
		"addLicence":        keepsRegister,
		"bindPartnerKey":    {"operator"},
		"createProduct":     keepsRegister,
		"listPartners":      everybody,
		"getPartner":        everybody,
		"listProducts":      everybody,
		"listQuarantines":   {"operator", "recall_operator", "auditor"},
		"placeQuarantine":   keepsRegister,
		"releaseQuarantine": keepsRegister,
		"trace":             {"operator", "recall_operator", "auditor", "marketplace"},
		"createTransfer":    {"marketplace"},
		"createReturn":      {"marketplace"},
		"getTransfer":       andPartners,
		"transferT3":        andPartners,
		"receiveTransfer":   {"marketplace", "operator", "trading_partner"},
		"proposeReview":     {"operator", "recall_operator"},

		"epcisDiscover":       andPartners,
		"epcisResources":      andPartners,
		"captureDiscover":     andPartners,
		"capture":             {"operator", "trading_partner"},
		"captureJobs":         andPartners,
		"captureJob":          andPartners,
		"eventsDiscover":      andPartners,
		"queryEvents":         andPartners,
		"captureEvent":        {"operator", "trading_partner"},
		"getEvent":            andPartners,
		"listEventTypes":      andPartners,
		"eventsOfType":        andPartners,
		"listEPCs":            everybody,
		"eventsOfEPC":         andPartners,
		"listBizSteps":        everybody,
		"eventsOfBizStep":     andPartners,
		"listDispositions":    everybody,
		"eventsOfDisposition": andPartners,
		"listReadPoints":      everybody,
		"eventsOfReadPoint":   andPartners,
		"listBizLocations":    everybody,
		"eventsOfBizLocation": andPartners,

		"listLegalHolds":         {"operator", "recall_operator", "auditor"},
		"placeLegalHold":         keepsRegister,
		"proposeLegalHoldLift":   keepsRegister,
		"getRetention":           {"operator", "recall_operator", "auditor"},
		"listDueDocuments":       {"operator", "recall_operator", "auditor"},
		"proposePurge":           keepsRegister,
		"listPurges":             {"operator", "recall_operator", "auditor"},
		"runPurge":               keepsRegister,
		"custodyCheckpoint":      {"operator", "recall_operator", "auditor"},
		"listCustodyCheckpoints": {"operator", "recall_operator", "auditor"},
		"custodyProof":           {"operator", "recall_operator", "auditor"},

		"proposeJournal":      finance,
		"proposeReversal":     finance,
		"proposeAccount":      finance,
		"proposeAccountClose": finance,
		"proposePeriodMove":   finance,
		"listAccounts":        readsBooks,
		"accountBalance":      readsBooks,
		"listPeriods":         readsBooks,
		"getPeriod":           readsBooks,
		"ledgerEntries":       {"finance_preparer", "finance_reviewer", "auditor"},
		"getReport":           {"finance_preparer", "finance_reviewer", "auditor"},
		"ledgerCheckpoint":    {"finance_preparer", "finance_reviewer", "auditor", "operator"},
		"ledgerProof":         {"finance_preparer", "finance_reviewer", "auditor", "operator"},
	}
)

// keyless are the changing operations that take no Idempotency-Key.
var keyless = map[string]bool{"createStreamTicket": true}

// An operation is a route of the contract.
type operation struct {
	path string // as in the document
	item *openapi3.PathItem
	op   *openapi3.Operation
	open bool // needs no credential
}

// operations lists the contract's routes as Gin names them.
func operations(document *openapi3.T) (map[string]operation, error) {
	out := map[string]operation{}
	for path, item := range document.Paths.Map() {
		for method, op := range item.Operations() {
			open := op.Security != nil && len(*op.Security) == 0
			if _, ok := roles[op.OperationID]; !ok && !open {
				return nil, fmt.Errorf("%s %s has no roles", method, path)
			}
			route := strings.NewReplacer("{", ":", "}", "").Replace(path)
			out[method+" "+route] = operation{path: path, item: item, op: op, open: open}
		}
	}
	return out, nil
}
