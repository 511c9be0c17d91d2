package dscsabench

// The plain structs of somebody who reads the same events with the standard
// library: no times, no vocabulary, no checks.

type plainXML struct {
	Objects []plainXMLEvent `xml:"EPCISBody>EventList>ObjectEvent"`
	Packs   []plainXMLEvent `xml:"EPCISBody>EventList>AggregationEvent"`
}

type plainXMLEvent struct {
	EventTime    string      `xml:"eventTime"`
	RecordTime   string      `xml:"recordTime"`
	Zone         string      `xml:"eventTimeZoneOffset"`
	Parent       string      `xml:"parentID"`
	EPCs         []string    `xml:"epcList>epc"`
	Children     []string    `xml:"childEPCs>epc"`
	Action       string      `xml:"action"`
	BizStep      string      `xml:"bizStep"`
	Disposition  string      `xml:"disposition"`
	ReadPoint    string      `xml:"readPoint>id"`
	BizLocation  string      `xml:"bizLocation>id"`
	Transactions []plainText `xml:"bizTransactionList>bizTransaction"`
	Sources      []plainText `xml:"extension>sourceList>source"`
	Destinations []plainText `xml:"extension>destinationList>destination"`
	Lot          string      `xml:"extension>ilmd>lotNumber"`
	Expiry       string      `xml:"extension>ilmd>itemExpirationDate"`
	DropShipment string      `xml:"dropShipment"`
}

type plainText struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

type plainJSON struct {
	EPCISBody struct {
		EventList []plainJSONEvent `json:"eventList"`
	} `json:"epcisBody"`
}

type plainJSONEvent struct {
	Type         string      `json:"type"`
	EventTime    string      `json:"eventTime"`
	RecordTime   string      `json:"recordTime"`
	Zone         string      `json:"eventTimeZoneOffset"`
	Parent       string      `json:"parentID"`
	EPCs         []string    `json:"epcList"`
	Children     []string    `json:"childEPCs"`
	Action       string      `json:"action"`
	BizStep      string      `json:"bizStep"`
	Disposition  string      `json:"disposition"`
	ReadPoint    plainPlace  `json:"readPoint"`
	BizLocation  plainPlace  `json:"bizLocation"`
	Transactions []plainBiz  `json:"bizTransactionList"`
	Sources      []plainFrom `json:"sourceList"`
	Destinations []plainTo   `json:"destinationList"`
	ILMD         plainILMD   `json:"ilmd"`
	DropShipment any         `json:"gs1ushc:dropShipment"`
}

type plainPlace struct {
	ID string `json:"id"`
}

type plainBiz struct {
	Type string `json:"type"`
	ID   string `json:"bizTransaction"`
}

type plainFrom struct {
	Type string `json:"type"`
	ID   string `json:"source"`
}

type plainTo struct {
	Type string `json:"type"`
	ID   string `json:"destination"`
}

type plainILMD struct {
	Lot    string `json:"cbvmda:lotNumber"`
	Expiry string `json:"cbvmda:itemExpirationDate"`
}
