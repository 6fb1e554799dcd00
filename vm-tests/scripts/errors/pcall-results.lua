-- expect: true	1	2	3
-- expect: true	3	a	nil	b
-- expect: true
-- expect: true	false	x
-- expect: false	bad argument #1 to 'pcall' (value expected)
-- expect: true	false	attempt to call a nil value
-- expect: 3
-- expect: true	2
-- expect: false	attempt to call a string value
-- expect: false	attempt to call a nil value
print(pcall(function() return 1, 2, 3 end))
print(pcall(function(...) return select("#", ...), ... end, "a", nil, "b"))
print(pcall(function() end))
print(pcall(pcall, error, "x"))
print(pcall(pcall))
print(pcall(pcall, nil))
print(select("#", pcall(function() return nil, nil end)))
print(pcall(math.floor, 2.5))
print(pcall("x"))
print(pcall(nil))
