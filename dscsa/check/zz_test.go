package check

import ("testing";"os";"path/filepath";"fmt";"time";"sort";"strings";"github.com/recourse/recourse/dscsa/epcis")

func TestZZ(t *testing.T) {
	root := os.Getenv("ZZ")
	if root == "" { t.Skip() }
	var files []string
	filepath.Walk(root, func(p string, i os.FileInfo, err error) error { if err==nil && !i.IsDir() { files = append(files,p)}; return nil})
	sort.Strings(files)
	for _, f := range files {
		if strings.HasSuffix(f,"facts.json")||strings.HasSuffix(f,".md") {continue}
		if os.Getenv("NOJSON")!="" && strings.Contains(f,".json") {continue}
		r, err := os.Open(f); if err!=nil {t.Fatal(err)}
		rep, err := Whole(r, epcis.Limits{}, Options{Now: time.Date(2026,11,25,0,0,0,0,time.UTC)})
		r.Close()
		rel,_ := filepath.Rel(root,f)
		fmt.Println(rep.Verdict, rel, rep.Format, rep.Events, rep.DSCSA, err)
		for _, x := range rep.Findings { if os.Getenv("ALL")!="" || x.Severity!="info" { fmt.Println("      ", x.Severity, x.Rule,"|", x.Where,"|", x.Message)} }
	}
}
