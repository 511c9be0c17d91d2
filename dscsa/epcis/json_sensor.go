package epcis

// sensorKinds are the attributes of a sensor report and of its metadata that
// the standard knows (EPCIS 2.0 section 7.3.7), with how JSON writes them.
// What they say is held as text whatever the format: the standard has settled
// what it is.
var (
	reportAttributes = map[string]Kind{
		"type": Text, "exception": Text, "deviceID": Text, "deviceMetadata": Text, "rawData": Text,
		"dataProcessingMethod": Text, "bizRules": Text, "time": Text, "microorganism": Text, "chemicalSubstance": Text,
		"coordinateReferenceSystem": Text, "value": Number, "component": Text, "stringValue": Text,
		"booleanValue": Boolean, "hexBinaryValue": Text, "uriValue": Text, "minValue": Number, "maxValue": Number,
		"meanValue": Number, "sDev": Number, "percRank": Number, "percValue": Number, "uom": Text,
	}
	metadataAttributes = map[string]Kind{
		"time": Text, "startTime": Text, "endTime": Text, "deviceID": Text, "deviceMetadata": Text, "rawData": Text,
		"dataProcessingMethod": Text, "bizRules": Text,
	}
	sensorVocabularies = map[string]vocabulary{"type": measurements, "exception": alerts, "component": components}
)

func (p *jsonReader) sensors() []Sensor {
	var list []Sensor
	p.array(func() {
		var sensor Sensor
		p.parts(func(name string) bool {
			switch name {
			case "sensorMetadata":
				p.s.colon()
				sensor.Metadata = p.attributes(metadataAttributes)
			case "sensorReport":
				p.s.colon()
				p.array(func() { sensor.Reports = append(sensor.Reports, p.attributes(reportAttributes)) })
			case "type": // JSON-LD lets any node name its class; here it can be one only
				p.s.colon()
				p.fault(RuleAttribute, "the type of a sensor element tells nothing and is dropped")
				p.str()
			default:
				return false
			}
			return true
		}, &sensor.Extensions)
		p.charge(fieldCost)
		list = append(list, sensor)
	})
	return list
}

// attributes takes a sensor report, or sensor metadata.
func (p *jsonReader) attributes(known map[string]Kind) []Field {
	var fields []Field
	p.parts(func(name string) bool {
		kind, ok := known[name]
		if !ok {
			return false
		}
		f := Field{Name: Name{Local: name}}
		p.charge(fieldCost)
		p.s.colon()
		switch v, isWord := sensorVocabularies[name]; {
		case kind == Number:
			f.Value = p.number()
		case kind == Boolean:
			f.Value = p.boolean()
		case isWord:
			f.Value = p.word(v, p.doubtWord)
		default:
			f.Value = p.str()
		}
		fields = append(fields, f)
		return true
	}, &fields)
	return fields
}

func (p *jsonReader) boolean() string {
	switch p.s.peek() {
	case 't':
		p.s.word("true")
		return "true"
	case 'f':
		p.s.word("false")
		return "false"
	}
	p.wrong("true or false")
	return ""
}
