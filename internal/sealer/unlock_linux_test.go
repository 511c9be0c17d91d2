package sealer

func unlock(dir string) { _ = setFlag(dir, false) }
