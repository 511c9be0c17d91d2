// Package compose checks docker-compose.yml with the parser that Docker
// Compose itself uses. There is no code here, only the test: an engine to run
// the file is not always at hand, and a file nobody can run rots.
package compose
