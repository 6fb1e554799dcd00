-- expect: nil	false	1	1
-- expect: 1	nil	0
-- expect: true	false	false
-- expect: 3	false
-- expect: 0
-- expect: 3	3	nil
-- expect: none	none	1
-- expect: false	true	false
print(nil and 1, false and 1, 0 and 1, "" and 1)
print(nil or 1, false or nil, 0 or 1)
print(not nil, not 0, not "")
print(1 and nil or 3, false == nil)
local n = 0
local function f() n = n + 1 return n end
local _ = true or f()
local _ = false and f()
print(n)
print(1 and 2 and 3, nil or false or 3, nil and nil or nil)
local function g(...) return ... or "none" end
print(g(), g(false), g(1, 2))
print((nil == false), 1 == 1.0, "1" == 1)
