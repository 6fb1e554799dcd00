-- expect-error: (error object is a table value)
-- kind: runtime
error({})
