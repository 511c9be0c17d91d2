package api

import "net/http"

// VisitListLegalHoldsResponse and its siblings are those of the records.
func (a Answer) VisitListLegalHoldsResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitPlaceLegalHoldResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitProposeLegalHoldLiftResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitGetRetentionResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitListDueDocumentsResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitProposePurgeResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitListPurgesResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitRunPurgeResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitCustodyCheckpointResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitListCustodyCheckpointsResponse(w http.ResponseWriter) error { return a.write(w) }

func (a Answer) VisitCustodyProofResponse(w http.ResponseWriter) error { return a.write(w) }
