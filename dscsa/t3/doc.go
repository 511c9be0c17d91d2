// Package t3 makes the transaction information, history and statement of a
// change of ownership (21 USC 360eee(25) to (27)) from facts that were stored
// when it happened.
//
// The document is a pure function of its [Facts]: the same facts give the same
// bytes whenever and wherever they are asked for, in each of the three formats.
// It has the shape of the GS1 US implementation guideline R1.3: master data of
// products and locations and the transaction statement in the header, then one
// commissioning event a lot, one aggregation event a container, the prior
// changes of ownership (the transaction history; left out on request, because
// it has had no force since 2023-11-27, 360eee-1(k)(1)) and the shipping event,
// which names the outermost identifiers only.
//
// What goes wrong: facts that lack what the law asks for are refused before
// anything is shipped ([Facts.Missing]); nothing is made up.
package t3
