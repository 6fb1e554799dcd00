-- expect: 1
-- The globals by a computed name: everything must be there.
print(_G["to" .. "string"](1))
