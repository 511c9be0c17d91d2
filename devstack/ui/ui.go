// Package ui serves Temporal's Web UI, in which an operator finds a saga by its
// order reference, state or type.
package ui

import (
	"github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

type fixed struct{ config.Config }

func (f *fixed) GetConfig() (*config.Config, error) { return &f.Config, nil }

// Start serves the UI on 127.0.0.1 until the returned function is called. The
// port must be free: the UI's own server leaves the process when it is not.
func Start(port int, temporal, namespace string) (stop func()) {
	s := server.NewServer(server_options.WithConfigProvider(&fixed{config.Config{
		Host: "127.0.0.1", Port: port, TemporalGRPCAddress: temporal, EnableUI: true, DefaultNamespace: namespace,
		DisableNewsFetch: true, HideLogs: true, CORS: config.CORS{CookieInsecure: true},
	}}))
	go func() { _ = s.Start() }() // it only returns when it is stopped
	return s.Stop
}
