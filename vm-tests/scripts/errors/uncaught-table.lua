-- expect-error: (error object is a table value)
-- kind: runtime
-- reference: no it says only that the value is not a string
error({})
