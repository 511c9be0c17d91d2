package epcis_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/epcis/epcistest"
)

// The hashes that the reference implementation of CBV 2.0 section 8.9 expects
// of its own examples (RalphTro/epcis-event-hash-generator 1.9.3, tests/examples/*.hashes).
var referenceHashes = map[string][]string{
	"ReferenceEventHashAlgorithm": {
		"6ae96341e0acc6d7a261364751f60e68278a81cdf51da0abb6b4e617014e39d7",
	},
	"CertificationInfoAndSensorReportWithCRS": {
		"765891c0478707141565408cefb87841b7531936188edd0ff0e63e91789b7c09",
	},
	"ReferenceEventHashAlgorithm2": {
		"49b13037c36e84ad9307c531671b00e901318c3957e4b1151f816ec49eb668da",
	},
	"ReferenceEventHashAlgorithm3": {
		"a13cbe6c8bb6df3710b3edaeff760a1365ec8fd69ca1f4d7e0c10eb5189a883a",
	},
	"TimeStampRoundOff": {
		"af7658e711574363633f20b3dadc7bc4c13c6f612cf96d95e03c421c0e58f3c6",
		"0550df44527332c1fe417c5837fe61b9e71eaa93307b88519dac549bf2d4dcf9",
		"589e6268daac257cff0a64ae0f525abcc3ff90bc7832171270fd9260e9c481c8",
	},
	"epcisDocHavingEventWithComment": {
		"df6523665bc5e5803d6c7b84f5a04e103694d8220f2abc4f2c74310e89f31bc6",
	},
	"epcisDocWithCustomSchemaInContext": {
		"21dd1a31d0f157e383537b622583411b57f181f4bdec078ca8cce09f8f08d03a",
		"d21abb0ead338a45eb866683e402e3c94fcf8fb80904160e476d3213c64ce41e",
	},
	"epcisDocWithDefaultSchemaInContext": {
		"ffa491b16867e34a7791a8d5389d826afc24e63a121026b6a4004ace38631b4b",
		"a207f523e4888a5cf75b5ee1110ebe019baba7e99aafde1d809d50b80727114e",
	},
	"epcisDocWithSensorComponent": {
		"bb12b0e4a573819c15796579560efbe6bd5e337f5c8c5cdf81f983a39947f629",
	},
	"epcisDocWithSensorDataObjectEvent": {
		"4afcdd3db3ff438fbe6c5a341ab8d1c405945f10d0c9a21b44d9ff45358b3801",
	},
	"epcisDocWithShippingAndTransportingEvent": {
		"7a82a68b0f9c78bebb1c729d950edbf1fd40c56f3351906020d2d67d5dffbc72",
		"1d2ec4174d8f0b5988a44795b31a636e8bc7f88ebc4bdc0d35c14f215a842e80",
	},
	"epcisDocWithSingleEvent": {
		"ffa491b16867e34a7791a8d5389d826afc24e63a121026b6a4004ace38631b4b",
	},
	"epcisEventWithCURIEs": {
		"65f196f1b17e2525de2b6f45f5d31d74fa3fdf1e689863484f8e9660cc36f69f",
	},
	"epcisDocWith2DifferentTransformationEvents": {
		"81d77913ba5f798c51ab0b17b097d8365ca9b250b62c9a089d23ffea5a31812d",
		"d2926d15aa88d127adf4cb1d16531fa011b6815f4a5b468aa4df26fec483be96",
	},
	"epcisDocWithTransformationEventWithExtension": {
		"91a318dd28bb60c43afa34f59b35fcb75ab943f734a1b3bd0afe504253433792",
	},
	"epcisDocWithTransformationEventWithMultipleExtensions": {
		"dbb241915fe2b61d9a56a3ebff0ac557214a61bc135ddc51c9ebc428b40f9363",
	},
}

