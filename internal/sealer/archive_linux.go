package sealer

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const appendOnly = 0x20 // FS_APPEND_FL of linux/fs.h

// makeAppendOnly sets the attribute that chattr +a sets: entries can be added
// and none removed or replaced, by root neither until it takes it away.
func makeAppendOnly(dir string) error { return setFlag(dir, true) }

func setFlag(dir string, on bool) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	flags, err := unix.IoctlGetInt(int(d.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return fmt.Errorf("the filesystem has no append-only attribute: %w", err)
	}
	flags &^= appendOnly
	if on {
		flags |= appendOnly
	}
	if err := unix.IoctlSetPointerInt(int(d.Fd()), unix.FS_IOC_SETFLAGS, flags); err != nil {
		return fmt.Errorf("the append-only attribute cannot be set (it takes root, or CAP_LINUX_IMMUTABLE): %w", err)
	}
	return nil
}
