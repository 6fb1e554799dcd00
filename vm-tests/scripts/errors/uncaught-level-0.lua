-- expect-error: bare
error("bare", 0)