func TestHashesOfTheReferenceExamples(t *testing.T) {
	t.Parallel()
	root := pack(t)
	found := 0
	for _, path := range slices.Concat(examples(t, root), jsonExamples(t, root)) {
		name, ok := strings.CutPrefix(filepath.Base(path), "hash_")
		want := referenceHashes[strings.TrimSuffix(name, filepath.Ext(name))]
		if !ok {
			continue
		}
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			_, events, err := readFile(t, filepath.Join(root, path))
			require.NoError(t, err)
			require.NotEmpty(t, want)
			if path == "examples/json-2.0/hash_ReferenceEventHashAlgorithm.json" {
				want = append(want, want...) // a test of equality: the event twice
			}
			require.Len(t, events, len(want))
			for i, e := range events {
				require.Equal(t, "ni:///sha-256;"+want[i]+"?ver=CBV2.0", epcis.Hash(e), epcis.Prehash(e))
			}
		})
		found++
	}
	require.Greater(t, found, 20)
}

// Event IDs of the form ni:///… in the standard's own examples are of drafts of
// the algorithm, before it spelled identifiers as Digital Links: what follows
// gives two of them back. None is what CBV 2.0 gives, so an event ID of that form
// that differs from the hash says nothing against an event.
func TestHashesInPublishedEventIDsAreOfDrafts(t *testing.T) {
	t.Parallel()
	root := pack(t)
	const urns, web = "urn:epcglobal:cbv:", "https://ns.gs1.org/voc/"
	draft := func(step, disposition, transaction string) string {
		sum := sha256.Sum256([]byte("eventType=ObjectEventeventTime=2005-04-04T02:33:31.116ZeventTimeZoneOffset=-06:00" +
			"epcListepc=urn:epc:id:sgtin:0614141.107346.2017epc=urn:epc:id:sgtin:0614141.107346.2018action=OBSERVE" +
			"bizStep=" + step + "disposition=" + disposition + "readPointid=urn:epc:id:sgln:0614141.07346.1234" +
			"bizTransactionListbizTransaction=http://transaction.acme.com/po/12345678type=" + transaction))
		return "ni:///sha-256;" + hex.EncodeToString(sum[:]) + "?ver=CBV2.0"
	}
	drafts := []string{
		draft(urns+"bizstep:shipping", urns+"disp:in_transit", urns+"btt:po"),
		draft(web+"Bizstep-shipping", web+"Disp-in_transit", web+"BTT-po"),
	}
	seen := map[string]bool{}
	for _, path := range slices.Concat(examples(t, root), jsonExamples(t, root)) {
		_, events, err := readFile(t, filepath.Join(root, path))
		if err != nil {
			continue
		}
		for _, e := range events {
			if strings.HasPrefix(e.EventID, "ni:") {
				seen[e.EventID] = true
				require.NotEqual(t, e.EventID, epcis.Hash(e), path)
			}
		}
	}
	require.Greater(t, len(seen), 30)
	for _, d := range drafts {
		require.True(t, seen[d], d)
	}
}

// Documents that are in the pack as XML and as JSON have the same hashes.
func TestHashOfDocumentsInTwoFormats(t *testing.T) {
	t.Parallel()
	root := pack(t)
	// What differs in the pairs themselves, by document and event.
	differ := map[string]string{
		"conv_1._GS1_Eg_EPCIS_Document 0":                                         "other times and identifiers",
		"conv_2._GS1_Eg_EPCIS_Document 0":                                         "the JSON leans on a context that is not fetched, and has a prefix with an underscore for its colon",
		"oepcis_bare_TransactionEvent 0":                                          "the XML has a vehicleMasterGIAI the JSON leaves out",
		"03_wholesaler_to_pharmacy 4":                                             "qualifier is an attribute in the XML and a member of the extension's own namespace in the JSON",
		"gs1_WithFullCombinationOfFields_aggregation_event_all_possible_fields 0": "the XML has no certificationInfo",
		"gs1_WithFullCombinationOfFields_association_event_all_possible_fields 0": "the XML has no certificationInfo",
		"gs1_WithFullCombinationOfFields_object_event_all_possible_fields 0":      "the XML has no certificationInfo",
		"gs1_WithFullCombinationOfFields_transaction_event_all_possible_fields 0": "the XML has no certificationInfo",
	}
	same := 0
	for _, path := range jsonExamples(t, root) {
		base := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		_, fromJSON, err := readFile(t, filepath.Join(root, path))
		if err != nil {
			continue
		}
		for _, other := range examples(t, root) {
			if strings.Contains(other, "xml-1.2") || strings.TrimSuffix(filepath.Base(other), ".xml") != base {
				continue
			}
			_, fromXML, err := readFile(t, filepath.Join(root, other))
			require.NoError(t, err)
			for i := range min(len(fromJSON), len(fromXML)) {
				if differ[base+" "+strconv.Itoa(i)] != "" {
					continue
				}
				require.Equal(t, epcis.Prehash(fromXML[i]), epcis.Prehash(fromJSON[i]), "%s %d", base, i)
				require.Equal(t, epcis.Hash(fromXML[i]), epcis.Hash(fromJSON[i]))
				same++
			}
		}
	}
	require.Greater(t, same, 55)
}

