-- kind: runtime
error(nil)
