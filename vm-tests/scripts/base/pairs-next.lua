-- expect: nil	1	5
-- expect: false	bad argument #1 to 'next' (table expected, got no value)
-- expect: false	invalid key to 'next'
-- expect: false	bad argument #1 to 'pairs' (table expected, got no value)
-- expect: false	bad argument #1 to 'pairs' (table expected, got nil)
-- expect: false	bad argument #1 to 'ipairs' (table expected, got no value)
-- expect: false	bad argument #1 to 'ipairs' (table expected, got number)
-- expect: function	table	nil
-- expect: function	table	0
-- expect: nil
-- expect: nil
print(next({}), next({5}))
print(pcall(next))
print(pcall(next, {}, "nokey"))
print(pcall(pairs))
print(pcall(pairs, nil))
print(pcall(ipairs))
print(pcall(ipairs, 5))
local f, s, c = pairs({})
print(type(f), type(s), c)
local f, s, c = ipairs({})
print(type(f), type(s), c)
print(next({}, nil))
local t = {"a"}
print(next(t, next(t)))
