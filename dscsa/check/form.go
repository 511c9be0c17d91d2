package check

import (
	"github.com/recourse/recourse/dscsa/epcis"
)

// form checks that an event has what its type requires.
func (c *Checker) form(e *epcis.Event) {
	if e.EventTime.IsZero() {
		c.missing(e, "missing-event-time", "eventTime", "say when it happened")
	}
	if e.Type != epcis.TransformationEvent && e.Type != epcis.QuantityEvent {
		c.action(e)
	}
	switch e.Type {
	case epcis.ObjectEvent:
		if len(e.EPCs)+len(e.Quantities)+len(e.Sensors) == 0 && !c.told(e, "objects-missing") {
			c.find("objects-missing", c.here("epcList"), "the event is about nothing: list EPCs or quantities")
		}
	case epcis.AggregationEvent, epcis.AssociationEvent:
		if e.Parent == "" && e.Action != epcis.Observe {
			c.missing(e, "parent-missing", "parentID", "name what the children were put into or taken out of")
		}
		if len(e.EPCs)+len(e.Quantities) == 0 && e.Action != epcis.Delete {
			c.missing(e, "children-missing", "childEPCs", "only DELETE may leave the children out, to say all of them")
		}
	case epcis.TransactionEvent:
		if len(e.BizTransactions) == 0 {
			c.missing(e, "transactions-missing", "bizTransactionList", "name the business transaction")
		}
	case epcis.TransformationEvent:
		if e.TransformationID == "" && (len(e.InputEPCs)+len(e.InputQuantities) == 0 || len(e.OutputEPCs)+len(e.OutputQuantities) == 0) {
			c.missing(e, "transformation-incomplete", "inputEPCList", "without transformationID the event names inputs and outputs")
		}
	case epcis.QuantityEvent:
		if !c.told(e, "deprecated-event") {
			c.find("deprecated-event", c.here(""), "QuantityEvent is deprecated since EPCIS 1.1: send an ObjectEvent with a quantityList")
		}
	default:
		c.find("unknown-event", c.here(""), "there is no event type %q", brief(string(e.Type)))
	}
	if e.Error != nil {
		c.declaration(e)
	}
}

func (c *Checker) missing(e *epcis.Event, rule, list, message string) {
	if !c.told(e, rule) {
		c.find(rule, c.here(list), "%s is missing: %s", list, message)
	}
}

// told says whether the reader reported the same already.
func (c *Checker) told(e *epcis.Event, rule string) bool {
	for i := range e.Faults {
		if e.Faults[i].Rule == rule {
			return true
		}
	}
	return false
}

func (c *Checker) action(e *epcis.Event) {
	switch e.Action {
	case epcis.Add, epcis.Observe, epcis.Delete:
	case "":
		if !c.told(e, "bad-action") {
			c.missing(e, "missing-action", "action", "it is ADD, OBSERVE or DELETE")
		}
	default:
		if !c.told(e, "bad-action") {
			c.find("bad-action", c.here("action"), "action is %q: it is ADD, OBSERVE or DELETE, nothing else", brief(string(e.Action)))
		}
	}
}

func (c *Checker) declaration(e *epcis.Event) {
	d := e.Error
	where := c.here("errorDeclaration")
	switch {
	case d.At.IsZero():
		c.missing(e, "bad-declaration-time", "errorDeclaration", "say when the event was declared wrong")
	case !e.EventTime.IsZero() && d.At.Before(e.EventTime):
		c.find("declaration-before-event", where, "declared wrong at %s, before the event happened", stamp(d.At))
	case c.future(d.At):
		c.find("event-time-future", where, "declared wrong at %s, which has not come yet", stamp(d.At))
	}
	if d.Reason != "" && bare(d.Reason) && d.Reason != "did_not_occur" && d.Reason != "incorrect_data" {
		c.find("declaration-reason", where, "there is no error reason %q in the Core Business Vocabulary", brief(d.Reason))
	}
	if d.Reason == "did_not_occur" && len(d.CorrectiveIDs) > 0 {
		c.find("declaration-corrects-nothing", where, "an event that did not occur has no corrective events")
	}
	c.fields(d.Extensions, where)
}
