package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// An Answer is a whole response: one just made, or one that was stored.
type Answer struct {
	Status int
	Header map[string]string
	Body   []byte
}

// jsonAnswer is a value as a response.
func jsonAnswer(status int, v any, header ...string) (Answer, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Answer{}, fmt.Errorf("encode the answer: %w", err)
	}
	a := Answer{Status: status, Header: map[string]string{"Content-Type": "application/json"}, Body: append(body, '\n')}
	for i := 0; i+1 < len(header); i += 2 {
		a.Header[header[i]] = header[i+1]
	}
	return a, nil
}

func (a Answer) with(name, value string) Answer {
	header := map[string]string{name: value}
	for n, v := range a.Header {
		if n != name {
			header[n] = v
		}
	}
	a.Header = header
	return a
}

func (a Answer) write(w http.ResponseWriter) error {
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	if a.Status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	w.WriteHeader(a.Status)
	if _, err := w.Write(a.Body); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// An Answer answers every operation of the contract.

// VisitHealthzResponse and its siblings implement the generated interfaces.
func (a Answer) VisitHealthzResponse(w http.ResponseWriter) error             { return a.write(w) }
func (a Answer) VisitReadyzResponse(w http.ResponseWriter) error              { return a.write(w) }
func (a Answer) VisitVersionResponse(w http.ResponseWriter) error             { return a.write(w) }
func (a Answer) VisitCreateBookingResponse(w http.ResponseWriter) error       { return a.write(w) }
func (a Answer) VisitCreatePartnerResponse(w http.ResponseWriter) error       { return a.write(w) }
func (a Answer) VisitListPartnersResponse(w http.ResponseWriter) error        { return a.write(w) }
func (a Answer) VisitGetPartnerResponse(w http.ResponseWriter) error          { return a.write(w) }
func (a Answer) VisitAddLicenceResponse(w http.ResponseWriter) error          { return a.write(w) }
func (a Answer) VisitBindPartnerKeyResponse(w http.ResponseWriter) error      { return a.write(w) }
func (a Answer) VisitCreateProductResponse(w http.ResponseWriter) error       { return a.write(w) }
func (a Answer) VisitListProductsResponse(w http.ResponseWriter) error        { return a.write(w) }
func (a Answer) VisitListQuarantinesResponse(w http.ResponseWriter) error     { return a.write(w) }
func (a Answer) VisitPlaceQuarantineResponse(w http.ResponseWriter) error     { return a.write(w) }
func (a Answer) VisitReleaseQuarantineResponse(w http.ResponseWriter) error   { return a.write(w) }
func (a Answer) VisitTraceResponse(w http.ResponseWriter) error               { return a.write(w) }
func (a Answer) VisitCreateTransferResponse(w http.ResponseWriter) error      { return a.write(w) }
func (a Answer) VisitGetTransferResponse(w http.ResponseWriter) error         { return a.write(w) }
func (a Answer) VisitTransferT3Response(w http.ResponseWriter) error          { return a.write(w) }
func (a Answer) VisitReceiveTransferResponse(w http.ResponseWriter) error     { return a.write(w) }
func (a Answer) VisitProposeReviewResponse(w http.ResponseWriter) error       { return a.write(w) }
func (a Answer) VisitCreateReturnResponse(w http.ResponseWriter) error        { return a.write(w) }
func (a Answer) VisitListSagasResponse(w http.ResponseWriter) error           { return a.write(w) }
func (a Answer) VisitGetSagaResponse(w http.ResponseWriter) error             { return a.write(w) }
func (a Answer) VisitSagaEventsResponse(w http.ResponseWriter) error          { return a.write(w) }
func (a Answer) VisitCancelSagaResponse(w http.ResponseWriter) error          { return a.write(w) }
func (a Answer) VisitProposeResolutionResponse(w http.ResponseWriter) error   { return a.write(w) }
func (a Answer) VisitListApprovalsResponse(w http.ResponseWriter) error       { return a.write(w) }
func (a Answer) VisitGetApprovalResponse(w http.ResponseWriter) error         { return a.write(w) }
func (a Answer) VisitDecideApprovalResponse(w http.ResponseWriter) error      { return a.write(w) }
func (a Answer) VisitCreateStreamTicketResponse(w http.ResponseWriter) error  { return a.write(w) }
func (a Answer) VisitTrialBalanceResponse(w http.ResponseWriter) error        { return a.write(w) }
func (a Answer) VisitPostTransactionResponse(w http.ResponseWriter) error     { return a.write(w) }
func (a Answer) VisitLedgerTransactionsResponse(w http.ResponseWriter) error  { return a.write(w) }
func (a Answer) VisitProposeJournalResponse(w http.ResponseWriter) error      { return a.write(w) }
func (a Answer) VisitProposeReversalResponse(w http.ResponseWriter) error     { return a.write(w) }
func (a Answer) VisitListAccountsResponse(w http.ResponseWriter) error        { return a.write(w) }
func (a Answer) VisitProposeAccountResponse(w http.ResponseWriter) error      { return a.write(w) }
func (a Answer) VisitProposeAccountCloseResponse(w http.ResponseWriter) error { return a.write(w) }
func (a Answer) VisitAccountBalanceResponse(w http.ResponseWriter) error      { return a.write(w) }
func (a Answer) VisitListPeriodsResponse(w http.ResponseWriter) error         { return a.write(w) }
func (a Answer) VisitGetPeriodResponse(w http.ResponseWriter) error           { return a.write(w) }
func (a Answer) VisitProposePeriodMoveResponse(w http.ResponseWriter) error   { return a.write(w) }
func (a Answer) VisitLedgerEntriesResponse(w http.ResponseWriter) error       { return a.write(w) }
func (a Answer) VisitGetReportResponse(w http.ResponseWriter) error           { return a.write(w) }
func (a Answer) VisitLedgerCheckpointResponse(w http.ResponseWriter) error    { return a.write(w) }
func (a Answer) VisitLedgerProofResponse(w http.ResponseWriter) error         { return a.write(w) }
func (a Answer) VisitListActionsResponse(w http.ResponseWriter) error         { return a.write(w) }
func (a Answer) VisitActionProofResponse(w http.ResponseWriter) error         { return a.write(w) }

func (a Answer) VisitListInvestigationsResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitOpenInvestigationResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitGetInvestigationResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitListVerificationsResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitRecordVerificationsResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitListMatchesResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitClearedNoticeResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitClearInvestigationResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitDetermineIllegitimateResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitRecordDispositionResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitFollowNotificationResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitListNotificationsResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitGetNotificationResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitAmendNotificationResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitSubmitNotificationResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitRecordIncidentResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitListInventoryResponse(w http.ResponseWriter) error { return a.write(w) }
func (a Answer) VisitVerifyPartnerResponse(w http.ResponseWriter) error { return a.write(w) }
