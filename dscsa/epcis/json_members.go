package epcis

import "math/bits"

// jsonEventTypes are the event types of EPCIS 2.0.
var jsonEventTypes = map[string]EventType{
	"ObjectEvent": ObjectEvent, "AggregationEvent": AggregationEvent, "TransactionEvent": TransactionEvent,
	"TransformationEvent": TransformationEvent, "AssociationEvent": AssociationEvent,
}

// members is a set of the standard's members of an event.
type members uint32

const (
	hasContext members = 1 << iota
	hasType
	hasEventTime
	hasRecordTime
	hasZone
	hasEventID
	hasError
	hasCertification
	hasAction
	hasBizStep
	hasDisposition
	hasPersistent
	hasReadPoint
	hasBizLocation
	hasTransactions
	hasSources
	hasDestinations
	hasSensors
	hasILMD
	hasParent
	hasEPCs
	hasQuantities
	hasChildEPCs
	hasChildQuantities
	hasInputEPCs
	hasOutputEPCs
	hasInputQuantities
	hasOutputQuantities
	hasTransformation
)

// memberNames are in the order of the bits.
var memberNames = [...]string{
	"@context", "type", "eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "errorDeclaration",
	"certificationInfo", "action", "bizStep", "disposition", "persistentDisposition", "readPoint",
	"bizLocation", "bizTransactionList", "sourceList", "destinationList", "sensorElementList", "ilmd",
	"parentID", "epcList", "quantityList", "childEPCs", "childQuantityList", "inputEPCList", "outputEPCList",
	"inputQuantityList", "outputQuantityList", "transformationID",
}

func (m members) String() string { return memberNames[bits.TrailingZeros32(uint32(m))] }

// memberOf is the member of a name, 0 when the standard has none.
func memberOf(key []byte) members {
	switch string(key) {
	case "@context":
		return hasContext
	case "type":
		return hasType
	case "eventTime":
		return hasEventTime
	case "recordTime":
		return hasRecordTime
	case "eventTimeZoneOffset":
		return hasZone
	case "eventID":
		return hasEventID
	case "errorDeclaration":
		return hasError
	case "certificationInfo":
		return hasCertification
	case "action":
		return hasAction
	case "bizStep":
		return hasBizStep
	case "disposition":
		return hasDisposition
	case "persistentDisposition":
		return hasPersistent
	case "readPoint":
		return hasReadPoint
	case "bizLocation":
		return hasBizLocation
	case "bizTransactionList":
		return hasTransactions
	case "sourceList":
		return hasSources
	case "destinationList":
		return hasDestinations
	case "sensorElementList":
		return hasSensors
	case "ilmd":
		return hasILMD
	case "parentID":
		return hasParent
	case "epcList":
		return hasEPCs
	case "quantityList":
		return hasQuantities
	case "childEPCs":
		return hasChildEPCs
	case "childQuantityList":
		return hasChildQuantities
	case "inputEPCList":
		return hasInputEPCs
	case "outputEPCList":
		return hasOutputEPCs
	case "inputQuantityList":
		return hasInputQuantities
	case "outputQuantityList":
		return hasOutputQuantities
	case "transformationID":
		return hasTransformation
	}
	return 0
}

// anyEvent are the members every event type has; allowed are those of each
// type (EPCIS 2.0 section 7.4; persistentDisposition is one of all since the
// XSD says so).
const anyEvent = hasContext | hasType | hasEventTime | hasRecordTime | hasZone | hasEventID | hasError |
	hasCertification | hasBizStep | hasDisposition | hasPersistent | hasReadPoint | hasBizLocation | hasTransactions |
	hasSources | hasDestinations | hasSensors

var allowed = map[EventType]members{
	ObjectEvent:      anyEvent | hasAction | hasEPCs | hasQuantities | hasILMD,
	AggregationEvent: anyEvent | hasAction | hasParent | hasChildEPCs | hasChildQuantities,
	AssociationEvent: anyEvent | hasAction | hasParent | hasChildEPCs | hasChildQuantities,
	TransactionEvent: anyEvent | hasAction | hasParent | hasEPCs | hasQuantities,
	TransformationEvent: anyEvent | hasInputEPCs | hasOutputEPCs | hasInputQuantities | hasOutputQuantities |
		hasTransformation | hasILMD,
}
