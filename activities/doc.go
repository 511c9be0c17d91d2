// Package activities holds the side effects of sagas, one file a participant,
// and declares the interfaces they need of the world. Concrete stores and
// gateways are injected where the program starts.
package activities