// The same event has the same hash in every format.
func TestHashIsTheSameInEveryFormat(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := epcistest.Event(formats...).Draw(t, "event")
		want := epcis.Hash(e)
		for _, f := range formats {
			text, err := write(f, &epcis.Document{CreationDate: e.EventTime}, e)
			require.NoError(t, err)
			_, got, err := read(bytes.NewReader(text), epcis.Limits{})
			require.NoError(t, err)
			require.Equal(t, epcis.Prehash(e), epcis.Prehash(got[0]), f)
			require.Equal(t, want, epcis.Hash(got[0]))
		}
	})
}

// Also what only JSON can hold has one hash, as far as the other formats can
// hold it at all.
func TestHashOfWhatJSONTellsApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := epcistest.Event(epcis.JSON20).Draw(t, "event")
		for _, f := range formats[:2] {
			text, err := write(f, &epcis.Document{CreationDate: e.EventTime}, e)
			if err != nil {
				continue
			}
			_, got, err := read(bytes.NewReader(text), epcis.Limits{})
			require.NoError(t, err)
			require.Equal(t, epcis.Prehash(e), epcis.Prehash(got[0]), "%s", text)
		}
	})
}

// The hash tells events apart by what happened, and by nothing else.
func TestHashLeavesOutWhatIsNotContent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := *epcistest.Event(epcis.JSON20).Draw(t, "event")
		want := epcis.Hash(&e)
		same := e
		same.EventID, same.Error, same.RecordTime = "urn:uuid:1", &epcis.ErrorDeclaration{At: e.EventTime}, e.EventTime
		same.EPCs = slices.Clone(e.EPCs)
		slices.Reverse(same.EPCs)
		same.EventTime = e.EventTime.UTC()
		same.Extensions = append(slices.Clone(e.Extensions), epcis.Field{
			Name: epcis.Name{Space: "http://www.w3.org/2000/01/rdf-schema#", Local: "comment"}, Value: "for people",
		})
		require.Equal(t, want, epcis.Hash(&same))

		other := e
		other.BizStep = "destroying"
		require.NotEqual(t, want, epcis.Hash(&other))
		other = e
		other.BizTransactions = append(slices.Clone(e.BizTransactions), epcis.Reference{ID: "https://example.com/po/1"})
		require.NotEqual(t, want, epcis.Hash(&other))
	})
}

func TestHashSpellsNumbersAndTimesOneWay(t *testing.T) {
	t.Parallel()
	hash := func(amount, at string) string {
		e := `{"@context":"https://ref.gs1.org/standards/epcis/epcis-context.jsonld","type":"ObjectEvent","eventTime":"` + at +
			`","eventTimeZoneOffset":"+00:00","action":"OBSERVE","quantityList":[{"epcClass":"urn:epc:idpat:sgtin:0369999.012345.*","quantity":` + amount + `}]}`
		_, events, err := read(strings.NewReader(e), epcis.Limits{})
		require.NoError(t, err)
		return epcis.Hash(events[0])
	}
	want := hash("1", "2026-01-02T03:04:05.001Z")
	for _, amount := range []string{"1.0", "1.000", "1e0", "10e-1"} {
		require.Equal(t, want, hash(amount, "2026-01-02T03:04:05.001Z"), amount)
	}
	for _, at := range []string{"2026-01-02T03:04:05.0010Z", "2026-01-02T03:04:05.00149Z", "2026-01-02T03:04:05.0005Z", "2026-01-02T05:04:05.001+02:00"} {
		require.Equal(t, want, hash("1", at), at)
	}
	require.NotEqual(t, want, hash("1", "2026-01-02T03:04:05.0015Z"))
	require.NotEqual(t, want, hash("1.01", "2026-01-02T03:04:05.001Z"))
}
