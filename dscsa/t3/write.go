package t3

import (
	"fmt"
	"io"

	"github.com/recourse/recourse/dscsa/epcis"
)

// Write writes the document in a format. The same facts give the same bytes.
func (f *Facts) Write(w io.Writer, format epcis.Format) error {
	out, err := epcis.NewWriter(w, format, f.Document())
	if err != nil {
		return fmt.Errorf("write the document of %s: %w", f.Transfer, err)
	}
	for _, e := range f.Events() {
		if err := out.Write(e); err != nil {
			return fmt.Errorf("write the document of %s: %w", f.Transfer, err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write the document of %s: %w", f.Transfer, err)
	}
	return nil
}
