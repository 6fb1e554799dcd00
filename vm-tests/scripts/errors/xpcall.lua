-- expect: false	handled: e
-- expect: true	1	2
-- expect: false	table1
-- expect: false	nil
-- expect: false	in+out
-- expect: false	bad argument #2 to 'xpcall' (value expected)
-- expect: false	bad argument #2 to 'xpcall' (value expected)
print(xpcall(function() error("e", 0) end, function(m) return "handled: " .. m end))
print(xpcall(function() return 1, 2 end, print))
print(xpcall(function() error({ c = 1 }) end, function(e) return type(e) .. e.c end))
print(xpcall(function() error("e", 0) end, function(m) return nil end))
print(xpcall(function() local ok, e = xpcall(error, function() return "in" end) error(tostring(e) .. "+", 0) end, function(m) return m .. "out" end))
print(pcall(xpcall))
print(pcall(xpcall, print))
