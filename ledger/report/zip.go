package report

import (
	"archive/zip"
	"cmp"
	"compress/flate"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"
)

// An orderedZip is a zip archive whose bytes depend on nothing but the parts:
// they are compressed to a temporary file as they come, in any order, and
// written out in the order of their names, without times.
type orderedZip struct {
	w     io.Writer
	tmp   *os.File
	parts []*part
}

type part struct {
	name       string
	from, size int64 // in the temporary file, compressed
	plain      uint64
	sum        hash.Hash32
	packer     *flate.Writer
}

func newOrderedZip(w io.Writer) (*orderedZip, error) {
	tmp, err := os.CreateTemp("", "recourse-report-*")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w", err)
	}
	return &orderedZip{w: w, tmp: tmp}, nil
}

// Create begins a part; the one before it has ended.
func (z *orderedZip) Create(name string) (io.Writer, error) {
	if err := z.finish(); err != nil {
		return nil, err
	}
	from, err := z.tmp.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	p := &part{name: name, from: from, sum: crc32.NewIEEE()}
	if p.packer, err = flate.NewWriter(z.tmp, flate.DefaultCompression); err != nil {
		return nil, err
	}
	z.parts = append(z.parts, p)
	return p, nil
}

// Write implements io.Writer.
func (p *part) Write(b []byte) (int, error) {
	p.sum.Write(b)
	p.plain += uint64(len(b))
	return p.packer.Write(b)
}

// finish ends the part that was begun last.
func (z *orderedZip) finish() error {
	if len(z.parts) == 0 {
		return nil
	}
	p := z.parts[len(z.parts)-1]
	if p.packer == nil {
		return nil
	}
	err := p.packer.Close()
	p.packer = nil
	if err != nil {
		return err
	}
	end, err := z.tmp.Seek(0, io.SeekEnd)
	p.size = end - p.from
	return err
}

// AddFS is not needed here.
func (*orderedZip) AddFS(fs.FS) error { return errors.ErrUnsupported }

// Close writes the archive.
func (z *orderedZip) Close() error {
	if err := z.finish(); err != nil {
		return err
	}
	slices.SortFunc(z.parts, func(a, b *part) int {
		const types = "[Content_Types].xml" // where readers look first
		switch {
		case a.name == types:
			return -1
		case b.name == types:
			return 1
		default:
			return cmp.Compare(a.name, b.name)
		}
	})
	out := zip.NewWriter(z.w)
	for _, p := range z.parts {
		w, err := out.CreateRaw(&zip.FileHeader{
			Name: p.name, Method: zip.Deflate, CRC32: p.sum.Sum32(), CompressedSize64: uint64(p.size), UncompressedSize64: p.plain,
		})
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, io.NewSectionReader(z.tmp, p.from, p.size)); err != nil {
			return err
		}
	}
	return out.Close()
}

// remove frees the temporary file.
func (z *orderedZip) remove() {
	_ = z.tmp.Close()
	_ = os.Remove(z.tmp.Name())
}
