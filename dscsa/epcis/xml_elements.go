package epcis

// element is an element of EPCIS that events consist of, or of the frame
// around them.
type element uint8

const (
	unknown element = iota

	// Within an event and at most once there, so that a bit set can tell.
	eventTime
	recordTime
	eventTimeZoneOffset
	eventID
	errorDeclaration
	certificationInfo
	baseExtension
	epcList
	childEPCs
	inputEPCList
	inputQuantityList
	outputEPCList
	outputQuantityList
	transformationID
	parentID
	action
	bizStep
	disposition
	readPoint
	bizLocation
	bizTransactionList
	quantityList
	childQuantityList
	sourceList
	destinationList
	sensorElementList
	persistentDisposition
	ilmd
	epcClass
	quantity
	extension

	// Within these.
	epc
	uom
	quantityElement
	id
	bizTransaction
	source
	destination
	declarationTime
	reason
	correctiveEventIDs
	correctiveEventID
	unset
	set
	sensorElement
	sensorMetadata
	sensorMetaData // of the drafts of EPCIS 2.0
	sensorReport

	// The events.
	objectEvent
	aggregationEvent
	transactionEvent
	transformationEvent
	associationEvent
	quantityEvent

	// The frame.
	epcisDocument
	epcisQueryDocument
	epcisMasterDataDocument
	epcisCaptureJob
	epcisHeader
	epcisBody
	epcisMasterData
	eventList
	queryResults
	queryName
	subscriptionID
	resultsBody
	vocabularyList
	vocabularyOf
	vocabularyElementList
	vocabularyElement
	attributeOf
	childrenOf
)

// elements are the names of EPCIS. The names of a document are looked up in it
// once each.
var elements = map[string]element{
	"eventTime": eventTime, "recordTime": recordTime, "eventTimeZoneOffset": eventTimeZoneOffset,
	"eventID": eventID, "errorDeclaration": errorDeclaration, "certificationInfo": certificationInfo,
	"baseExtension": baseExtension, "epcList": epcList, "childEPCs": childEPCs,
	"inputEPCList": inputEPCList, "inputQuantityList": inputQuantityList,
	"outputEPCList": outputEPCList, "outputQuantityList": outputQuantityList,
	"transformationID": transformationID, "parentID": parentID, "action": action, "bizStep": bizStep,
	"disposition": disposition, "readPoint": readPoint, "bizLocation": bizLocation,
	"bizTransactionList": bizTransactionList, "quantityList": quantityList,
	"childQuantityList": childQuantityList, "sourceList": sourceList, "destinationList": destinationList,
	"sensorElementList": sensorElementList, "persistentDisposition": persistentDisposition, "ilmd": ilmd,
	"epcClass": epcClass, "quantity": quantity, "extension": extension,

	"epc": epc, "uom": uom, "quantityElement": quantityElement, "id": id, "bizTransaction": bizTransaction,
	"source": source, "destination": destination, "declarationTime": declarationTime, "reason": reason,
	"correctiveEventIDs": correctiveEventIDs, "correctiveEventID": correctiveEventID, "unset": unset, "set": set,
	"sensorElement": sensorElement, "sensorMetadata": sensorMetadata, "sensorMetaData": sensorMetaData,
	"sensorReport": sensorReport,

	"ObjectEvent": objectEvent, "AggregationEvent": aggregationEvent, "TransactionEvent": transactionEvent,
	"TransformationEvent": transformationEvent, "AssociationEvent": associationEvent, "QuantityEvent": quantityEvent,

	"EPCISDocument": epcisDocument, "EPCISQueryDocument": epcisQueryDocument,
	"EPCISMasterDataDocument": epcisMasterDataDocument, "EPCISCaptureJob": epcisCaptureJob,
	"EPCISHeader": epcisHeader, "EPCISBody": epcisBody, "EPCISMasterData": epcisMasterData,
	"EventList": eventList, "QueryResults": queryResults, "queryName": queryName,
	"subscriptionID": subscriptionID, "resultsBody": resultsBody, "VocabularyList": vocabularyList,
	"Vocabulary": vocabularyOf, "VocabularyElementList": vocabularyElementList,
	"VocabularyElement": vocabularyElement, "attribute": attributeOf, "children": childrenOf,
}

// eventOrder is what may be in each type of event and in which order (EPCIS
// 1.2 section 9.5 and 2.0 section 9.5). Both versions agree on the order, only
// that 1.2 has part of it in extensions.
var eventOrder = func() (orders [quantityEvent - objectEvent + 1][extension + 1]uint8) {
	common := []element{eventTime, recordTime, eventTimeZoneOffset, eventID, errorDeclaration, certificationInfo}
	for event, own := range map[element][]element{
		objectEvent: {
			epcList, action, bizStep, disposition, readPoint, bizLocation, bizTransactionList,
			quantityList, sourceList, destinationList, sensorElementList, persistentDisposition, ilmd,
		},
		aggregationEvent: {
			parentID, childEPCs, action, bizStep, disposition, readPoint, bizLocation, bizTransactionList,
			childQuantityList, sourceList, destinationList, sensorElementList, persistentDisposition,
		},
		transactionEvent: {
			bizTransactionList, parentID, epcList, action, bizStep, disposition, readPoint, bizLocation,
			quantityList, sourceList, destinationList, sensorElementList, persistentDisposition,
		},
		transformationEvent: {
			inputEPCList, inputQuantityList, outputEPCList, outputQuantityList, transformationID,
			bizStep, disposition, readPoint, bizLocation, bizTransactionList, sourceList, destinationList,
			sensorElementList, persistentDisposition, ilmd,
		},
		associationEvent: {
			parentID, childEPCs, childQuantityList, action, bizStep, disposition, readPoint, bizLocation,
			bizTransactionList, sourceList, destinationList, sensorElementList, persistentDisposition,
		},
		quantityEvent: {epcClass, quantity, bizStep, disposition, readPoint, bizLocation, bizTransactionList},
	} {
		for i, e := range append(common[:len(common):len(common)], own...) {
			orders[event-objectEvent][e] = uint8(i + 1)
		}
	}
	return orders
}()

// nested tells where EPCIS 1.2 has an element of an event: in how many
// extensions. Those of 2.0 that 1.2 does not know are in the second, which is
// left open there.
func nested(event, e element) int {
	switch e {
	case sensorElementList, persistentDisposition:
		if event == transformationEvent { // its first extension is the open one
			return 1
		}
		return 2
	case quantityList, sourceList, destinationList, ilmd:
		if event == transformationEvent {
			return 0
		}
		return 1
	case childQuantityList:
		if event == associationEvent {
			return 0
		}
		return 1
	case certificationInfo:
		return 2 // of baseExtension
	case eventID, errorDeclaration:
		return 1 // of baseExtension
	default:
		return 0
	}
}

var eventTypes = [...]EventType{
	ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent, AssociationEvent, QuantityEvent,
}

// eventType is the type of an event's element.
func (e element) eventType() (EventType, bool) {
	if e < objectEvent || e > quantityEvent {
		return "", false
	}
	return eventTypes[e-objectEvent], true
}
