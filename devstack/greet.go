package devstack

import (
	"fmt"
	"path/filepath"
	"time"
)

// greet says how to use what runs.
func (s *supervisor) greet(took time.Duration) {
	s.mu.Lock()
	d := s.dev
	s.mu.Unlock()
	key := d.Keys["marketplace"]
	fmt.Fprintf(s.talk, `
recourse: ready in %.1f s

  Book a flight, a hotel and a car:

    curl -s %[2]s/v1/bookings -H 'Authorization: Bearer %[3]s' \
      -H "Idempotency-Key: $(date +%%s%%N)" -H 'Content-Type: application/json' \
      -d '{"order_ref":"A-'"$(date +%%s%%N)"'","currency":"usd","payment_method":"pm_card_visa",
           "traveler":{"name":"Ada Example","email":"ada@example.com"},
           "flight":{"sku":"FL-LHR-JFK-0612","price":90000},
           "hotel":{"sku":"HT-NYC-0042","price":45000,"nights":3},
           "car":{"sku":"CAR-JFK-ECON","price":15000},
           "payment_flow":"authorize"}'

  Sell two packages to a pharmacy, and see the law's documents (docs/transfers.md):

    curl -s %[2]s/v1/transfers -H 'Authorization: Bearer %[3]s' \
      -H "Idempotency-Key: $(date +%%s%%N)" -H 'Content-Type: application/json' \
      -d '{"order_ref":"PO-'"$(date +%%s%%N)"'","seller":"0810000001019","buyer":"0810000002016",
           "units":["urn:epc:id:sgtin:0379999.010130.100000000021","(01)00379999101303(21)100000000022"],
           "price":25000,"currency":"usd","payment_method":"pm_card_visa"}'

  See how your orders ended:

    curl -s '%[2]s/v1/sagas?limit=5' -H 'Authorization: Bearer %[3]s'

  See the books:

    curl -s '%[2]s/v1/ledger/trial-balance' -H 'Authorization: Bearer %[4]s'

  Prove them:                 .bin/recourse verify
  Both stories step by step:  make demo
  Temporal's Web UI:          %[5]s
  Addresses and keys:         %[6]s
  Logs:                       %[7]s
  Stop with Ctrl-C; the data stay.

`, took.Seconds(), d.API, key, d.Keys["finance_preparer"], d.UI, filepath.Join(s.cfg.Dir, "dev.json"), filepath.Join(s.cfg.Dir, "log"))
}
