// Package query is the SimpleEventQuery of EPCIS 2.0 (section 8.2.7.1): what
// may be asked of a repository of events, read from the parameters of a URL,
// and whether an event is an answer. It is plain Go and knows no database; a
// store narrows down by the parts it has indexes for and leaves the last word
// to [Query.Match].
//
// Every parameter that is given must hold; within one parameter any of its
// values will do. Words of the Core Business Vocabulary and identifiers are
// compared as what they mean, not as they are spelled: "shipping",
// urn:epcglobal:cbv:bizstep:shipping and the web URI are one word, and a serial
// number is found whether it was written as a URN, a Digital Link or an element
// string.
//
// What is not known, twice where once is meant, or has no sense is an error
// that names the parameter; a query is never answered as if it had been
// another.
package query
