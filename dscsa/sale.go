package dscsa

import (
	"fmt"
	"time"
)

// Sellable says why a unit cannot be reserved or shipped by a seller on a day;
// "" when it can. Of a container (not a package) expiry and origin are those of
// what is in it, and so is the owner until somebody has named it.
func Sellable(u *Unit, seller string, today time.Time, isPackage bool) (Code, string) {
	switch u.State {
	case Unknown:
		if u.LastEvent == 0 {
			return UnitUnknown, "no document names it"
		}
	case Dispensed:
		return UnitDispensed, "it has been dispensed"
	case Destroyed, Decommissioned:
		return UnitDecommissioned, "it has been " + string(u.State)
	case InStock, InTransit, Returned, Quarantined:
	}
	for _, h := range u.Holds {
		if h.Class == Recall {
			return ProductRecalled, "it is recalled: " + h.Reason
		}
	}
	switch {
	case u.Blocked == "recalled":
		return ProductRecalled, "it is recalled"
	case len(u.Holds) > 0:
		return UnitQuarantined, fmt.Sprintf("it is in quarantine (%s): %s", u.Holds[0].Class, u.Holds[0].Reason)
	case u.Blocked != "":
		return UnitQuarantined, "its disposition is " + u.Blocked
	case u.ConflictWhy != "":
		return UnitQuarantined, "an event contradicts what is known of it: " + u.ConflictWhy
	case u.Owner != seller && (isPackage || u.OwnerSure):
		return NotHolder, "the seller does not own it"
	case u.State == InTransit:
		return UnitInTransit, "it is on its way and has not been received"
	case isPackage && u.Commissioned == 0:
		return UnitQuarantined, "no document tells who made it"
	case isPackage && u.Expiry.IsZero():
		return UnitQuarantined, "its expiry is not known"
	case isPackage && today.UTC().Truncate(24*time.Hour).After(u.Expiry):
		return UnitExpired, "it expired on " + u.Expiry.Format(time.DateOnly)
	}
	return "", ""
}
