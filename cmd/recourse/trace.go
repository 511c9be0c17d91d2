package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// trace answers where a lot is and what happened to a unit.
func trace(ctx context.Context, std streams, args []string) error {
	what, args, err := verb("trace", args, "lot", "serial")
	if err != nil {
		return err
	}
	f := flags(std, "trace "+what)
	api := addAPIFlags(f, "recall_operator")
	gtin := f.String("gtin", "", "GTIN, 8 to 14 digits")
	lot, serial, unit, at := new(string), new(string), new(string), new(string)
	if what == "lot" {
		lot = f.String("lot", "", "lot number")
		at = f.String("at", "", "as of this moment, such as 2026-11-23T14:00:00Z; now when left out")
	} else {
		serial = f.String("serial", "", "serial number")
		unit = f.String("unit", "", "the unit in any spelling, in place of -gtin and -serial")
	}
	output := f.String("output", "table", outputUsage)
	if _, err := parse(f, args); err != nil {
		return err
	}
	q := url.Values{}
	for name, value := range map[string]string{"gtin": *gtin, "lot": *lot, "serial": *serial, "unit": *unit, "at": *at} {
		if value != "" {
			q.Set(name, value)
		}
	}
	switch {
	case what == "lot" && (*gtin == "" || *lot == ""):
		return usagef("name the lot: recourse trace lot -gtin 00369991234505 -lot AB1234")
	case what == "serial" && (*unit == "") == (*gtin == "" || *serial == ""):
		return usagef("name the unit: recourse trace serial -gtin 00369991234505 -serial 1001, or -unit")
	}
	c, err := api.client()
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/trace?"+q.Encode(), &raw); err != nil {
		return err
	}
	if what == "lot" {
		return writeLot(std, raw, *output)
	}
	return writeUnit(std, raw, *output)
}

func writeLot(std streams, raw json.RawMessage, output string) error {
	var lot struct {
		Units []struct {
			GTIN      string `json:"gtin"`
			Serial    string `json:"serial"`
			State     string `json:"state"`
			HeldAs    string `json:"held_as"`
			HolderGLN string `json:"holder_gln"`
			OwnerGLN  string `json:"owner_gln"`
			Parent    string `json:"parent"`
		} `json:"units"`
		Balance map[string]int `json:"mass_balance"`
	}
	if err := json.Unmarshal(raw, &lot); err != nil {
		return fmt.Errorf("read the trace: %w", err)
	}
	s := sheet{Columns: []string{"gtin", "serial", "state", "held_as", "holder_gln", "owner_gln", "parent"}, JSON: raw}
	for _, u := range lot.Units {
		s.Rows = append(s.Rows, []string{u.GTIN, u.Serial, u.State, u.HeldAs, u.HolderGLN, u.OwnerGLN, u.Parent})
	}
	if output == "table" {
		defer func() {
			fmt.Fprintf(std.err, "%d units; unaccounted for: %d\n", lot.Balance["commissioned"], lot.Balance["unaccounted"])
		}()
	}
	return s.write(std.out, output)
}

func writeUnit(std streams, raw json.RawMessage, output string) error {
	var unit struct {
		Events []struct {
			EventTime   string `json:"event_time"`
			Type        string `json:"type"`
			Action      string `json:"action"`
			BizStep     string `json:"biz_step"`
			Disposition string `json:"disposition"`
			BizLocation string `json:"biz_location"`
			EventID     string `json:"event_id"`
			Document    string `json:"document"`
		} `json:"events"`
	}
	if err := json.Unmarshal(raw, &unit); err != nil {
		return fmt.Errorf("read the trace: %w", err)
	}
	s := sheet{Columns: []string{"event_time", "type", "action", "biz_step", "disposition", "biz_location", "event_id", "document"}, JSON: raw}
	for _, e := range unit.Events {
		s.Rows = append(s.Rows, []string{e.EventTime, e.Type, e.Action, e.BizStep, e.Disposition, e.BizLocation, e.EventID, e.Document})
	}
	return s.write(std.out, output)
}
