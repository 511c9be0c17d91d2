package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

// Admit adds a company to the register and has a second person approve what
// lets it trade.
func Admit(ctx context.Context, first, second *Client, company any) error {
	res, err := first.Do(ctx, http.MethodPost, "/v1/partners", uuid.NewString(), company)
	if err != nil {
		return err
	}
	var added struct {
		PendingApprovals []string `json:"pending_approvals"`
	}
	if err := json.Unmarshal(res.Body, &added); err != nil || res.Status != http.StatusCreated {
		return fmt.Errorf("add a company: %d %s", res.Status, res.Body)
	}
	for _, id := range added.PendingApprovals {
		res, err := second.Do(ctx, http.MethodPost, "/v1/approvals/"+id+"/approve", uuid.NewString(), nil)
		if err != nil {
			return err
		}
		if res.Status != http.StatusOK {
			return fmt.Errorf("approve %s: %d %s", id, res.Status, res.Body)
		}
	}
	return nil
}
